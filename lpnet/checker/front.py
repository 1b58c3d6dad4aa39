"""The affine map in front of the network that a proof is about, and whether both together are the network given."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from lpnet.checker.question import FIELDS, Form, Refuted, Spend, primitive, rationals
from lpnet.checker.work import products

Rows = NDArray[Any]  # weight and bias of a layer in Fractions, (k, d + 1)


def onto(given: Any, outputs: int, spend: Spend) -> Rows:
    """The map y = A x + a of a header; Refuted where it does not reach every y, ValueError where it is no such map."""
    if not isinstance(given, dict) or given.keys() != {"weight", "bias"}:
        raise ValueError("onto: wanted a weight and a bias")
    weight, bias = np.array(given["weight"], dtype=object), np.array(given["bias"], dtype=object)
    if weight.ndim != 2 or len(weight) != outputs or bias.shape != (outputs,) or not weight.shape[1]:
        raise ValueError(f"onto: wanted a weight and a bias for each of {outputs} numbers")
    rows = np.column_stack([rationals(weight, spend), rationals(bias, spend)])
    long = longest_entry(rows)
    spend(products(outputs * outputs * weight.shape[1], long, long))
    if matrix(rows[:, :-1]).rank() < outputs:
        raise Refuted("the map in front of the network does not reach all points, so that half-spaces behind it mean nothing")
    return rows


def behind(rows: Rows, layer: Rows, spend: Spend) -> Rows:
    """Rows (m, k + 1) of what comes out of a layer, as rows (m, d + 1) of what goes into it."""
    m, k, width = len(rows), len(layer), layer.shape[1]
    long = longest_entry(rows), longest_entry(layer)
    spend(10 * (m + k) * width + products(m * k * width, *long))
    made = (matrix(rows[:, :-1]) * matrix(layer)).entries() if m and k else []
    found = np.array([Fraction(int(z.p), int(z.q)) for z in made], dtype=object).reshape(m, width)
    found[:, -1] += rows[:, -1]
    return found


def pulled(forms: Sequence[Form], layer: Rows | None, spend: Spend) -> tuple[Form, ...]:
    """Forms of y as forms of x, each times a positive number."""
    if layer is None:
        return tuple(forms)
    long, made = longest_entry(layer), []
    for form in forms:
        spend(10 * layer.size + products(layer.size, max(entry.bit_length() for entry in form), long))
        pairs = ([(v, entry) for v, entry in zip(form, column, strict=False) if v and entry] for column in layer.T)
        row = [sum((v * entry for v, entry in column), Fraction(0)) for column in pairs]
        row[-1] += form[-1]
        scale = 1
        for entry in row:
            spend(products(2, scale.bit_length(), entry.denominator.bit_length()))
            scale = math.lcm(scale, entry.denominator)
        made.append(tuple(int(entry * scale) for entry in row))
    return tuple(made)


def check_same_network(network: dict[str, Rows], layer: Rows | None, given: Any, spend: Spend) -> None:
    """Whether the network of the file behind its map is the one given, number by number of the inputs' own first layer."""
    if getattr(given, "deeper", ()) or getattr(given, "skip", None) is not None:
        raise Refuted("the proof is about another network: of one hidden layer, and an output that reads nothing else")
    ours = np.column_stack([network["hidden_weight"], network["hidden_bias"]])
    theirs = np.column_stack([rationals(np.asarray(getattr(given, name)), spend) for name in FIELDS[:2]])
    for before in reversed(given.front.layers if getattr(given, "front", None) else ()):
        theirs = behind(theirs, np.column_stack([rationals(numbers, spend) for numbers in (before.weight, before.bias)]), spend)
    if layer is not None:
        ours = behind(ours, layer, spend)
    outputs = [rationals(np.asarray(getattr(given, name)), spend) for name in FIELDS[2:]]
    pairs = [("the first layer", ours, theirs), *zip(FIELDS[2:], (network[name] for name in FIELDS[2:]), outputs, strict=True)]
    for name, written, wanted in pairs:
        if not np.array_equal(written, wanted):
            raise Refuted(f"the proof is about another network: {name} differs")


def check_same_layers(layers: Sequence[Rows], layer: Rows | None, given: Any, spend: Spend) -> None:
    """`check_same_network` for any depth and any number of scores: rows of the inputs, of all units before, and a bias."""
    scores = getattr(given, "scores", (given,))
    given, front = scores[0], getattr(given, "front", None)
    width = len(front.layers[-1].bias) if front else given.hidden_weight.shape[1]
    skips = [np.zeros(width) if (skip := getattr(own, "skip", None)) is None else skip for own in scores]
    output = np.array([np.concatenate([skip, own.output_weight]) for skip, own in zip(skips, scores, strict=True)])
    pairs = [(given.hidden_weight, given.hidden_bias), *((own.weight, own.bias) for own in getattr(given, "deeper", ()))]
    theirs = [np.column_stack([rationals(np.asarray(x), spend) for x in pair]) for pair in pairs]
    biases = np.array([own.output_bias for own in scores], dtype=object)
    theirs.append(np.column_stack([rationals(output, spend), rationals(biases, spend)]))
    for before in reversed(front.layers if front else ()):
        through = np.column_stack([rationals(numbers, spend) for numbers in (before.weight, before.bias)])
        theirs = [of_inputs(rows, through, spend) for rows in theirs]
    ours = [of_inputs(rows, layer, spend) for rows in layers] if layer is not None else list(layers)
    if len(ours) != len(theirs) or not all(map(np.array_equal, ours, theirs)):
        raise Refuted("the proof is about another network")


def of_inputs(rows: Rows, layer: Rows, spend: Spend) -> Rows:
    """Rows that read z = layer(x), units and 1, as rows that read x, units and 1."""
    size = len(layer)
    own = behind(np.column_stack([rows[:, :size], rows[:, -1]]), layer, spend)
    return np.column_stack([own[:, :-1], rows[:, size:-1], own[:, -1]])


def check_same_domain(walls: Sequence[Form], given: Sequence[Form]) -> None:
    """Whether the inequalities of the file, in the inputs, are those given, up to positive factors."""
    if set(map(primitive, walls)) != set(map(primitive, given)):
        raise Refuted("the proof is about another domain")


def matrix(rows: Rows) -> fmpq_mat:
    """The same for flint."""
    m, k = rows.shape
    return fmpq_mat(m, k, [fmpq(entry.numerator, entry.denominator) for entry in rows.flat])


def longest_entry(rows: Rows) -> int:
    """The bits of the longest numerator or denominator."""
    return max((max(entry.numerator.bit_length(), entry.denominator.bit_length()) for entry in rows.flat), default=1)
