"""How many pieces a boundary has, estimated from a sample of its vertices where they are too many to count."""

from lpnet.boundary.sampling.estimate import Estimate, estimate_pieces

__all__ = ["Estimate", "estimate_pieces"]
