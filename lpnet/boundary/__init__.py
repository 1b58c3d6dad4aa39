"""The decision boundary of a ReLU network, and which half-spaces it is made of."""

__all__ = [
    "additive",
    "boxes",
    "classes",
    "engines",
    "independent",
    "pieces",
    "redundancy",
    "sampling",
    "sparse",
    "steps",
    "subsets",
    "theorem1",
    "thresholds",
    "tree",
    "vertices",
    "walk",
]
