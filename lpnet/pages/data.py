"""The parts of a page about data, and the rules of a threshold network."""

from typing import Any

from lpnet.errors import InputError
from lpnet.io.text import described_logic
from lpnet.networks.classifier import Classifier
from lpnet.networks.examples import Examples
from lpnet.pages.page import Part
from lpnet.pages.parts import RULES
from lpnet.rules import rules
from lpnet.rules.rules import Rules, inequality
from lpnet.rules.seen import hidden_units

KEEP = 0.99
MOST_ROWS = 10  # half-spaces and rules shown
LONGEST = 3000  # characters of logic


def data_part(answer: Any) -> Part:
    """What the rows say: how many are decided how, which half-spaces divide them, which units never fire."""
    found, network = answer.seen, answer.network
    facts = [("rows", f"{found.rows:,}")]
    facts += [(f"decided {name}", f"{count:,}") for name, count in found.decided.items()]
    if found.accuracy is not None:
        facts.append(("decided right", f"{found.accuracy:.1%}"))
    if found.separating is not None:
        facts.append(("half-spaces that separate rows", f"{found.separating:,} of {answer.units:,}"))
    kind, units = hidden_units(network)
    facts.append((f"{kind} that never fire there", numbered(found.never_active, units)))
    facts.append((f"{kind} that always fire there", numbered(found.always_active, units)))
    constant = answer.examples.constants
    if constant:
        names = ", ".join(f"{network.input_names[k]} = {float(x):.6g}" for k, x in list(constant.items())[:MOST_ROWS])
        facts.append(("the same in all rows, and substituted", names + ", …" * (len(constant) > MOST_ROWS)))
    rows: list[tuple[str, ...]] = [("half-space", "holds where", "rows that hold", "do not")]
    weight, bias = answer.hidden_layer.floats
    for k in found.largest(MOST_ROWS):
        count = found.rows_that_hold[k]
        text = str(inequality(weight[k], bias[k], network.input_names, 3)[-1])
        rows.append((f"h{k + 1}", text, f"{count:,}", f"{found.rows - count:,}"))
    said = ["The page is about the box around these rows; they all lie inside it."]
    if len(rows) > 1 and found.separating > MOST_ROWS:
        said.append(f"The {MOST_ROWS} half-spaces that divide the rows most evenly:")
    return Part("The data", said, facts, table=rows if len(rows) > 1 else [])


def numbered(units: tuple[int, ...], count: int) -> str:
    """How many, and which, from 1."""
    listed = ", ".join(str(k + 1) for k in units[:MOST_ROWS])
    return f"{len(units)} of {count}" + (f": {listed}{', …' * (len(units) > MOST_ROWS)}" if units else "")


def rules_part(network: Any, rows: Examples | None, answer: Any = None) -> Part:
    """A threshold network in rules: few of them first, where there are data."""
    first = network.scores[0] if isinstance(network, Classifier) else network
    if not first.units:
        return Part(RULES, text=described_logic(network))
    try:
        made = rules(network, 3, rows, KEEP if rows else None)
    except InputError:
        return Part(RULES, text=described_logic(network)[:LONGEST])
    said = [] if rows else ["A rule counts where its tests do; “h1” where the inequality of half-space h1 holds."]
    return Part(RULES, [*said, *summary(made)], blocks=list(made.blocks(MOST_ROWS)))


def summary(made: Rules) -> list[str]:
    """What is readable about it, in a sentence."""
    if made.few is None or made.fidelity is None:
        return []
    tests = len(made.few.tests)
    subject = f"{tests} half-space{'s keep' if tests != 1 else ' keeps'}"
    return [f"{subject} {made.fidelity:.1%} of the decisions on the data; all of them, every one."]
