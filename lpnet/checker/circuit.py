"""That a network decides like a circuit of threshold units: a header's circuit, and what it answers where signs are known."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.front import of_inputs
from lpnet.checker.question import Form, Refuted, Spend, over, rationals
from lpnet.checker.work import products

FIELDS = ("hidden_weight", "hidden_bias", "middle_weight", "middle_bias", "output_weight", "output_bias")


class Circuit:
    """sgn(o · sgn(M · sgn(V x + d) + m) + o0), or without the middle layer; sgn(0) = +1.

    forms: V x + d, each in integers; layers: the later ones, rows (weights, bias) of Fractions.
    """

    def __init__(self, given: Any, inputs: int, spend: Spend) -> None:
        self.fields = {name: rationals(np.asarray(given[name], dtype=object), spend) for name in FIELDS if name in given}
        hidden = self.rows(self.fields["hidden_weight"], self.fields["hidden_bias"], inputs)
        self.layers, width = list[NDArray[Any]](), len(hidden)
        if "middle_weight" in self.fields:
            self.layers.append(self.rows(self.fields["middle_weight"], self.fields["middle_bias"], width))
            width = len(self.layers[0])
        self.layers.append(self.rows(self.fields["output_weight"][None], self.fields["output_bias"].reshape(1), width))
        self.forms: list[Form] = []
        for row in hidden.tolist():
            long = sum(entry.denominator.bit_length() for entry in row)
            spend(products(2 * len(row), long, long))
            self.forms.append(over(math.lcm(*(entry.denominator for entry in row)), row))
        self.steps = 10 * sum(layer.size for layer in self.layers)

    @staticmethod
    def rows(weight: NDArray[Any], bias: NDArray[Any], width: int) -> NDArray[Any]:
        """A layer as rows (weights, bias)."""
        if bias.ndim != 1 or weight.shape != (len(bias), width):
            raise ValueError(f"circuit: wanted layers that read the {width} numbers before them")
        return np.column_stack([weight, bias])

    def answer(self, signs: Sequence[int]) -> int:
        """The answer that the known signs of the first layer force, 0 where they do not."""
        known = [sign if any(h[:-1]) else (1 if h[-1] >= 0 else -1) for sign, h in zip(signs, self.forms, strict=True)]
        for layer in self.layers:
            known = [forced(row, known) for row in layer.tolist()]
        return known[0]

    def check_same(self, given: Any, spend: Spend) -> None:
        """Refuted where it is not the circuit given, number by number of the inputs' own first layer."""
        hidden = np.column_stack([rationals(np.asarray(x), spend) for x in (given.hidden_weight, given.hidden_bias)])
        front = getattr(given, "front", None)
        for before in reversed(front.layers if front else ()):
            through = np.column_stack([rationals(numbers, spend) for numbers in (before.weight, before.bias)])
            hidden = of_inputs(hidden, through, spend)
        ours = np.column_stack([self.fields["hidden_weight"], self.fields["hidden_bias"]])
        same = np.array_equal(ours, hidden)
        for name in FIELDS[2:]:
            theirs = getattr(given, name, None)
            same &= (theirs is None) == (name not in self.fields)
            same = same and (theirs is None or np.array_equal(self.fields[name], rationals(np.asarray(theirs), spend)))
        if not same:
            raise Refuted("the proof is about another circuit")


def forced(row: Sequence[Fraction], known: Sequence[int]) -> int:
    """The sign of a unit's sum, 0 where the signs of its inputs that are 0 may still change it."""
    *weights, bias = row
    total = bias + sum(w * sign for w, sign in zip(weights, known, strict=True))
    open_ = sum(abs(w) for w, sign in zip(weights, known, strict=True) if not sign)
    return 1 if total - open_ >= 0 else -1 if total + open_ < 0 else 0
