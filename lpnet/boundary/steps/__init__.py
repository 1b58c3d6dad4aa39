"""The engine for networks with gates that jump: facets of cells, walked exactly."""

from lpnet.boundary.steps.facets import Facets, find_facets

__all__ = ["Facets", "find_facets"]
