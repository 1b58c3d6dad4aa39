"""Figure 4 of [PS16]: what networks make of labelled points, as grouped bars."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.figure import Figure

from lpnet.io import replacing
from lpnet.learning.learners import LEARNERS
from lpnet.learning.table import Row, summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Group = tuple[int, int]  # ReLUs and inputs of a group of bars

COLOURS = {
    "relu": "#7b5aa6", "tanh_relus": "#c8473d", "tanh_subsets": "#5a9e4b", "random_subsets": "#b5d3a8",
    "tanh_needed": "#c9a227", "straight_through": "#2f7fb8",
}  # fmt: skip


def draw_figure4(rows: list[Row], file: Path) -> Path:
    """A PNG: above, grouped bars of the test error, the training error beside each as a paler bar; below, the exact start.

    Error bars are standard errors over networks.
    """
    lines = summary(rows)
    figure = Figure(figsize=(9, 7.2), layout="constrained")
    bars, kept = figure.subplots(2, 1, height_ratios=(3, 2))
    settings = list(dict.fromkeys((line["relus"], line["inputs"]) for line in lines))
    _draw_bars(bars, [line for line in lines if line["learner"] in COLOURS], settings)
    _draw_exact_start(kept, [line for line in lines if line["learner"] == "exact_start"], settings)
    with replacing(file) as out, matplotlib.rc_context({"font.size": 9}):
        figure.savefig(out, format="png", dpi=100)
    return file


def _draw_bars(axes: Axes, lines: list[Row], settings: list[Group]) -> None:
    width = 0.86 / len(COLOURS)
    for number, (name, colour) in enumerate(COLOURS.items()):
        chosen = {(line["relus"], line["inputs"]): line for line in lines if line["learner"] == name}
        left = [group - 0.43 + width * number for group in range(len(settings))]
        half = width * 0.46
        for shift, kind, alpha in ((0.0, "test_error", 1.0), (half, "train_error", 0.45)):
            heights = [chosen[setting][kind] for setting in settings]
            errors = [chosen[setting][f"{kind}_se"] for setting in settings]
            label = LEARNERS[name].label if kind == "test_error" else None
            axes.bar(
                [at + shift for at in left], heights, half, yerr=errors, align="edge", color=colour, alpha=alpha, label=label,
                error_kw={"elinewidth": 0.7, "ecolor": "#333333"},
            )  # fmt: skip
    axes.set_xticks(range(len(settings)), [f"{relus} ReLUs\nd = {inputs}" for relus, inputs in settings])
    axes.set_ylabel("error (full: test, pale: training)")
    axes.legend(fontsize=8, ncols=2, frameon=False)


def _draw_exact_start(axes: Axes, lines: list[Row], settings: list[Group]) -> None:
    for setting in settings:
        chosen = sorted((line for line in lines if (line["relus"], line["inputs"]) == setting), key=lambda line: line["rate"])
        heights, errors = ([line[name] for line in chosen] for name in ("test_error", "test_error_se"))
        axes.errorbar(
            range(len(chosen)), heights, errors, marker="o", ms=3, lw=1, label=f"{setting[0]} ReLUs, d = {setting[1]}"
        )
    rates = sorted({line["rate"] for line in lines})
    axes.set_xticks(range(len(rates)), ["start" if rate == 0 else f"{rate:g}" for rate in rates])
    axes.set_xlabel("the exact threshold equivalent as start: learning rate of the training that followed")
    axes.set_ylabel("test error")
    axes.legend(fontsize=8, ncols=2, frameon=False)
