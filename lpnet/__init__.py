"""lpnet: minimal threshold equivalents of ReLU networks, after Pan & Srikumar, ICML 2016 ([PS16])."""

from lpnet.errors import InputError, LpnetError, SizeError
from lpnet.networks import Box, Domain, NormalForm, ReLUNetwork, SignCircuit, SignNetwork, normal_form

__all__ = [
    "Box",
    "Domain",
    "InputError",
    "LpnetError",
    "NormalForm",
    "ReLUNetwork",
    "SignCircuit",
    "SignNetwork",
    "SizeError",
    "normal_form",
]
