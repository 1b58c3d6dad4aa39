"""Proofs that two networks of any kinds are equal, ties included or off them, and that a property holds nowhere."""

from pathlib import Path

from lpnet.checker import Report
from lpnet.networks import Polyhedron
from lpnet.networks.claim import Network, same
from lpnet.proofs.claims import write_claim
from lpnet.watch import Watch


def write_equality(
    network_a: Network,
    network_b: Network,
    domain: Polyhedron | None,
    path: str | Path,
    watch: Watch | None = None,
    ties: bool = True,
) -> None:
    """Write the proof that two networks have the same answers all over a domain; ties False: off a set of measure zero.

    Stopped where the watch says so; `lpnet.proofs.claims.Different` where they have not.
    """
    write_claim(same(network_a, network_b), domain, path, watch, ties)


def shows_equality(report: Report) -> bool:
    """Whether what was proved of a score is that it is nowhere less than 0, or of two decisions that they are the same."""
    return report.complete and (report.evidence != "tree" or (report.units == 0 and report.constant == 1))
