"""The pictures of studies show the numbers of the table."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

from lpnet import InputError
from lpnet.cli import app
from lpnet.laws import mixed_bound, one_sign_bound, theorem2_bound
from lpnet.plots.tightness import counted, distribution_figure, draw_study, growth_figure, ratio_figure, training_figure, where
from lpnet.studies.grid import RandomStudy
from lpnet.studies.run import run
from lpnet.studies.trained import TrainedStudy

STUDY = RandomStudy((2, 3, 4, 6), (1, 2, 4), ("positive", "random"), bias=(0.0, 1.0), trials=4, seed=2)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return run(STUDY, tmp_path_factory.mktemp("study"), workers=1)


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_ratio(table):
    columns = counted(table)
    figure = ratio_figure(columns)
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == [
        "signs: positive, bias 0",
        "signs: positive, bias 1",
        "signs: random, bias 0",
        "signs: random, bias 1",
    ]
    shown = np.asarray(panels[1].get_images()[0].get_array())
    for row, d in enumerate(STUDY.inputs):
        for column, n in enumerate(STUDY.relus):
            own = where(columns, signs="positive", bias=1.0, relus=n, inputs=d)["ratio"]
            assert len(own) == STUDY.trials
            assert shown[row, column] == pytest.approx(own.mean())
    written = {text.get_position(): text.get_text() for text in panels[0].texts}
    assert written[(0, 1)] == "1"  # n = 2, d = 2
    border = panels[0].get_lines()[0]
    for x, height in zip(border.get_xdata(), border.get_ydata(), strict=True):
        if x < len(STUDY.relus) - 0.5:  # cells above the border have d ≥ n
            assert [d >= STUDY.relus[int(x + 0.5)] for d in STUDY.inputs] == [k > height for k in range(len(STUDY.inputs))]


def test_growth(table):
    columns = counted(table)
    panels = [axes for axes in growth_figure(columns).axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["d = 1", "d = 2", "d = 4"]
    for axes, d in zip(panels, STUDY.inputs, strict=True):
        assert axes.get_yscale() == "symlog"  # so that a mean of 0 has a place
        assert axes.get_ylim()[0] < 0
        assert all(n == int(n) for n in axes.get_xticks())
        shown = lines(axes)
        means = [where(columns, signs="positive", bias=0.0, relus=n, inputs=d)["needed"].mean() for n in STUDY.relus]
        np.testing.assert_allclose(shown["signs: positive, bias 0"].get_ydata(), means)
        np.testing.assert_array_equal(shown["2ⁿ − 1, Theorem 2"].get_ydata(), [theorem2_bound(n) for n in STUDY.relus])
        bounds = [one_sign_bound(n, d) for n in STUDY.relus]
        np.testing.assert_array_equal(shown["T(n, d), bound for one sign"].get_ydata(), bounds)


def test_distribution(table):
    columns = counted(table)
    panels = [axes for axes in distribution_figure(columns).axes if axes.get_title()]
    for axes, d in zip(panels, STUDY.inputs, strict=True):
        shown = lines(axes)
        needed = where(columns, signs="random", bias=1.0, relus=6, inputs=d)["needed"]
        steps = shown["signs: random, bias 1"]
        for x, share in zip(steps.get_xdata()[:-1], steps.get_ydata()[1:], strict=True):
            assert (needed < x).mean() < share <= (needed <= x).mean()
        assert shown["bound for mixed signs"].get_xdata()[0] == mixed_bound(6, d)
        assert all(needed == int(needed) for needed in axes.get_xticks())
        assert axes.get_xlim()[0] < 0


def test_equal_curves_leave_each_other_to_be_seen(table):
    """A line that lies on others is thinner than all of them, and their bound broader."""
    for draw in (growth_figure, distribution_figure):
        axes = draw(counted(table)).axes[0]
        widths = [line.get_linewidth() for line in axes.get_lines() if "bias" in line.get_label()]
        assert len(widths) == 4
        assert sorted(set(widths), reverse=True) == widths
        assert lines(axes)["T(n, d), bound for one sign"].get_linewidth() > widths[0]


def test_the_legend_of_the_frontier_stands_below_all_panels(table):
    figure = ratio_figure(counted(table))
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert not any(box.overlaps(axes.get_tightbbox()) for axes in figure.axes)


def test_training(tmp_path):
    study = TrainedStudy(("iris", "wine"), (3,), (2,), epochs=(0, 1), trials=2)
    table = run(study, tmp_path, workers=1)
    panels = [axes for axes in training_figure(counted(table)).axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["iris", "wine"]
    ratios = where(counted(table), data="wine", initial="he", epoch=1)["ratio"]
    assert lines(panels[1])["start: he"].get_ydata()[1] == pytest.approx(ratios.mean())
    assert draw_study(table, tmp_path) == [f"{tmp_path / 'training'}.png, .svg: needed / bound, epoch by epoch"]


def test_files(table, tmp_path):
    written = draw_study(table, tmp_path)
    files = sorted(file.name for file in tmp_path.iterdir())
    assert files == [f"{name}{suffix}" for name in ("distribution", "growth", "ratio") for suffix in (".png", ".svg")]
    assert len(written) == 3
    for file in files:
        content = (tmp_path / file).read_bytes()
        if file.endswith(".png"):
            assert content.startswith(b"\x89PNG")
        else:
            assert ElementTree.fromstring(content).tag.endswith("svg")


def test_the_command_draws(tmp_path):
    given = ["--relus", "2:3", "--inputs", "2", "--trials", "1", "--workers", "1", "--out", str(tmp_path), "--pictures"]
    result = CliRunner().invoke(app, ["tightness", *given])
    assert result.exit_code == 0
    assert f"{tmp_path / 'growth'}.png, .svg: needed as n grows" in result.stdout
    assert (tmp_path / "growth.svg").exists()


def test_nothing_to_draw(tmp_path):
    table = run(replace(STUDY, relus=(50,), inputs=(4,), signs=("positive",), bias=(0.0,), max_units=9), tmp_path, workers=1)
    with pytest.raises(InputError, match="no network of the study was counted"):
        draw_study(table, tmp_path)
