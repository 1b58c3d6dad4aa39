"""Proof files: the evidence for a minimal equivalent, written for `lpnet.checker`."""

from lpnet.proofs.write import write_proof

__all__ = ["write_proof"]
