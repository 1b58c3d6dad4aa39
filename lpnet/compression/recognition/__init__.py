"""Which ReLU network has these half-spaces? The combinatorics are proposed in floats; `lpnet.compression.compress` proves.

Throughout, K = {x : h_k(x) ≤ 0 for all k} has an interior, and C = {(X, t) : h_k ≤ 0, t ≥ 0} is the cone over it: a half-space
is a row vector, and −e = (0, …, 0, −1) is one more row, the facet at infinity if K contains a full-dimensional cone.
"""

__all__ = [
    "cone",
    "cuts",
    "fit",
    "polygon",
    "quads",
    "recognise",
    "refute",
]
