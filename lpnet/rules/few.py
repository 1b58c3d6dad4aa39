"""Few rules on given half-spaces that keep most of a network's decisions on data: readable, and not exact."""

from collections.abc import Iterator, Sequence

import numpy as np

from lpnet.exact import FloatArray
from lpnet.rules.logic import Bools, Rule, RuleList, Words

MOST_TESTS = 6  # of a rule


def few_rules(holds: Bools, answers: Words, keep: float) -> RuleList:
    """The shortest of several rule lists with at least a share `keep` of the answers; holds: (N, m); answers: (N,).

    For each answer as the last one: rules for the others, the rarest first, grown test by test (the test that gains most, as in
    FOIL), then shortened while enough answers are kept. Greedy: there may be shorter ones.
    """
    kinds = np.unique(answers.astype(str), return_inverse=True)[1]
    _, where, counts = np.unique(np.column_stack([holds, kinds]), axis=0, return_index=True, return_counts=True)
    different = useful_tests(holds)
    signs, words, weights = holds[where][:, different], answers[where], counts.astype(float)
    names = sorted(set(words.tolist()), key=lambda name: weights[words == name].sum())
    made = [shortened(grown(signs, words, weights, names, last, keep), signs, words, weights, keep) for last in names]
    best = min(made, key=lambda one: (len(one.rules), sum(len(rule.tests) for rule in one.rules)))
    return RuleList(tuple(renumbered(rule, different) for rule in best.rules), best.otherwise)


def useful_tests(holds: Bools) -> list[int]:
    """Half-spaces that separate rows, one of several that separate them alike."""
    seen: dict[bytes, int] = {}
    for k, column in enumerate(holds.T):
        if column.any() and not column.all():
            seen.setdefault((column ^ column[0]).tobytes(), k)
    return list(seen.values())


def grown(signs: Bools, words: Words, weights: FloatArray, names: Sequence[str], last: str, keep: float) -> RuleList:
    """Rules for all answers but the last one, until few enough rows are wrong."""
    allowed = (1 - keep) * weights.sum()
    left, found = np.ones(len(signs), dtype=bool), list[Rule]()
    for name in names:
        if name == last:
            continue
        wanted = words == name
        while (weights @ (left & wanted)) > allowed / len(names):
            rule = one_rule(name, signs, left & wanted, left & ~wanted, weights)
            mine = rule.at(signs) & left
            if not (mine & wanted).any():
                break
            found.append(rule)
            left &= ~mine
    return RuleList(tuple(found), last)


def one_rule(name: str, signs: Bools, wanted: Bools, unwanted: Bools, weights: FloatArray) -> Rule:
    """A conjunction that holds at many wanted rows and no unwanted one, or at few."""
    tests, sides = list[int](), list[float]()
    good, bad = wanted.copy(), unwanted.copy()
    while bad.any() and len(tests) < MOST_TESTS:
        scores = list(gains(signs, good, bad, weights))
        k = int(np.argmax(scores))
        test, side = divmod(k, 2)
        kept = signs[:, test] == bool(side)
        if scores[k] <= 0:
            break
        tests.append(test)
        sides.append(1.0 if side else -1.0)
        good, bad = good & kept, bad & kept
    return Rule(name, tuple(tests), tuple(sides), float(len(tests)))


def gains(signs: Bools, good: Bools, bad: Bools, weights: FloatArray) -> Iterator[float]:
    """FOIL's gain of each test, failing and holding: wanted rows that stay, times how much purer they are."""
    p, n = weights @ good, weights @ bad
    positive, negative = (weights * good) @ signs, (weights * bad) @ signs
    for a, b in zip(positive.tolist(), negative.tolist(), strict=True):
        for stay, wrong in ((p - a, n - b), (a, b)):
            yield stay * float(np.log2((stay / (stay + wrong)) / (p / (p + n)))) if stay else 0.0


def shortened(found: RuleList, signs: Bools, words: Words, weights: FloatArray, keep: float) -> RuleList:
    """Without rules and tests that can be left out one by one."""

    def enough(one: RuleList) -> bool:
        return bool(weights @ (one.answers(signs) == words) >= keep * weights.sum())

    rules = list(found.rules)
    for k in reversed(range(len(rules))):
        if enough(fewer := RuleList((*rules[:k], *rules[k + 1 :]), found.otherwise)):
            rules = list(fewer.rules)
    for k, rule in enumerate(rules):
        for test in rule.tests:
            pairs = [(t, w) for t, w in zip(rules[k].tests, rules[k].weights, strict=True) if t != test]
            if not pairs:
                continue
            tests, sides = zip(*pairs, strict=True)
            changed = [*rules[:k], Rule(rule.answer, tests, sides, float(len(tests))), *rules[k + 1 :]]
            if enough(RuleList(tuple(changed), found.otherwise)):
                rules = changed
    return RuleList(tuple(rules), found.otherwise)


def renumbered(rule: Rule, numbers: Sequence[int]) -> Rule:
    """The same on tests with other numbers."""
    return Rule(rule.answer, tuple(numbers[k] for k in rule.tests), rule.weights, rule.least, rule.strict)
