"""Pictures, drawn with matplotlib (extra `plots`)."""

__all__ = [
    "boundary",
    "circuit",
    "classes",
    "draw",
    "figure",
    "learning",
    "marks",
    "picture",
    "plane",
    "section",
    "slices",
    "tightness",
    "trees",
    "window",
]
