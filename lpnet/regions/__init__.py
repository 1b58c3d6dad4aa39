"""Why a network answers as it does at a point, and the search for a point at which two networks do not answer alike."""

__all__ = [
    "reasons",
    "regularity",
    "search",
    "volume",
]
