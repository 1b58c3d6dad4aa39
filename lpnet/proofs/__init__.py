"""Proof files: the evidence for a minimal equivalent, written for `lpnet.checker`."""

from lpnet.proofs.equality import claim_of, shows_equality, write_equality
from lpnet.proofs.write import write_proof

__all__ = ["claim_of", "shows_equality", "write_equality", "write_proof"]
