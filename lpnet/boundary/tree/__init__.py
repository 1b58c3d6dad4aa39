"""The tree engine, for everything: the units' signs one by one, pruned by certificates."""

from lpnet.boundary.tree.engine import cells, cells_of, class_tree, tree

__all__ = ["cells", "cells_of", "class_tree", "tree"]
