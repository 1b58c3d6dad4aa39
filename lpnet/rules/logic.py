"""What a threshold network says as rules: an answer if these tests turn out so, else another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpnet.exact import FloatArray, nearest
from lpnet.networks import SignCircuit, SignNetwork
from lpnet.networks.arrays import full
from lpnet.networks.classifier import Classifier

Threshold = SignNetwork | SignCircuit
Bools = NDArray[np.bool_]
Words = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Rule:
    """An answer where Σ weights · z ≥ least, or > least if `strict`; z = +1 where a test holds and −1 where it does not.

    tests: numbers of half-spaces; answer: its name.
    """

    answer: str
    tests: tuple[int, ...]
    weights: tuple[float, ...]
    least: float
    strict: bool = False

    @property
    def conjunction(self) -> bool:
        """Whether every test has to turn out as its weight's sign says."""
        enough = len(self.tests) - (1.0 if self.strict else 0.0)
        return set(map(abs, self.weights)) <= {1.0} and len(self.tests) - 2 < self.least <= enough

    def at(self, holds: Bools) -> Bools:
        """Where it holds, from where the half-spaces do; (batch, m) → (batch,)."""
        total = np.where(holds[:, list(self.tests)], 1.0, -1.0) @ np.array(self.weights, dtype=np.float64)
        return np.asarray(total > self.least if self.strict else total >= self.least)


@dataclass(frozen=True, eq=False)
class RuleList:
    """The answer of the first rule that holds, else `otherwise`."""

    rules: tuple[Rule, ...]
    otherwise: str

    def answers(self, holds: Bools) -> Words:
        """The answers in words, from where the half-spaces hold; (batch, m) → (batch,)."""
        found = np.full(len(holds), self.otherwise, dtype=object)
        for rule in self.rules[::-1]:
            found[rule.at(holds)] = rule.answer
        return found

    def rows(self, holds: Bools) -> list[int]:
        """How many rows each rule decides, and the last answer; (batch, m)."""
        left, counts = np.ones(len(holds), dtype=bool), []
        for rule in self.rules:
            mine = left & rule.at(holds)
            counts.append(int(mine.sum()))
            left &= ~mine
        return [*counts, int(left.sum())]

    def ordered(self, holds: Bools) -> "RuleList":
        """The same, its rules by how many rows they hold at; all have to have the same answer."""
        order = np.argsort([-int(rule.at(holds).sum()) for rule in self.rules], kind="stable")
        return RuleList(tuple(self.rules[k] for k in order), self.otherwise)

    @property
    def tests(self) -> list[int]:
        """The half-spaces that it asks about."""
        return sorted({test for rule in self.rules for test in rule.tests})


def rule_lists(network: Threshold | Classifier) -> list[RuleList] | None:
    """A threshold network as rules, exactly; None where its output sums up terms with weights.

    One output: a disjunction of conjunctions has a rule for each of these, with the answer +1; a conjunction of disjunctions
    one for each, with the answer −1, where all that it asks for fails. Several: a list for each class; its answer is the class
    or "", and the class of the network is that of the first list that has one.
    """
    if isinstance(network, Classifier):
        found = [rules_of(score, "", network.names[c]) for score, c in zip(network.scores, network.classes, strict=True)]
    else:
        found = [rules_of(network, *network.answer_names)]
    return None if any(one is None for one in found) else [one for one in found if one]


def rules_of(network: Threshold, minus: str, plus: str) -> RuleList | None:
    """The rules of one output."""
    weight, bias = nearest(network.output_weight), float(network.output_bias)
    used, terms = np.flatnonzero(weight), terms_of(network)
    if not len(used):
        return RuleList((), plus if bias >= 0 else minus)
    plain = bool((np.abs(weight[used]) == 1).all())
    if plain and bias == len(used) - 1:
        return RuleList(tuple(_rule(plus, *terms[k], weight[k] > 0) for k in used), minus)
    if plain and bias == 1 - len(used):
        return RuleList(tuple(_rule(minus, *terms[k], weight[k] < 0) for k in used), plus)
    return None if isinstance(network, SignCircuit) else RuleList((_rule(plus, weight, bias, True),), minus)


def terms_of(network: Threshold) -> list[tuple[FloatArray, float]]:
    """The weights on the half-spaces and the bias of each unit that the output reads."""
    if isinstance(network, SignCircuit):
        return list(zip(nearest(full(network.middle_weight)), nearest(network.middle_bias).tolist(), strict=True))
    return [(row, 0.0) for row in np.eye(network.units)]


def _rule(answer: str, weight: FloatArray, bias: float, holds: bool) -> Rule:
    """Where the unit sgn(weight·z + bias) is +1, or where it is −1."""
    used = np.flatnonzero(weight)
    own = weight[used] if holds else -weight[used]
    return Rule(answer, tuple(map(int, used)), tuple(own.tolist()), -bias if holds else bias, not holds)


def first_answers(lists: list[RuleList], holds: Bools) -> Words:
    """The answers of one list, or of the first one that has an answer, else ""."""
    found = lists[-1].answers(holds)
    for one in lists[-2::-1]:
        own = one.answers(holds)
        found = np.where(own != "", own, found)
    return found


def holds_at(network: Threshold | Classifier, points: FloatArray) -> Bools:
    """Where the half-spaces of the first layer hold, exactly; (batch, d) → (batch, m)."""
    first = network.scores[0] if isinstance(network, Classifier) else network
    return np.asarray(first.input_layer.signs(points) >= 0)


def words_at(network: object, points: FloatArray) -> Words:
    """The answers of any network in words; (batch, d) → (batch,)."""
    answers = network(points)  # type: ignore[operator]
    names = network.names if isinstance(network, Classifier) else network.answer_names  # type: ignore[attr-defined]
    return np.array(names, dtype=object)[answers if isinstance(network, Classifier) else (answers > 0).astype(int)]
