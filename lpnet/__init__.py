"""lpnet: minimal threshold equivalents of ReLU networks, after Pan & Srikumar, ICML 2016 ([PS16])."""

from lpnet.api import (
    compress,
    equal,
    estimate_pieces,
    minimal_equivalent,
    nearest,
    normal_form,
    prune,
    subset_verdict,
    tightness,
)
from lpnet.boundary.redundancy import irredundant
from lpnet.boundary.sampling import Estimate
from lpnet.equality import Comparison
from lpnet.equivalents import MinimalEquivalent
from lpnet.equivalents.tightness import Tightness
from lpnet.errors import InputError, LpnetError, SizeError
from lpnet.io import load
from lpnet.networks import Box, Domain, ExactForm, ReLUNetwork, SignCircuit, SignNetwork
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
    "compress",
    "equal",
    "estimate_pieces",
    "extremal_network",
    "irredundant",
    "load",
    "minimal_equivalent",
    "nearest",
    "normal_form",
    "prune",
    "subset_verdict",
    "tightness",
]
