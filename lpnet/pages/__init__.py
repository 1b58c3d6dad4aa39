"""One page about a network, to be read in a browser."""

__all__ = [
    "classes",
    "data",
    "page",
    "parts",
    "steps",
    "trees",
    "whole",
]
