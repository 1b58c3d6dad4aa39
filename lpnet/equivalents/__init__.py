"""From one kind of network to another with the same decisions."""

from lpnet.equivalents.minimal import MinimalEquivalent, minimal_equivalent

__all__ = ["MinimalEquivalent", "minimal_equivalent"]
