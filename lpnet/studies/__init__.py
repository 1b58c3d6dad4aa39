"""Studies: exact counts for thousands of networks, on all cores or on a cluster, resumable, the same whatever computes them."""

__all__ = [
    "distributions",
    "folder",
    "grid",
    "run",
    "study",
    "summary",
    "trained",
    "workers",
]
