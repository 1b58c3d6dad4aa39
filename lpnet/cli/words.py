"""The words of tables: one for each thing, whatever its key in --json; and what an answer means."""

import logging
from collections.abc import Collection
from typing import Any

from lpnet.console import log, print_answers, printable, shown

SHOWN = {
    "relus": "ReLUs",
    "relus_before": "ReLUs before",
    "layers": "hidden layers",
    "hidden_units": "hidden units",
    "positive": "positive output weights",
    "negative": "negative output weights",
    "candidates": "Theorem 1 offers",
    "units": "needed half-spaces",
    "needed_units": "needed half-spaces",
    "sign_units": "half-spaces before",
    "units_before": "units before",
    "pieces": "boundary pieces",
    "constant": "always answers",
    "circuit": "threshold network",
    "first_layer": "its half-spaces",
    "second_layer": "its terms",
    "at_least": "terms at least",
    "reduced_first": "Theorem 1 reduced: half-spaces",
    "reduced_second": "Theorem 1 reduced: terms",
    "theorem1_second": "Theorem 1: terms",
    "rows": "rows of data",
    "accuracy": "rows decided right",
    "fidelity": "rows decided alike",
    "separating": "half-spaces that separate rows",
    "never_active": "units that never fire there",
    "always_active": "units that always fire there",
    "lower_bound": "ReLUs at least",
    "bends": "bends",
    "least_bends": "bends at least",
    "ridges": "ridges",
    "error": "half-spaces moved by",
    "output_bias": "output bias",
    "examples": "rows of data",
    "standard_error": "standard error",
    "cells_standard_error": "standard error of cells",
    "lines_drawn": "lines drawn",
    "lines_with_pieces": "lines with pieces",
    "pieces_met": "pieces met",
    "estimated_units": "needed half-spaces, estimated",
    "estimated_pieces": "boundary pieces, estimated",
    "estimated_cells": "cells, estimated",
    "low_95%": "95 % sure: from",
    "high_95%": "95 % sure: to",
    "proved_at_least": "proved: at least",
    "proved_at_most": "proved: at most",
    "complete": "complete",
}
INTERNAL = ("programs", "engine", "reason", "positive", "negative", "lines_in_all", "worth_equal_lines", "margin", "gap")


def verbose() -> bool:
    """Whether -v was given."""
    return log.isEnabledFor(logging.DEBUG)


def in_words(row: dict[str, Any]) -> dict[str, Any]:
    """A row under the words of people."""
    return {SHOWN.get(name, name): value for name, value in row.items()}


def print_rows(rows: list[dict[str, Any]], details: Collection[str] = ()) -> None:
    """Rows under the words of people, without what is of the search alone unless -v was given."""
    hidden = () if verbose() else INTERNAL
    print_answers(
        [in_words({name: value for name, value in row.items() if name not in hidden}) for row in rows],
        [SHOWN.get(name, name) for name in details],
    )


def closing(*sentences: str) -> None:
    """What an answer means, and what to do next."""
    if said := [sentence for sentence in sentences if sentence]:
        print("", *(printable(line) for sentence in said for line in sentence.split("\n")), sep="\n")


def plural(count: Any, one: str, many: str = "") -> str:
    """A number of things."""
    return (
        f"{count:,} {one if count == 1 else many or f'{one}s'}"
        if isinstance(count, int)
        else f"{shown(count)} {many or f'{one}s'}"
    )
