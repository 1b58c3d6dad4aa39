"""Proofs that two networks are equal: their scores have nowhere opposite signs, or a circuit decides like a network."""

from pathlib import Path

from lpnet.checker import Report
from lpnet.equivalents.minimal import minimal_equivalent
from lpnet.errors import InputError, LpnetError
from lpnet.networks import Polyhedron, ReLUNetwork
from lpnet.networks.question import Network
from lpnet.networks.sketch import agreement
from lpnet.proofs.circuits import write_agreement
from lpnet.proofs.write import write_proof
from lpnet.watch import Watch


def write_equality(
    network_a: Network, network_b: Network, domain: Polyhedron | None, path: str | Path, watch: Watch | None = None
) -> None:
    """Write the proof that `agreement` of two ReLU networks is nowhere less than 0 in a domain: their answers are the same
    wherever neither score is 0. With one of threshold units: that they are the same off a set of measure zero.

    Stopped where the watch says so; LpnetError where there is no such proof; InputError without a ReLU network.
    """
    watch = watch or Watch()
    first, second = sorted((network_a, network_b), key=lambda network: not isinstance(network, ReLUNetwork))
    if not isinstance(first, ReLUNetwork):
        raise InputError("a proof of equality: wanted a ReLU network at least, got two of threshold units")
    if not isinstance(second, ReLUNetwork):
        write_agreement(first, second, domain, path, watch)
        return
    answer = minimal_equivalent(agreement(first, second), domain, watch=watch, recorded=True)
    if not answer.complete:
        raise watch.error()
    if answer.constant != 1:
        raise LpnetError("the scores of the networks have opposite signs somewhere, so that there is no proof to be written")
    write_proof(answer, path, watch)


def shows_equality(report: Report) -> bool:
    """Whether what was proved of the `agreement` of two networks is that it is nowhere less than 0."""
    return report.complete and report.units == 0 and report.constant == 1
