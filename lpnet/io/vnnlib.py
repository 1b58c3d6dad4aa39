"""VNN-LIB, versions 1.0 and 2.0: linear constraints on the inputs and outputs of one network, exactly.

    (declare-const X_0 Real) (declare-const Y_0 Real)            ; or, in 2.0, and then X[0], Y[0] (or X[0,1], row by row):
    (declare-network N (declare-input X Real [1]) (declare-output Y Real [1]))
    (assert (<= X_0 0.5)) (assert (or (>= Y_0 1) (and (< Y_0 -1) (= X_0 0))))

Numbers stand for themselves: 0.1 is 1/10. Read are and, or, not, =>, <=, >=, <, >, =, ==, !=, +, −, * by numbers; commands to
solvers (set-logic, check-sat and the like) say nothing. Not read, and refused by name: several networks or inputs, hidden
nodes, ite, let, products of variables, integers and Booleans. `vnnlib` of PyPI (1.0.2) reads 2.0 alone, without =, not, =>,
numbers with exponents or whole numbers for floats; hidden nodes and several inputs it parses.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from lpnet.errors import InputError
from lpnet.exact import Form, common_integers, fractions
from lpnet.networks import Polyhedron

TOKEN = re.compile(r";[^\n]*|\s+|([()]|\[[^\]]*\]|<[0-9.]+>|[^\s()\[\];]+(?:\[[^\]]*\])?)")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
RELATIONS = {"<=": (-1, False), ">=": (1, False), "<": (-1, True), ">": (1, True)}
MOST_BYTES = 1 << 26
DEEPEST = 200

Linear = dict[str, Fraction]  # by the names of variables, "" for the constant
Ends = dict[tuple[str, int], Fraction]  # bounds by the name of an input, 1 below and −1 above


class Atom(NamedTuple):
    """What is ≥ 0, or > 0."""

    linear: Linear
    strict: bool


@dataclass(frozen=True)
class Formula:
    """All of the parts hold, or any of them; parts are atoms and formulas."""

    every: bool
    parts: tuple["Atom | Formula", ...]


@dataclass(frozen=True)
class Property:
    """inputs, outputs: names, in order; walls: what is asserted of inputs alone, without any "or"; rest: what else is."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    walls: tuple[Atom, ...]
    rest: Formula

    def form(self, linear: Linear) -> Form:
        """An affine function of the inputs, in integers, up to a positive factor."""
        row = [linear.get(name, Fraction(0)) for name in (*self.inputs, "")]
        whole, _, _ = common_integers(fractions(row, (len(row),)))
        return tuple(map(int, whole))

    @property
    def domain(self) -> Polyhedron:
        """The interior of the inputs allowed."""
        return Polyhedron(len(self.inputs), tuple(self.form(wall.linear) for wall in self.walls))


def load_property(path: str | Path) -> Property:
    """The property in a file; InputError where there is none that is read."""
    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"is larger than {MOST_BYTES} bytes")
        return parsed(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (InputError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: {error if isinstance(error, InputError) else 'is no VNN-LIB text'}") from None


def parsed(text: str) -> Property:
    """A property from its text."""
    inputs, outputs, parts = list[str](), list[str](), list[Atom | Formula]()
    shapes: dict[str, tuple[int, ...]] = {}
    for command in expressions(text):
        match command:
            case ["declare-const" | "declare-fun", str(name), *rest] if rest in (["Real"], [[], "Real"]):
                (outputs if name.startswith("Y") else inputs).append(name)
            case ["declare-network", str(_), *declared]:
                if shapes:
                    raise InputError("has several networks; wanted one")
                for entry in declared:
                    declare(entry, inputs, outputs, shapes)
            case ["assert", condition]:
                parts.append(formula(condition, shapes))
            case ["vnnlib-version", str(_)] | [
                "set-logic" | "set-info" | "set-option" | "check-sat" | "get-model" | "exit",
                *_,
            ]:
                pass
            case _:
                raise InputError(f"has {shown(command)}, which lpnet does not read")
    names = {*inputs, *outputs, ""}
    inputs, outputs = in_order(inputs, "X"), in_order(outputs, "Y")
    whole = flat(Formula(True, tuple(parts)))
    for atom in atoms(whole):
        if not atom.linear.keys() <= names:
            raise InputError(f"speaks of {next(iter(atom.linear.keys() - names))}, which it does not declare")
    walls, rest = list[Atom](), list[Atom | Formula]()
    for part in whole.parts:
        if isinstance(part, Atom) and part.linear.keys() & {*inputs} and not part.linear.keys() & {*outputs}:
            walls.append(part)
        else:
            rest.append(part)
    around = hull(Formula(True, tuple(rest)), {*inputs})
    walls += [Atom({name: Fraction(side), "": -side * end}, False) for (name, side), end in around.items()]
    return Property(tuple(inputs), tuple(outputs), tuple(walls), Formula(True, tuple(rest)))


def hull(part: Atom | Formula, inputs: set[str]) -> Ends:
    """Bounds of single inputs that follow: by the tightest of all parts of an "and", by the loosest of those of an "or"."""
    if isinstance(part, Atom):
        names = part.linear.keys() - {""}
        if len(names) != 1 or not names <= inputs:
            return {}
        (name,) = names
        factor, constant = part.linear[name], part.linear.get("", Fraction(0))
        return {(name, 1 if factor > 0 else -1): -constant / factor}
    found = [hull(inner, inputs) for inner in part.parts]
    keys = {key for ends in found for key in ends if part.every or all(key in other for other in found)}
    return {
        key: (max if part.every == (key[1] > 0) else min)(ends[key] for ends in found if key in ends) for key in sorted(keys)
    }


def declare(entry: Any, inputs: list[str], outputs: list[str], shapes: dict[str, tuple[int, ...]]) -> None:
    """The inputs or outputs of a network of version 2.0."""
    match entry:
        case [("declare-input" | "declare-output") as kind, str(name), str(_), *shape] if len(shape) < 2:
            size = tuple(int(n) for n in shape[0][1:-1].split(",")) if shape and shape[0] != "[]" else ()
            shapes[name] = size
            into = inputs if kind == "declare-input" else outputs
            if into:
                raise InputError(f"has two declarations like {shown(entry)}; wanted one input and one output")
            into += [f"{name}_{k}" for k in range(prod(size))]
        case _:
            raise InputError(f"has {shown(entry)}, which lpnet does not read")


def in_order(names: list[str], letter: str) -> list[str]:
    """Names X_0, X_1, … by their numbers, all of them."""
    numbers = [int(name.rpartition("_")[2]) if re.fullmatch(r".+_[0-9]{1,7}", name) else -1 for name in names]
    if sorted(numbers) != list(range(len(names))):
        raise InputError(f"wanted variables {letter}_0, {letter}_1, … without a gap, got {', '.join(names[:4])} …")
    return [name for _, name in sorted(zip(numbers, names, strict=True))]


def expressions(text: str) -> Iterator[Any]:
    """The lists in brackets that a text consists of."""
    stack: list[list[Any]] = [[]]
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise InputError(f"is no VNN-LIB text at {text[at : at + 20]!r}")
        at, token = found.end(), found.group(1)
        if token == "(":
            stack.append([])
            if len(stack) > DEEPEST:
                raise InputError("is nested too deeply")
        elif token == ")":
            made = stack.pop()
            if not stack:
                raise InputError("closes more brackets than it opens")
            stack[-1].append(made)
        elif token and token[0] == "[" and stack[-1] and not str(stack[-1][0]).startswith("declare-"):
            stack[-1][-1] += token  # X [0] for X[0]
        elif token:
            stack[-1].append(token)
        if len(stack) == 1 and stack[0]:
            yield stack[0].pop()
    if len(stack) > 1:
        raise InputError("ends within brackets")


def formula(condition: Any, shapes: dict[str, tuple[int, ...]]) -> Atom | Formula:
    """An assertion."""
    match condition:
        case ["and" | "or" as word, *parts]:
            return Formula(word == "and", tuple(formula(part, shapes) for part in parts))
        case ["not", part]:
            return negated(formula(part, shapes))
        case ["=>", given, then]:
            return Formula(False, (negated(formula(given, shapes)), formula(then, shapes)))
        case ["!=", first, second]:
            left, right = linear(first, shapes), linear(second, shapes)
            return Formula(False, tuple(Atom(plus(left, right, side), True) for side in (1, -1)))
        case ["<=" | ">=" | "<" | ">" | "=" | "==" as word, first, *others] if others:
            terms = [linear(term, shapes) for term in (first, *others)]
            sides = [(1, False), (-1, False)] if word in ("=", "==") else [RELATIONS[word]]
            pairs = pairwise(terms)
            found = [Atom(plus(left, right, side), strict) for left, right in pairs for side, strict in sides]
            return found[0] if len(found) == 1 else Formula(True, tuple(found))
    raise InputError(f"asserts {shown(condition)}, which lpnet does not read")


def negated(part: Atom | Formula) -> Atom | Formula:
    """That it does not hold."""
    if isinstance(part, Atom):
        return Atom(plus({}, part.linear, 1), not part.strict)
    return Formula(not part.every, tuple(map(negated, part.parts)))


def plus(left: Linear, right: Linear, side: int) -> Linear:
    """side · (left − right)."""
    total = {name: side * (left.get(name, Fraction(0)) - right.get(name, Fraction(0))) for name in {*left, *right}}
    return {name: factor for name, factor in total.items() if factor}


def linear(term: Any, shapes: dict[str, tuple[int, ...]]) -> Linear:
    """A term."""
    if isinstance(term, str):
        if NUMBER.fullmatch(term):
            return {"": Fraction(term)} if Fraction(term) else {}
        return {variable(term, shapes): Fraction(1)}
    parts = [linear(part, shapes) for part in term[1:]]
    match term:
        case ["+", _, *_]:
            return added(parts)
        case ["-", _]:
            return plus({}, parts[0], 1)
        case ["-", _, *_]:
            return plus(parts[0], added(parts[1:]), 1)
        case ["*", _, *_]:
            total: Linear = {"": Fraction(1)}
            for part in parts:
                if total.keys() - {""} and part.keys() - {""}:
                    raise InputError(f"has {shown(term)}, a product of variables, which lpnet does not read")
                one, other = (total, part) if not total.keys() - {""} else (part, total)
                factor = one.get("", Fraction(0))
                total = {name: factor * entry for name, entry in other.items() if factor}
            return total
    raise InputError(f"has {shown(term)}, which lpnet does not read")


def added(parts: Sequence[Linear]) -> Linear:
    """The sum of some."""
    total: Linear = {}
    for part in parts:
        total = plus(total, plus({}, part, 1), 1)
    return total


def variable(token: str, shapes: dict[str, tuple[int, ...]]) -> str:
    """The name of a variable: X[1,2] is X_k, k its place row by row."""
    name, bracket, places = token.partition("[")
    if not bracket:
        return f"{name}_0" if shapes.get(name) == () else name
    indices, shape = [int(n) for n in places[:-1].split(",") if n.strip().isdigit()], shapes.get(name)
    if shape is None or len(indices) != len(shape) or not all(i < n for i, n in zip(indices, shape, strict=True)):
        raise InputError(f"speaks of {token}, which it does not declare")
    return f"{name}_{sum(i * prod(shape[k + 1 :]) for k, i in enumerate(indices))}"


def flat(whole: Formula) -> Formula:
    """The same with no "and" in an "and", nor an "or" in an "or"."""
    parts: list[Atom | Formula] = []
    for part in whole.parts:
        made = flat(part) if isinstance(part, Formula) else part
        while isinstance(made, Formula) and len(made.parts) == 1:
            made = made.parts[0]
        parts += made.parts if isinstance(made, Formula) and made.every == whole.every else [made]
    return Formula(whole.every, tuple(parts))


def atoms(part: Atom | Formula) -> Iterator[Atom]:
    """All atoms of it."""
    if isinstance(part, Atom):
        yield part
    else:
        for inner in part.parts:
            yield from atoms(inner)


def shown(expression: Any) -> str:
    """An expression as it was written, in part."""
    text = expression if isinstance(expression, str) else f"({' '.join(map(shown, expression[:6]))})"
    return text if len(text) < 60 else f"{text[:60]} …"
