"""lpnet: minimal threshold equivalents of ReLU networks, after Pan & Srikumar, ICML 2016 ([PS16])."""

from lpnet.boundary.redundancy import irredundant, prune
from lpnet.boundary.subsets import subset_verdict
from lpnet.equality import Comparison, equal
from lpnet.equivalents import MinimalEquivalent, minimal_equivalent
from lpnet.errors import InputError, LpnetError, SizeError
from lpnet.io import load
from lpnet.networks import Box, Domain, ExactForm, ReLUNetwork, SignCircuit, SignNetwork, normal_form

__version__ = "0.1.0"

__all__ = [
    "Box",
    "Comparison",
    "Domain",
    "ExactForm",
    "InputError",
    "LpnetError",
    "MinimalEquivalent",
    "ReLUNetwork",
    "SignCircuit",
    "SignNetwork",
    "SizeError",
    "equal",
    "irredundant",
    "load",
    "minimal_equivalent",
    "normal_form",
    "prune",
    "subset_verdict",
]
