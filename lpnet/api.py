"""What `import lpnet` offers."""

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
