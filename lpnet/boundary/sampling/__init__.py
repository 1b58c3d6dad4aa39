"""How many pieces a boundary has, estimated from a sample of its vertices where they are too many to count."""

from lpnet.boundary.sampling.estimate import estimate_pieces
from lpnet.boundary.sampling.sample import Estimate

__all__ = ["Estimate", "estimate_pieces"]
