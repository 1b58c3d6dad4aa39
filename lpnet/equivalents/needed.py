"""Half-spaces that are needed in the first layer of a threshold equivalent."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.equivalents.threshold import round_forms, rows_of
from lpnet.errors import InputError, LpnetError
from lpnet.exact import FloatArray, Form, Numbers, Point
from lpnet.networks.affine import Layer, after
from lpnet.networks.examples import Examples
from lpnet.networks.question import Question
from lpnet.networks.table import examples_of
from lpnet.rules import Rules, rules
from lpnet.rules.card import card
from lpnet.rules.logic import words_at
from lpnet.rules.seen import Seen, seen
from lpnet.watch import Watch


class Needed:
    """What answers of one output and of several have in common: half-spaces with a piece each, in the coordinates searched.

    question, form, pieces, first_piece: see `MinimalEquivalent`.
    """

    network: Any
    question: Question[Any]
    form: Any
    pieces: Any
    first_piece: NDArray[np.intp]
    examples: Examples | None
    equivalent: Any

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
        if self.question.onto:
            return np.column_stack(self.hidden_layer.floats)
        found = self.find_halfspaces(Watch())
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

    def rules(self, digits: int | None = 3, data: Any = None, keep: float | None = None) -> Rules:
        """The threshold network in rules (`lpnet.rules`): exactly, and with `keep` few that keep this share of the decisions.

        data: a data frame, an array or a pair (X, y) whose rows are counted, by default the data that was asked about.
        Raises LpnetError for an answer that is not complete.
        """
        rows = self.examples if data is None else examples_of(data, self.network)
        return rules(self.equivalent, digits, rows, keep)

    @property
    def seen(self) -> Seen:
        """What the rows of the data say: which half-spaces separate them, which units ever fire, how many are decided right."""
        if self.examples is None:
            raise InputError("data: wanted an answer that was asked for with data=")
        return seen(self.network, self.hidden_layer, self.examples)

    @cached_property
    def hidden_layer(self) -> Layer:
        """The half-spaces as an exact layer of the inputs."""
        onto, layer = self.question.onto, Layer(*self.rows(self.find_halfspaces(Watch())))
        return after(layer, onto.composed) if onto else layer

    def predict(self, data: Any) -> Any:
        """The threshold network's answers in words, in the domain exactly those of the ReLU network; (batch, d) → (batch,)."""
        return words_at(self.equivalent, examples_of(data, self.network).points)

    def _repr_html_(self) -> str:
        """A small table, and rules where they are found in two seconds."""
        return card(self)

    def _check_complete(self) -> None:
        if not self.complete:
            raise LpnetError(f"the search was stopped after {self.units} half-spaces; a network on them would be wrong")
