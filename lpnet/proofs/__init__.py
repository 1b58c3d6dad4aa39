"""Proof files: the evidence for a minimal equivalent, written for `lpnet.checker`."""

from lpnet.proofs.write import check_provable, write_proof

__all__ = ["check_provable", "write_proof"]
