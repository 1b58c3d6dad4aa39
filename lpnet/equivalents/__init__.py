"""From a ReLU network to its minimal threshold equivalent."""

from lpnet.equivalents.minimal import MinimalEquivalent, minimal_equivalent

__all__ = ["MinimalEquivalent", "minimal_equivalent"]
