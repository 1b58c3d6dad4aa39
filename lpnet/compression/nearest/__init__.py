"""[PS16] Theorem 3: the ReLU network nearest to a sign network in all its hidden-layer scores."""

__all__ = [
    "approximation",
    "bounds",
    "margins",
    "multiclass",
    "nearest",
    "order",
    "program",
]
