"""Proofs that two networks of any kinds are equal, ties included or off them, and that a property holds nowhere."""

from pathlib import Path
from typing import Any

from lpnet.checker import Report
from lpnet.errors import InputError
from lpnet.networks import Polyhedron
from lpnet.networks.claim import Claim, Network, same, same_classes
from lpnet.networks.classifier import Classifier
from lpnet.proofs.claims import write_claim
from lpnet.watch import Watch


def write_equality(
    network_a: Network | Classifier,
    network_b: Network | Classifier,
    domain: Polyhedron | None,
    path: str | Path,
    watch: Watch | None = None,
    ties: bool = True,
) -> None:
    """Write the proof that two networks have the same answers, or classes, all over a domain.

    ties False: off a set of measure zero.
    Stopped where the watch says so; `lpnet.proofs.claims.Different` where they have not.
    """
    write_claim(claim_of(network_a, network_b), domain, path, watch, ties)


def claim_of(network_a: Any, network_b: Any) -> Claim:
    """That two networks of one output, or two of several, are the same. InputError for one and one, or other inputs."""
    several = [isinstance(network, Classifier) for network in (network_a, network_b)]
    if several[0] != several[1]:
        raise InputError("wanted two networks of one output, or two of several, or --output for two of them")
    if network_a.inputs != network_b.inputs:
        raise InputError(f"wanted networks with equally many inputs, got {network_a.inputs} and {network_b.inputs}")
    return same_classes(network_a, network_b) if all(several) else same(network_a, network_b)


def shows_equality(report: Report) -> bool:
    """Whether what was proved of a score is that it is nowhere less than 0, or of two decisions that they are the same."""
    return report.complete and (report.evidence != "tree" or (report.units == 0 and report.constant == 1))
