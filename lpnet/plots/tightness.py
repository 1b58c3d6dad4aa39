"""Pictures of studies: the half-spaces that many networks need, beside the bounds."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lpnet.errors import InputError
from lpnet.laws import mixed_bound, one_sign_bound, theorem2_bound
from lpnet.plots.figure import BLACK, BLUE, GREY, SKY, VERMILION, new_figure, save_picture
from lpnet.studies.folder import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Columns = dict[str, NDArray[Any]]
Group = tuple[str, dict[str, Any], Columns]  # its name, the line that it is drawn with, its rows

COLOURS = {"positive": BLUE, "half": VERMILION, "random": SKY, "he": BLUE, "glorot": VERMILION}
MARKERS = {"positive": "o", "half": "s", "random": "^", "he": "o", "glorot": "s"}
WORDS = {"signs": "signs: {}", "bias": "bias {:g}", "output_bias": "w0 {}"}
BAND: dict[str, Any] = {"color": "#D0D0D0", "linewidth": 4.5, "zorder": 1}  # so broad that curves that reach it do not hide it
BOUNDS = (
    ("T(n, d), bound for one sign", one_sign_bound, BAND),
    ("bound for mixed signs", mixed_bound, {"color": GREY, "linewidth": 1.2, "linestyle": ":", "zorder": 1}),
)
STYLES = ("-", "--", ":", "-.")  # of the combinations of what else was varied
WIDTHS = 2.6, 0.8  # of lines, from the first to the last: one that lies on another leaves its edges to be seen
MOST_PANELS = 6
MOST_NUMBERS = 15  # of columns, for the cells to have their numbers written in
DARK = 0.55  # of the colour scale; numbers on darker cells are white
WIDTH, PANEL = 6.6, (2.1, 1.8)  # inches, of all panels and of one at least; printed on a page the letters are legible
CELL = 0.24  # inches, of a number in a picture of cells
AFTER_TRAINING = 1  # epochs; the axis is linear up to there, logarithmic beyond


def draw_study(table: Table, folder: Path) -> list[str]:
    """All pictures of a study into a folder, each as PNG and SVG; returns a line on each.

    Raises InputError where no network was counted, and where matplotlib is missing or a file cannot be written.
    """
    columns = counted(table)
    if not len(columns["needed"]):
        raise InputError(f"{folder}: no network of the study was counted; nothing can be drawn")
    lines = []
    for name, (draw, what) in (IN_TRAINING if "epoch" in columns else RANDOM).items():
        figure = draw(columns)
        for suffix in (".png", ".svg"):
            save_picture(figure, folder / f"{name}{suffix}")
        lines.append(f"{folder / name}.png, .svg: {what}")
    return lines


def counted(table: Table) -> Columns:
    """The columns of a study's table, the networks that were counted."""
    import pyarrow.compute as pc

    known = table.filter(pc.is_valid(table["needed"]))
    return {name: known[name].to_numpy() for name in known.column_names}


def ratio_figure(columns: Columns) -> "Figure":
    """The mean of needed / bound for every (n, d), a panel for each group, with the frontier d = n of [PS16] Theorem 2."""
    shown = list(groups(columns))
    relus, inputs = np.unique(columns["relus"]), np.unique(columns["inputs"])
    figure, panels = panelled(len(shown), "needed half-spaces / bound, mean", least=CELL * len(relus), share=True)
    for axes, (name, _, rows) in zip(panels, shown, strict=True):
        table = np.array([[mean_where(rows, "ratio", relus=n, inputs=d) for n in relus] for d in inputs])
        image = axes.imshow(table, cmap="cividis", vmin=0, vmax=1, origin="lower", aspect="auto")
        axes.set_xticks(range(len(relus)), relus)
        axes.set_yticks(range(len(inputs)), inputs)
        axes.set_title(name, fontsize=8.5)
        for (row, column), value in np.ndenumerate(table):
            if len(relus) <= MOST_NUMBERS and np.isfinite(value):
                ink = "white" if value < DARK else "black"
                axes.text(column, row, in_two_digits(value), ha="center", va="center", fontsize=6, color=ink)
        frontier(axes, relus, inputs)
    label(panels, "ReLUs n", "inputs d")
    bar = figure.colorbar(image, ax=panels, aspect=40)
    bar.ax.tick_params(labelsize=7.5)
    bar.set_label("needed / bound", fontsize=8)
    legend(figure, panels[0])
    return figure


def in_two_digits(share: float) -> str:
    """A share rounded, but for those next to 1: only 1 is 1."""
    return "1" if share == 1 else f"{min(share, 0.99):.2f}"[1:]


def frontier(axes: "Axes", relus: NDArray[np.intp], inputs: NDArray[np.intp]) -> None:
    """The border between the cells with d < n, below it, and those with d ≥ n."""
    edges = np.arange(len(relus) + 1) - 0.5
    heights = np.append(np.searchsorted(inputs, relus), np.searchsorted(inputs, relus[-1])) - 0.5
    axes.step(
        edges, heights, where="post", color=VERMILION, linewidth=2.0, label="frontier d = n: above it the bound is 2ⁿ − 1"
    )
    axes.set_ylim(-0.5, len(inputs) - 0.5)


def distribution_figure(columns: Columns) -> "Figure":
    """The share of the networks that need at most so many half-spaces, at the largest n, a panel for each of some d."""
    n = int(columns["relus"].max())
    chosen = some(np.unique(columns["inputs"]))
    figure, panels = panelled(len(chosen), f"how many half-spaces networks of n = {n} ReLUs need")
    for axes, d in zip(panels, chosen, strict=True):
        for name, style, rows in groups(columns):
            needed = np.sort(rows["needed"][(rows["relus"] == n) & (rows["inputs"] == d)])
            axes.step(np.append(needed, needed[-1:]), np.arange(len(needed) + 1) / max(len(needed), 1), label=name, **style)
        for name, law, look in BOUNDS:
            axes.axvline(law(n, int(d)), label=name, **look)
        axes.set_title(f"d = {d}", fontsize=8.5)
        axes.set_xlim(left=-0.03 * axes.get_xlim()[1])  # a line at 0 is not to lie on the frame
        whole_numbers(axes, 5)
    label(panels, "half-spaces", "share that needs no more")
    legend(figure, panels[0])
    return figure


def growth_figure(columns: Columns) -> "Figure":
    """The mean number of needed half-spaces as n grows, on an axis logarithmic from 1 on, a panel for each of some d."""
    relus, chosen = np.unique(columns["relus"]), some(np.unique(columns["inputs"]))
    figure, panels = panelled(len(chosen), "needed half-spaces as n grows, mean", share=True)
    for axes, d in zip(panels, chosen, strict=True):
        for name, style, rows in groups(columns, marker=True):
            means = np.array([mean_where(rows, "needed", relus=n, inputs=d) for n in relus])
            axes.plot(relus, means, label=name, **style)
        for name, law, look in BOUNDS:
            axes.plot(relus, [law(n, int(d)) for n in relus.tolist()], label=name, **look)
        theorem2 = [theorem2_bound(n) for n in relus.tolist()]
        axes.plot(relus, theorem2, label="2ⁿ − 1, Theorem 2", color=BLACK, linewidth=0.8, zorder=1)
        axes.set_title(f"d = {d}", fontsize=8.5)
        axes.set_yscale("symlog", linthresh=1)  # linear from 0 to 1: constant networks need none
        axes.set_ylim(bottom=-0.2)
        whole_numbers(axes, 7)
    label(panels, "ReLUs n", "half-spaces")
    legend(figure, panels[0])
    return figure


def training_figure(columns: Columns) -> "Figure":
    """The mean of needed / bound after so many epochs and its standard error, a panel for each data set."""
    names, epochs = list(dict.fromkeys(columns["data"].tolist())), np.unique(columns["epoch"])
    figure, panels = panelled(len(names), "needed half-spaces / bound in training, mean", share=True)
    for axes, data in zip(panels, names, strict=True):
        for name, style, rows in groups(where(columns, data=data), ("initial",), marker=True):
            parts = [where(rows, epoch=epoch)["ratio"] for epoch in epochs]
            means = np.array([part.mean() for part in parts])
            errors = np.array([part.std() / np.sqrt(len(part)) for part in parts])
            axes.plot(epochs, means, label=f"start: {name}", **style)
            axes.fill_between(epochs, means - errors, means + errors, color=style["color"], alpha=0.2, linewidth=0)
        axes.set_xscale("symlog", linthresh=AFTER_TRAINING)
        axes.set_title(data, fontsize=8.5)
        axes.set_ylim(0, 1)
    label(panels, "epochs", "needed / bound")
    legend(figure, panels[0])
    return figure


RANDOM: dict[str, tuple[Callable[[Columns], Any], str]] = {
    "ratio": (ratio_figure, "needed / bound over n and d"),
    "distribution": (distribution_figure, "how many networks need how many"),
    "growth": (growth_figure, "needed as n grows"),
}
IN_TRAINING: dict[str, tuple[Callable[[Columns], Any], str]] = {
    "training": (training_figure, "needed / bound, epoch by epoch"),
}


def panelled(number: int, title: str, least: float = 0.0, share: bool = False) -> "tuple[Figure, list[Axes]]":
    """A figure with so many panels, as many in a row as a page is wide; `least`: inches that a panel is wide at least."""
    wide = max(PANEL[0], least)
    across = max(1, min(number, int(WIDTH / wide)))
    down = -(-number // across)
    figure = new_figure(max(wide * across, WIDTH / 2) + 0.6, PANEL[1] * down + 1.0)
    grid = figure.subplots(down, across, squeeze=False, sharex=share, sharey=share).ravel()
    for empty in grid[number:]:
        empty.remove()
    for axes in grid[:number]:
        axes.tick_params(labelsize=7.5)
    figure.suptitle(title, fontsize=9.5)
    return figure, list(grid[:number])


def label(panels: "Sequence[Axes]", below: str, beside: str) -> None:
    """The names of the axes, where nothing stands below or on the left."""
    across = panels[0].get_gridspec().ncols  # type: ignore[union-attr]
    for number, axes in enumerate(panels):
        if number + across >= len(panels):
            axes.set_xlabel(below, fontsize=8)
            axes.tick_params(labelbottom=True)
        if number % across == 0:
            axes.set_ylabel(beside, fontsize=8)


def whole_numbers(axes: "Axes", most: int) -> None:
    """Marks below at whole numbers only."""
    axes.locator_params(axis="x", nbins=most, integer=True, min_n_ticks=1)


def legend(figure: "Figure", axes: "Axes") -> None:
    """One legend for all panels, below them."""
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=max(2, int(figure.get_figwidth() // 2)),
        fontsize=7.5,
        frameon=False,
    )


def groups(
    columns: Columns, by: Sequence[str] = ("signs", "weights", "bias", "output_bias"), marker: bool = False
) -> Iterator[Group]:
    """The rows for each combination of these columns as far as they vary.

    The first gives the colour and the marker, if wanted, the others the style; each line is thinner than the one before.
    """
    varied = [name for name in by if len(np.unique(columns[name])) > 1] or list(by[:1])
    combinations = list(dict.fromkeys(zip(*(columns[name].tolist() for name in varied), strict=True)))
    rest = list(dict.fromkeys(combination[1:] for combination in combinations))
    for combination, width in zip(combinations, np.linspace(*WIDTHS, max(len(combinations), 2)), strict=False):
        values = dict(zip(varied, combination, strict=True))
        style = {"color": COLOURS.get(str(combination[0]), BLACK), "linewidth": width}
        style["linestyle"] = STYLES[rest.index(combination[1:]) % len(STYLES)]
        if marker:
            style |= {"marker": MARKERS.get(str(combination[0]), "o"), "markersize": 2 * width, "markerfacecolor": "white"}
        words = (WORDS.get(name, "{}").format(value) for name, value in values.items())
        yield ", ".join(words), style, where(columns, **values)


def where(columns: Columns, **values: Any) -> Columns:
    """The rows with these values."""
    kept = np.all([columns[name] == value for name, value in values.items()], axis=0)
    return {name: column[kept] for name, column in columns.items()}


def mean_where(columns: Columns, name: str, **values: Any) -> float:
    """The mean of a column over the rows with these values; NaN where there are none."""
    found = where(columns, **values)[name]
    return float(found.mean()) if len(found) else np.nan


def some(values: NDArray[Any]) -> list[Any]:
    """At most six of them, evenly spread, with the first and the last."""
    chosen = np.unique(np.linspace(0, len(values) - 1, MOST_PANELS).round().astype(int))
    return [values[k] for k in chosen]
