"""Figure 4 of [PS16]: what networks make of labelled points, as grouped bars."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from lpnet.learning.learners import LEARNERS, PAPER
from lpnet.learning.table import Row, summary
from lpnet.plots.figure import BLACK, BLUE, GREEN, GREY, ORANGE, SKY, VERMILION, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Group = tuple[int, int]  # ReLUs and inputs of a group of bars
FURTHER = ("tanh_subsets", "random_subsets", "tanh_needed", "straight_through")
COLOURS = {
    "relu": BLUE, "tanh_relus": VERMILION, "tanh_subsets": SKY, "random_subsets": GREY,
    "tanh_needed": ORANGE, "straight_through": GREEN,
}  # fmt: skip
LINES = ((BLUE, "o", "-"), (VERMILION, "s", "-"), (GREEN, "^", "-"), (SKY, "o", "--"), (ORANGE, "s", "--"), (BLACK, "^", "--"))


def learning_figure(rows: list[Row]) -> Figure:
    """Three charts: the paper's learners in the paper's arrangement; lpnet's; the exact equivalent as start.

    Full bars are test errors, the paler ones beside them training errors; the lines on them are standard errors over networks.
    """
    lines = summary(rows)
    figure = new_figure(6.9, 7.8)
    paper, further, exact = figure.subplots(3, 1)
    draw_bars(paper, lines, PAPER)
    draw_bars(further, lines, FURTHER)
    draw_exact_start(exact, [line for line in lines if line["learner"] == "exact_start"])
    paper.set_title("the paper's three learners", fontsize=9)
    further.set_title("threshold units further", fontsize=9)
    exact.set_title("trained from the exact threshold equivalent", fontsize=9)
    return figure


def draw_bars(axes: Axes, lines: list[Row], learners: tuple[str, ...]) -> None:
    """A group of bars a setting, two bars a learner."""
    groups, width = settings(lines), 0.84 / len(learners)
    for number, name in enumerate(learners):
        found = {(line["relus"], line["inputs"]): line for line in lines if line["learner"] == name}
        for half, (kind, alpha) in enumerate((("test_error", 1.0), ("train_error", 0.45))):
            axes.bar(
                [group - 0.42 + width * (number + 0.47 * half) for group in range(len(groups))],
                [found[setting][kind] for setting in groups],
                0.47 * width,
                yerr=[found[setting][f"{kind}_se"] for setting in groups],
                align="edge",
                color=COLOURS[name],
                alpha=alpha,
                label=None if half else LEARNERS[name].label,
                error_kw={"elinewidth": 0.8, "ecolor": "#222222"},
            )
    axes.set_xticks(range(len(groups)), [f"{relus} ReLUs\nd = {inputs}" for relus, inputs in groups])
    axes.set_ylabel("error (pale: training)")
    top_legend(axes, 2 if len(learners) == 4 else 3)


def draw_exact_start(axes: Axes, lines: list[Row]) -> None:
    """A line a setting: the test error at the start and after training, against the learning rate."""
    for setting, (colour, marker, style) in zip(settings(lines), cycle(LINES)):
        found = sorted((line for line in lines if (line["relus"], line["inputs"]) == setting), key=lambda line: line["rate"])
        axes.errorbar(
            range(len(found)),
            [line["test_error"] for line in found],
            [line["test_error_se"] for line in found],
            color=colour,
            marker=marker,
            linestyle=style,
            markersize=4,
            linewidth=1.2,
            label=f"{setting[0]} ReLUs, d = {setting[1]}",
        )
    rates = sorted({line["rate"] for line in lines})
    axes.set_xticks(range(len(rates)), [f"{rate:g}" if rate else "start" for rate in rates])
    axes.set_xlabel("learning rate")
    axes.set_ylabel("test error")
    top_legend(axes, 3)


def top_legend(axes: Axes, columns: int) -> None:
    """A legend with room of its own above what is drawn."""
    axes.margins(y=0.35)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8, ncols=columns, frameon=False, loc="upper center")


def settings(lines: list[Row]) -> list[Group]:
    """The groups in the order of the table."""
    return list(dict.fromkeys((line["relus"], line["inputs"]) for line in lines))
