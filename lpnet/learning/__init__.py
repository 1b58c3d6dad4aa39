"""Section 5 of [PS16]: can the equivalent networks be learned? With JAX and optax (extra `learning`)."""

__all__ = [
    "configuration",
    "data",
    "figure4",
    "learners",
    "protocol",
    "table",
    "training",
]
