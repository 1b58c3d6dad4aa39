"""The objects of the theory: networks, circuits, domains; all frozen and validated."""

from lpnet.networks.circuit import SignCircuit
from lpnet.networks.domain import Box, Domain
from lpnet.networks.exact_form import ExactForm
from lpnet.networks.normal_form import normal_form
from lpnet.networks.relu import ReLUNetwork
from lpnet.networks.sign import SignNetwork

__all__ = ["Box", "Domain", "ExactForm", "ReLUNetwork", "SignCircuit", "SignNetwork", "normal_form"]
