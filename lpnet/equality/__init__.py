"""Are two networks the same function?"""

from lpnet.equality.equality import Comparison, equal

__all__ = ["Comparison", "equal"]
