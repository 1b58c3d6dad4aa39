"""The tree engine, for everything: the units' signs one by one, pruned by certificates."""

from lpnet.boundary.tree.engine import cells, tree

__all__ = ["cells", "tree"]
