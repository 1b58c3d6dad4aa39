"""That two decisions are the same: a header's rows, circuits over them, and what these answer where signs are known."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lpnet.checker.question import Refuted, Spend, over, rationals
from lpnet.checker.work import products

MOST_LAYERS = 16
EXACT = 1 << 62


class Claim:
    """Circuits of threshold units over the signs of rows v·x + Σ w_k R(z_k) + c, sgn(0) = +1.

    rows: (n, inputs + units + 1) Fractions; layers: of each of the two, rows (weights, bias) of integers, positive multiples of
    those given; ties: whether they are alike where rows are 0, too.
    """

    def __init__(self, header: Any, inputs: int, units: int, spend: Spend) -> None:
        self.ties = header["ties"] is True
        self.rows = layer_of(header["rows"], inputs + units, spend)
        self.given: list[list[NDArray[Any]]] = []
        for decision in header["decisions"]:
            width, layers = len(self.rows), list[NDArray[Any]]()
            if not isinstance(decision, list) or not 1 <= len(decision) <= MOST_LAYERS:
                raise ValueError(f"decisions: wanted 1 to {MOST_LAYERS} layers each")
            for layer in decision:
                layers.append(layer_of(layer, width, spend))
                width = len(layers[-1])
            if width != 1:
                raise ValueError("decisions: wanted one output each")
            self.given.append(layers)
        if len(self.given) != 2:
            raise ValueError(f"decisions: wanted 2, got {len(self.given)}")
        self.layers = [[whole_rows(layer, spend) for layer in layers] for layers in self.given]
        self.steps = 100 + sum(layer.size for layers in self.given for layer in layers)

    @property
    def constant(self) -> int:
        """What the second decision answers where no sign is known: 0 if it depends on them."""
        return self.answers([0] * len(self.rows))[1]

    def answers(self, signs: Sequence[int]) -> tuple[int, ...]:
        """What the known signs of the rows force both to answer, 0 where they do not."""
        answers = []
        for layers in self.layers:
            known = np.array(signs, dtype=np.int64)
            for layer in layers:
                total, free = layer[:, :-1] @ known + layer[:, -1], np.abs(layer[:, :-1]) @ (known == 0).astype(np.int64)
                known = (total >= free).astype(np.int64) - (total < -free).astype(np.int64)
            answers.append(int(known[0]))
        return tuple(answers)

    def check_same(self, given: Any, spend: Spend) -> None:
        """Refuted where these are not the decisions given, number by number."""
        theirs = [[given.rows], *given.decisions]
        for ours, layers in zip([[self.rows], *self.given], theirs, strict=True):
            made = [np.column_stack([rationals(np.asarray(x), spend) for x in (own.weight, own.bias)]) for own in layers]
            if len(made) != len(ours) or not all(map(np.array_equal, ours, made)):
                raise Refuted("the proof is about other decisions")


def layer_of(given: Any, width: int, spend: Spend) -> NDArray[Any]:
    """A layer of a header as rows (weights, bias) of Fractions."""
    bias = np.array(given["bias"], dtype=object)
    weight = np.array(given["weight"], dtype=object).reshape(len(bias), width)
    if bias.ndim != 1:
        raise ValueError("wanted one number a row as its bias")
    return np.column_stack([rationals(weight, spend), rationals(bias, spend)])


def whole_rows(layer: NDArray[Any], spend: Spend) -> NDArray[Any]:
    """Each row times a positive number, in integers: of 64 bits where no sum can be longer."""
    made = np.zeros(layer.shape, dtype=object)
    for number, row in enumerate(layer.tolist()):
        scale = 1
        for entry in row:
            spend(products(2, scale.bit_length(), entry.denominator.bit_length()))
            scale = scale * entry.denominator // int(np.gcd(scale, entry.denominator))
        made[number] = over(scale, row)
    largest = max((sum(map(abs, row)) for row in made.tolist()), default=0)
    return made.astype(np.int64) if largest < EXACT else made
