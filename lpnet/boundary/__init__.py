"""The decision boundary of a ReLU network, and which half-spaces it is made of."""

__all__ = [
    "classes",
    "engines",
    "independent",
    "pieces",
    "redundancy",
    "sampling",
    "sparse",
    "subsets",
    "theorem1",
    "tree",
    "vertices",
    "walk",
]
