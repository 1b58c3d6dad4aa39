"""The engines that find the boundary pieces, interchangeable: a normal form and its domain in, pieces out."""

from collections.abc import Callable

from lpnet.boundary.subsets import Pieces, Progress, expand
from lpnet.networks import Domain, ExactForm

Engine = Callable[[ExactForm, Domain, Progress | None], Pieces]

ENGINES: dict[str, Engine] = {"expand": expand}
