"""From one kind of network to another with the same decisions."""

from lpnet.equivalents.equality import Comparison, equal
from lpnet.equivalents.minimal import MinimalEquivalent, minimal_equivalent

__all__ = ["Comparison", "MinimalEquivalent", "equal", "minimal_equivalent"]
