"""Half-spaces that are needed in the first layer of a threshold equivalent."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.equivalents.threshold import round_forms, rows_of
from lpnet.errors import LpnetError
from lpnet.exact import FloatArray, Form, Numbers, Point
from lpnet.networks.affine import Layer, after
from lpnet.networks.question import Question
from lpnet.watch import Watch


class Needed:
    """What answers of one output and of several have in common: half-spaces with a piece each, in the coordinates searched.

    question, form, pieces, first_piece: see `MinimalEquivalent`.
    """

    question: Question[Any]
    form: Any
    pieces: Any
    first_piece: NDArray[np.intp]

    @property
    def units(self) -> int:
        """How many half-spaces are needed."""
        return len(self.first_piece)

    @property
    def complete(self) -> bool:
        """Whether the search came to its end."""
        return self.pieces.complete

    @cached_property
    def halfspaces(self) -> tuple[Form, ...]:
        """The needed half-spaces {h ≥ 0}, exactly: a positive multiple of c_S in integers."""
        return tuple(map(self.question.pulled, self.find_halfspaces(Watch())))

    def rows(self, halfspaces: Sequence[Form]) -> tuple[Numbers, Numbers]:
        """Weights and biases of half-spaces in the units of `form`, exactly."""
        return rows_of(halfspaces, self.form)

    def find_halfspaces(self, watch: Watch) -> tuple[Form, ...]:
        """The needed half-spaces in the coordinates of `form`, h = c_S / scale. Stopped where the watch says so."""
        if "_halfspaces" not in self.__dict__:
            found = []
            for done, h in enumerate(self.forms_of(self.first_piece)):
                watch.check(done / self.units, done)
                found.append(h)
            self.__dict__["_halfspaces"] = tuple(found)
        return self.__dict__["_halfspaces"]

    def forms_of(self, numbers: NDArray[np.intp]) -> Iterable[Form]:
        """c_S of some pieces."""
        raise NotImplementedError

    @cached_property
    def hidden_weight(self) -> FloatArray:
        """v of the half-spaces {v·x + c ≥ 0}, rounded to float64, (units, d)."""
        return self._rounded[:, :-1]

    @cached_property
    def hidden_bias(self) -> FloatArray:
        """c of the half-spaces, (units,)."""
        return self._rounded[:, -1]

    @cached_property
    def _rounded(self) -> FloatArray:
        onto, found = self.question.onto, self.find_halfspaces(Watch())
        if onto:
            return np.column_stack(after(Layer(*self.rows(found)), onto.composed).floats)
        inputs = self.question.domain.inputs
        return round_forms(found, self.form.exponent).reshape(self.units, inputs + 1)

    @cached_property
    def witnesses(self) -> tuple[Point, ...]:
        """For each half-space, an exact point of a piece that it carries (see `lpnet.exact`)."""
        return tuple(map(self.question.lifted, self._witnesses))

    @cached_property
    def _witnesses(self) -> tuple[Point, ...]:
        return self.find_witnesses(range(self.units), Watch())

    def find_witnesses(self, halfspaces: Sequence[int], watch: Watch) -> tuple[Point, ...]:
        """A point of a piece of some half-spaces, in the coordinates of `form`; Stopped where the watch says so."""
        numbers = self.first_piece[halfspaces]
        if self.pieces.witnesses is not None:
            return tuple(self.pieces.witnesses[k] for k in numbers)
        return self.missing_witnesses(numbers, watch)

    def missing_witnesses(self, numbers: NDArray[np.intp], watch: Watch) -> tuple[Point, ...]:
        """Points of pieces of which the engine gave none."""
        raise NotImplementedError

    def _check_complete(self) -> None:
        if not self.complete:
            raise LpnetError(f"the search was stopped after {self.units} half-spaces; a network on them would be wrong")
