"""Small threshold circuits on given half-spaces: one unit, the smallest DNF or CNF, Theorem 1's own without its ballast."""

__all__ = [
    "boundary",
    "classes",
    "convex",
    "cover",
    "fewest",
    "fooling",
    "parts",
    "saddle",
    "sample",
    "separation",
    "smallest",
    "theorem1",
]
