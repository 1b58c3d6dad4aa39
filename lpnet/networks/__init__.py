"""The objects of the theory: networks, circuits, domains; all frozen and validated."""

from lpnet.networks.circuit import SignCircuit
from lpnet.networks.classifier import Classifier
from lpnet.networks.exact_form import ExactForm
from lpnet.networks.normal_form import normal_form
from lpnet.networks.polyhedron import Box, Polyhedron
from lpnet.networks.relu import ReLUNetwork
from lpnet.networks.sign import SignNetwork
from lpnet.networks.step import StepNetwork

__all__ = [
    "Box",
    "Classifier",
    "ExactForm",
    "Polyhedron",
    "ReLUNetwork",
    "SignCircuit",
    "SignNetwork",
    "StepNetwork",
    "normal_form",
]
