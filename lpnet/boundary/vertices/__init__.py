"""The vertex engine, for general position in R^d: no linear program."""

from lpnet.boundary.vertices.engine import vertices

__all__ = ["vertices"]
