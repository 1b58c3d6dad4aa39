"""What notebooks show of an answer."""

from html import escape
from typing import Any

from lpnet.rules.seen import hidden_units


def card(answer: Any) -> str:
    """A small table in HTML."""
    network, rows = answer.network, list[tuple[str, str]]()
    at_least = "" if answer.complete else "at least "
    rows.append(("inputs", ", ".join(network.input_names[:8]) + ", …" * (network.inputs > 8)))
    kind, units = hidden_units(network)
    rows.append((kind, f"{units:,}"))
    rows.append(("needed half-spaces", f"{at_least}{answer.units:,}"))
    if getattr(answer, "candidates", None):
        rows.append(("Theorem 1 offers", f"{answer.candidates:,}"))
    if answer.examples is not None:
        found = answer.seen
        rows.append(("rows of data", f"{found.rows:,}"))
        if found.accuracy is not None:
            rows.append(("decided right", f"{found.accuracy:.1%}"))
        if found.separating is not None:
            rows.append(("half-spaces that separate rows", f"{found.separating:,}"))
        rows.append((f"{kind} that never fire there", f"{len(found.never_active):,}"))
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{body}</table>"
