"""The engines that find the boundary pieces, interchangeable: a normal form and its domain in, pieces out."""

from collections.abc import Callable

from lpnet.boundary.pieces import Pieces, Watch
from lpnet.boundary.subsets import expand
from lpnet.networks import Domain, ExactForm

Engine = Callable[[ExactForm, Domain, Watch], Pieces]

ENGINES: dict[str, Engine] = {"expand": expand}
