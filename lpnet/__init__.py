"""lpnet: minimal threshold equivalents of ReLU networks, after Pan & Srikumar, ICML 2016 ([PS16])."""

from lpnet.boundary.redundancy import irredundant, prune
from lpnet.boundary.sampling import Estimate, estimate_pieces
from lpnet.boundary.subsets import subset_verdict
from lpnet.equality import Comparison, equal
from lpnet.equivalents import MinimalEquivalent, minimal_equivalent
from lpnet.equivalents.tightness import Tightness, tightness
from lpnet.errors import InputError, LpnetError, SizeError
from lpnet.io import load
from lpnet.networks import Box, Domain, ExactForm, ReLUNetwork, SignCircuit, SignNetwork, normal_form
from lpnet.networks.extremal import extremal_network

__version__ = "0.1.0"

__all__ = [
    "Box",
    "Comparison",
    "Domain",
    "Estimate",
    "ExactForm",
    "InputError",
    "LpnetError",
    "MinimalEquivalent",
    "ReLUNetwork",
    "SignCircuit",
    "SignNetwork",
    "SizeError",
    "Tightness",
    "equal",
    "estimate_pieces",
    "extremal_network",
    "irredundant",
    "load",
    "minimal_equivalent",
    "normal_form",
    "prune",
    "subset_verdict",
    "tightness",
]
