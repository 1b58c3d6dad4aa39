"""What is asked of a model with several outputs: a decision among all of them, two of them, or one against a number."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from textwrap import shorten
from typing import Any

import numpy as np
from flint import arb, ctx, fmpq

from lpnet.errors import InputError
from lpnet.exact import Numbers, fraction, fractions, shortened
from lpnet.io.kinds import Choice, Outputs, SingleOutput, single_output
from lpnet.io.signal import BOOLEAN

MOST_LISTED = 20
BITS = 256  # of logarithms: more than enough to tell the nearest float


@dataclass(frozen=True)
class Chosen:
    """The rows that decide, (k, n) and (k,): one that is to be ≥ 0, or the scores of a classifier with names of their classes.

    said: the rule in words; classes: for which class each row speaks; labels: names of −1 and +1, or ().
    """

    weight: Numbers
    bias: Numbers
    said: str
    classes: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def chosen_of(weight: Numbers, bias: Numbers, outputs: Outputs | None, names: Sequence[Any], tail: str) -> Chosen:
    """What decides of all m outputs, (m, n) and (m,), with names of the outputs or none, and tail behind them or "".

    Raises InputError where `outputs` is missing, needless or out of range.
    """
    count, given = len(bias), [shorten(str(name), 40) for name in names]
    names, labels = given if len(given) == count else [], tuple(given) if len(set(given)) == 2 == len(given) else ()
    if isinstance(outputs, Choice):
        if outputs.rule in ("single", "itself"):
            return replace(_single(weight, bias, outputs, names, tail), labels=labels if count == 1 else ())
        if outputs.rule == "own" and count <= 2:
            outputs = None
        elif outputs.rule == "pair":
            first, second = _members(outputs.members, count, names)
            outputs = first, second
        else:
            return _among(weight, bias, outputs, names)
    if count == 1:
        single_output(outputs)
        return Chosen(weight, bias, "", labels=labels)
    if outputs is None and count != 2:
        raise InputError(
            f"has {count} outputs; say which two to compare (--outputs I,J or outputs=(I, J)): +1 where output I ≥ output J"
        )
    return _pair(weight, bias, *_two(outputs or (1, 0), count), names)


def among_answers(weight: Numbers, bias: Numbers, outputs: Outputs | None, names: Sequence[Any]) -> Chosen:
    """The class of the first of several threshold units that is +1."""
    if outputs is not None and not (isinstance(outputs, Choice) and outputs.rule in ("own", "argmax")):
        raise SingleOutput("has an answer ±1 for each class, of which no other decision can be made")
    count = len(bias)
    labels = tuple(map(str, names)) if len(names) == count else tuple(map(str, range(count)))
    return Chosen(weight, bias, f"the class of the first of {count} outputs that is +1", tuple(range(count)), labels)


def _pair(weight: Numbers, bias: Numbers, first: int, second: int, names: Sequence[str]) -> Chosen:
    """One output against another one."""
    named = [_named(k, names) for k in (first, second)]
    labels = (names[second], names[first]) if names and names[first] != names[second] else ()
    tie = f"+1 where {named[0]} ≥ {named[1]}; a tie is +1, for {named[0]}, where argmax takes output {min(first, second)}"
    if first < second:
        tie = tie.replace(", where argmax takes", " as argmax takes")
    if len(bias) == 2 and (weight[0] == -weight[1]).all() and bias[0] == -bias[1]:
        return Chosen(weight[[first]], bias[[first]], tie, labels=labels)  # f and −f: half of their difference
    difference, constant = _difference(weight, bias, first, second)
    return Chosen(difference[None], shortened([constant]), tie, labels=labels)


def _difference(weight: Numbers, bias: Numbers, first: int, second: int) -> tuple[Numbers, Fraction]:
    rows = np.column_stack([weight, bias])
    *entries, constant = (fraction(a) - fraction(b) for a, b in zip(rows[first], rows[second], strict=True))
    return shortened(fractions(entries, (-1,))), constant


def _among(weight: Numbers, bias: Numbers, choice: Choice, names: Sequence[str]) -> Chosen:
    """All outputs."""
    count, least = len(bias), choice.least or choice.rule == "argmin"
    if count == 1:
        single_output(choice)
    if least:
        weight, bias = -weight, -bias
    order, classes, labels = list(range(count)), tuple(range(count)), tuple(names) or tuple(map(str, range(count)))
    kind = "least" if least else "largest"
    said = (
        f"the class of the {kind} of {count} outputs; a tie is for the first of them, as arg{'min' if least else 'max'} has it"
    )
    if choice.rule == "group":
        inside = _members(choice.members, count, names)
        if not inside or len(inside) == count:
            raise InputError(f"group: wanted some but not all of its {count} outputs")
        order.sort(key=lambda o: o not in inside)
        classes, labels = tuple(int(o not in inside) for o in order), ("+".join(labels[o] for o in inside), "the rest")
        said = f"whether the {kind} output is one of {', '.join(_named(o, names) for o in inside)}; a tie is for these"
    elif names:
        said += f"; classes {', '.join(names[:MOST_LISTED])}{', …' * (count > MOST_LISTED)}"
    return Chosen(weight[order], bias[order], said, classes, labels)


def _single(weight: Numbers, bias: Numbers, choice: Choice, names: Sequence[str], tail: str) -> Chosen:
    """One output against a number; behind a Sigmoid or the like its argument, against the nearest float."""
    count, at = len(bias), choice.threshold or Fraction(0)
    if count > 1 and len(choice.members) != 1:
        raise InputError(f"has {count} outputs; say which one is to be compared with {float(at):g} (--outputs I)")
    (own,) = _members(choice.members, count, names) if choice.members else (0,)
    row, constant, level, how = weight[own], fraction(bias[own]), at, ""
    if tail in ("Softmax", "LogSoftmax"):
        if count != 2:
            raise InputError(f"ends in {tail} of {count} outputs, where one against a number is no comparison of scores")
        row, constant = _difference(weight, bias, own, 1 - own)
    elif tail == BOOLEAN:
        raise InputError("gives an answer and no number that could be compared with another one")
    if tail:
        level, how = _before(tail, at)
    what = _named(own, names) if count > 1 else "the output"
    said = f"+1 where {what} is ≥ {float(at):g}{how}, so that {float(at):g} itself is +1"
    return Chosen(row[None], shortened([constant - level]), said)


def _before(tail: str, at: Fraction) -> tuple[Fraction, str]:
    """The argument at which a Sigmoid or the like is this, or the nearest float, and what to say of it."""
    with ctx.workprec(BITS):
        number = arb(fmpq(at.numerator, at.denominator))
        argument = (
            number.atanh()
            if tail == "Tanh"
            else number - (1 - number.exp()).log()
            if tail == "LogSoftmax"
            else ((number / (1 - number)).log())
        )
        if not argument.is_finite():
            raise InputError(f"ends in {tail}, which never is {float(at):g}")
        level = float(argument.mid())
    return Fraction(level), f", its argument ≥ {level!r}" + (", the nearest float" if level else "")


def _named(k: int, names: Sequence[str]) -> str:
    return f"output {k}" + (f" ({names[k]})" if names else "")


def _members(members: Sequence[int | str], count: int, names: Sequence[str]) -> list[int]:
    """Different outputs by their numbers or names."""
    found = []
    for member in members:
        text = str(member)
        if text in names:
            found.append(list(names).index(text))
        elif text.isdecimal() and int(text) < count:
            found.append(int(text))
        else:
            known = f", or one of {', '.join(names[:MOST_LISTED])}" if names else ""
            raise InputError(f"outputs: wanted numbers from 0 to {count - 1}{known}, got {text!r}")
    if len(set(found)) != len(found):
        raise InputError(f"outputs: wanted different ones, got {', '.join(map(str, members))}")
    return found


def _two(outputs: Any, count: int) -> tuple[int, int]:
    """Two different indices of outputs, or InputError."""
    whole = isinstance(outputs, tuple | list) and all(
        isinstance(o, int | np.integer) and not isinstance(o, bool) for o in outputs
    )
    if not whole or len(set(outputs)) != 2 or len(outputs) != 2 or not all(0 <= o < count for o in outputs):
        raise InputError(f"outputs: wanted two different numbers from 0 to {count - 1}, got {outputs!r}")
    return int(outputs[0]), int(outputs[1])
