"""The rules of a threshold network, for people: exactly, and few of them; with what they say about data."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape

import numpy as np

from lpnet.brief import brief
from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.networks.classifier import Classifier
from lpnet.networks.examples import Examples
from lpnet.rules.few import few_rules
from lpnet.rules.logic import Bools, Rule, RuleList, Threshold, first_answers, holds_at, rule_lists, words_at

MOST_SHOWN = 40  # rules and half-spaces of a page; all of them with every digit in a .txt file


@dataclass(frozen=True)
class Block:
    """A piece of a page: a heading, a sentence, or a table, its first row the header."""

    heading: str = ""
    text: str = ""
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, eq=False)
class Rules:
    """A threshold network in rules: `text()`, `markdown()`, `html()`; printed, the text.

    lists: the rules, exactly those of the network; one list, or for several outputs one a class, see `rule_lists`; digits: of
    the numbers shown, None for all; examples: rows that are counted; few: rules that keep a share `keep` of its answers there.
    """

    network: Threshold | Classifier
    lists: list[RuleList]
    digits: int | None
    examples: Examples | None
    few: RuleList | None
    keep: float | None

    __repr__ = brief("digits", "keep")

    @cached_property
    def holds(self) -> Bools | None:
        """Where the half-spaces hold, (rows, m)."""
        return None if self.examples is None else holds_at(self.network, self.examples.points)

    @property
    def fidelity(self) -> float | None:
        """The share of the rows at which `few` answers like the network."""
        if self.few is None or self.examples is None or self.holds is None:
            return None
        return float(np.mean(self.few.answers(self.holds) == words_at(self.network, self.examples.points)))

    @property
    def rounded_fidelity(self) -> float | None:
        """The share of the rows at which the rules answer like the network with their numbers as they are shown."""
        if self.examples is None:
            return None
        rows = np.array([numbers for *numbers, _ in self.inequalities])
        if not len(rows):
            return 1.0
        holds = self.examples.points @ rows[:, :-1].T >= rows[:, -1]
        return float(np.mean(first_answers(self.lists, holds) == words_at(self.network, self.examples.points)))

    @cached_property
    def inequalities(self) -> list[list[float | str]]:
        """Of each half-space the numbers of Σ v_k x_k ≥ t as they are shown, the largest |v_k| being 1, then the text."""
        weight, bias = (self.network.scores[0] if isinstance(self.network, Classifier) else self.network).input_layer.floats
        return [inequality(row, b, self.network.input_names, self.digits) for row, b in zip(weight, bias, strict=True)]

    def text(self) -> str:
        """In words."""
        return "\n".join(line for block in self.blocks() for line in plain(block))

    def markdown(self) -> str:
        """As Markdown."""
        return "\n".join(line for block in self.blocks() for line in marked(block))

    def html(self) -> str:
        """As HTML, without a page around it."""
        return "\n".join(line for block in self.blocks() for line in tagged(block))

    _repr_html_ = html
    __str__ = text

    def blocks(self, most: int = MOST_SHOWN) -> Iterator[Block]:
        """What all forms say; of rules and half-spaces so many."""
        if self.few:
            assert self.examples
            assert self.fidelity is not None
            kept = round(self.fidelity * self.examples.rows)
            yield Block(
                "In short", f"{kept:,} of {self.examples.rows:,} rows as the network decides them ({self.fidelity:.1%})."
            )
            yield self.rule_table(self.few, most)
            yield Block(table=self.test_table(self.few.tests))
        yield Block("Exactly" if self.few else "Rules", self.exactness())
        for one in self.lists:
            yield self.rule_table(one, most)
        order = self.order()
        if order:
            yield Block(table=self.test_table(order[:most]))
        if len(order) > most:
            yield Block(text=f"… and {len(order) - most:,} half-spaces more; a .txt file without --digits has all.")

    def exactness(self) -> str:
        """What is exact about it."""
        several = " The class is that of the first list whose rules name one." if len(self.lists) > 1 else ""
        text = f"The same decisions as the network, everywhere{' it was asked about'}.{several}"
        if self.digits is not None:
            text += f" Numbers are shown in {self.digits} digits"
            share = self.rounded_fidelity
            text += "." if share is None else f": so rounded, they decide {share:.1%} of the rows alike."
        return text

    def order(self) -> list[int]:
        """The half-spaces, those first that decide most rows."""
        tests = sorted({test for one in self.lists for test in one.tests})
        return tests if self.holds is None else sorted(tests, key=lambda k: (-self.decided[k], k))

    @cached_property
    def decided(self) -> list[int]:
        """At how many rows the answer would be another one if only this half-space turned out the other way."""
        assert self.holds is not None
        answers, counts = first_answers(self.lists, self.holds), []
        for k in range(self.holds.shape[1]):
            turned = self.holds.copy()
            turned[:, k] ^= True
            counts.append(int(np.sum(first_answers(self.lists, turned) != answers)))
        return counts

    def rule_table(self, one: RuleList, most: int) -> Block:
        """A list of rules, those first that decide most rows, as far as their order is free."""
        free = len({rule.answer for rule in one.rules}) < 2
        one = one.ordered(self.holds) if free and self.holds is not None and one.rules else one
        counts = one.rows(self.holds) if self.holds is not None else []
        rows: list[tuple[str, ...]] = [(rule.answer or "none of these", f"if {condition(rule)}") for rule in one.rules]
        last = (one.otherwise or "go on", "otherwise" if rows else "always")
        table = [*rows, last]
        if counts:
            table = [(*row, f"{count:,}") for row, count in zip(table, counts, strict=True)]
        left = len(table) - most - 1
        shown = table if left <= 0 else [*table[:most], ("…", f"{left:,} rules more"), table[-1]]
        width = len(table[0])
        return Block(table=(("answer", "where", "rows")[:width], *(tuple((*row, "", "")[:width]) for row in shown)))

    def test_table(self, tests: list[int]) -> tuple[tuple[str, ...], ...]:
        """The half-spaces, and on how many rows they hold."""
        rows = [(f"h{k + 1}", str(self.inequalities[k][-1])) for k in tests]
        if self.holds is None:
            return (("half-space", "holds where"), *rows)
        counts = self.holds.sum(axis=0)
        total = len(self.holds)
        more = [(f"{counts[k]:,}", f"{total - counts[k]:,}", f"{self.decided[k]:,}") for k in tests]
        return (
            ("half-space", "holds where", "rows that hold", "do not", "decided by it"),
            *((*a, *b) for a, b in zip(rows, more, strict=True)),
        )


def rules(
    network: Threshold | Classifier, digits: int | None = 3, examples: Examples | None = None, keep: float | None = None
) -> Rules:
    """The rules of a threshold network.

    digits: significant ones of the numbers shown, None for all; keep: a share of the decisions on the examples that few rules
    are to keep. Raises InputError for weights between terms, of which no list can be made, and for `keep` without examples.
    """
    lists = rule_lists(network)
    if lists is None:
        raise InputError("rules: wanted a disjunction or a conjunction of terms, got an output that weighs them")
    if digits is not None and (isinstance(digits, bool) or not isinstance(digits, int) or digits < 1):
        raise InputError(f"digits: wanted a whole number of at least 1, or None, got {digits!r}")
    if keep is None:
        return Rules(network, lists, digits, examples, None, None)
    if examples is None:
        raise InputError("keep: wanted data, too, on which decisions are counted")
    if not 0 < keep <= 1:
        raise InputError(f"keep: wanted a share between 0 and 1, got {keep!r}")
    few = few_rules(holds_at(network, examples.points), words_at(network, examples.points), keep)
    return Rules(network, lists, digits, examples, few, keep)


def inequality(weight: FloatArray, bias: float, names: list[str], digits: int | None) -> list[float | str]:
    """v·x ≥ −c divided by the largest |v_k|, its numbers in so many digits, and the text; −x ≥ t as x ≤ −t."""
    size = float(np.abs(weight).max(initial=0.0)) or 1.0
    numbers = [entry / size for entry in (*weight.tolist(), -bias)]
    if digits is not None:
        numbers = [float(f"{entry:.{digits}g}") for entry in numbers]
    used = [(v, name) for v, name in zip(numbers, names, strict=False) if v]
    flip = bool(used) and all(v < 0 for v, _ in used)
    terms = [(-v if flip else v, name) for v, name in used]
    left = "".join(f" {'−' if v < 0 else '+'} {'' if abs(v) == 1 else f'{number(abs(v))} '}{name}" for v, name in terms)
    left = (
        left.removeprefix(" + ").removeprefix(" ").replace("− ", "−", 1) if left.startswith(" −") else left.removeprefix(" + ")
    )
    right = number(-numbers[-1] if flip else numbers[-1])
    return [*numbers, f"{left or '0'} {'≤' if flip else '≥'} {right}"]


def number(value: float) -> str:
    """The shortest text that is this float, a whole number without a point."""
    return repr(value + 0.0).removesuffix(".0").replace("-", "−")


def condition(rule: Rule) -> str:
    """When a rule holds, in words."""
    if rule.conjunction:
        return (
            " and ".join(f"h{t + 1}" if w > 0 else f"not h{t + 1}" for t, w in zip(rule.tests, rule.weights, strict=True))
            or "always"
        )
    signs = set(map(abs, rule.weights))
    literals = [f"h{t + 1}" if w > 0 else f"not h{t + 1}" for t, w in zip(rule.tests, rule.weights, strict=True)]
    if signs == {1.0}:
        count = int(
            np.floor((rule.least + len(literals)) / 2) + 1 if rule.strict else np.ceil((rule.least + len(literals)) / 2)
        )
        return " or ".join(literals) if count == 1 else f"{count} of {', '.join(literals)}"
    points = " ".join(
        f"{'−' if w < 0 else '+'} {number(abs(w))} h{t + 1}" for t, w in zip(rule.tests, rule.weights, strict=True)
    )
    return (
        f"{points.removeprefix('+ ')} {'>' if rule.strict else '≥'} {number(rule.least)} (h being +1 where it holds, else −1)"
    )


def plain(block: Block) -> Iterator[str]:
    """A block in lines."""
    if block.heading:
        yield from (block.heading, "=" * len(block.heading))
    if block.text:
        yield block.text
    if block.table:
        widths = [max(map(len, column)) for column in zip(*block.table, strict=True)]
        for row in block.table:
            yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield ""


def marked(block: Block) -> Iterator[str]:
    """A block in Markdown."""
    if block.heading:
        yield from (f"## {block.heading}", "")
    if block.text:
        yield from (block.text, "")
    if block.table:
        head, *rows = [[cell.replace("|", "\\|") for cell in row] for row in block.table]
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        yield from (f"| {' | '.join(row)} |" for row in rows)
        yield ""


def tagged(block: Block) -> Iterator[str]:
    """A block in HTML."""
    if block.heading:
        yield f"<h2>{escape(block.heading)}</h2>"
    if block.text:
        yield f"<p>{escape(block.text)}</p>"
    if block.table:
        head, *rows = [[escape(cell) for cell in row] for row in block.table]
        body = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in rows)
        yield f"<table><tr><th>{'</th><th>'.join(head)}</th></tr>{body}</table>"
