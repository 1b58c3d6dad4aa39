"""What a person at a terminal sees: tables, networks in a few words, progress."""

import logging
import math
import shutil
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lpnet.exact import nearest
from lpnet.networks import ReLUNetwork, SignCircuit, SignNetwork, StepNetwork
from lpnet.networks.arrays import full, is_sparse
from lpnet.networks.classifier import Classifier
from lpnet.networks.trees import TreeEnsemble
from lpnet.watch import Watch

PROGRESS_AFTER = 1.0  # seconds
LINE_EVERY = 10.0
log = logging.getLogger("lpnet")
WORDS = ("file", "engine", "reason", "verdict", "circuit", "threshold network", "classes", "class", "half-space", "holds where")


def fail(sentence: str) -> None:
    """One sentence on stderr."""
    print(f"lpnet: {printable(sentence)}", file=sys.stderr)


def printable(text: str) -> str:
    """The text with what a terminal would obey or could not show, as in the name of some file, in Python's notation."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class Lines(logging.Handler):
    """Each message as a line on stderr as it is at that moment: a bar puts itself below."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print it."""
        print(self.format(record), file=sys.stderr)


def log_to_stderr(level: str) -> Callable[[], None]:
    """Show what lpnet logs from this level on: INFO is progress, DEBUG what is read, done and written. Returns the way back."""
    handler, before = Lines(), log.level
    log.addHandler(handler)
    log.setLevel(level)

    def undo() -> None:
        log.removeHandler(handler)
        log.setLevel(before)

    return undo


def print_answers(rows: list[dict[str, Any]], details: Collection[str] = ()) -> None:
    """A single row as a list, several as a table without the details, or as lists where the terminal is too narrow for it.

    What no row has a value for is left out.
    """
    every = dict.fromkeys(name for row in rows for name in row)
    rows = [every | row for row in rows]
    names = [name for name in every if any(row[name] is not None for row in rows)]
    if all(row.get("complete", True) for row in rows):
        names = [name for name in names if name != "complete"]
    lines = table_lines([{name: row[name] for name in names if name not in details} for row in rows])
    narrow = sys.stdout.isatty() and max(map(len, lines)) > shutil.get_terminal_size().columns
    if len(rows) == 1 or narrow:
        wide = max(map(len, names))
        lists = ["\n".join(f"{name.ljust(wide)}  {shown(row[name])}" for name in names) for row in rows]
        print("\n\n".join(lists))
    else:
        print(*lines, sep="\n")


def print_table(rows: list[dict[str, Any]]) -> None:
    """Columns under their names."""
    print(*table_lines(rows), sep="\n")


def table_lines(rows: list[dict[str, Any]]) -> list[str]:
    """Columns under their names, words on the left, numbers on the right."""
    cells = [list(rows[0])] + [list(map(shown, row.values())) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = [name in WORDS for name in rows[0]]
    return [
        "  ".join(cell.ljust(w) if words else cell.rjust(w) for cell, words, w in zip(row, left, widths, strict=True)).rstrip()
        for row in cells
    ]


def shown(value: Any) -> str:
    """A table's cell."""
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    if isinstance(value, int) and value >= 10**12 and value & (value - 1) == 0:
        return f"2^{value.bit_length() - 1}"
    return f"{value + 0.0:.3g}" if isinstance(value, float) else printable(str(value))


def described(network: ReLUNetwork | SignNetwork | SignCircuit | StepNetwork | Classifier | TreeEnsemble) -> str:
    """A network in a few words."""
    if isinstance(network, TreeEnsemble):
        size = f"{network.inputs} input{'' if network.inputs == 1 else 's'}, {network.splits:,} splits"
        kind = "decision tree" if network.trees == 1 else f"sum of {network.trees} decision trees"
        return f"{kind}, {size}" + ("" if network.binary else f", {len(network.names)} classes")
    if isinstance(network, Classifier):
        return f"{described(network.scores[0])}, {len(network.scores)} outputs for {len(network.names)} classes"
    inputs = f"{network.inputs} input{'' if network.inputs == 1 else 's'}"
    if isinstance(network, ReLUNetwork):
        layers = f" in {len(network.widths)} layers" if network.deeper else ""
        return f"ReLU network, {inputs}, {network.relus} ReLU{'' if network.relus == 1 else 's'}{layers}"
    if isinstance(network, StepNetwork):
        layers, steps = " + ".join(map(str, network.widths)), network.steps
        return f"network of ReLUs and steps, {inputs}, {layers} units, {steps} of them step{'' if steps == 1 else 's'}"
    if isinstance(network, SignNetwork):
        return f"sign network (two layers), {inputs}, {network.units} threshold unit{'' if network.units == 1 else 's'}"
    return f"sign circuit (three layers), {inputs}, {network.units} + {network.terms} threshold units"


def abbreviated(value: Any) -> str:
    """An array or a number on one line, shortened where it is long; −0.0 as 0.0."""
    numbers = value if is_sparse(value) else np.asarray(value)
    start = nearest(np.asarray(full(numbers[tuple(slice(100) for _ in numbers.shape)])))  # more would not be shown
    text = " ".join(str((start + 0.0).tolist()).split())
    return text if len(text) <= 100 else text[:97] + "..."


def time_is_over(watch: Watch, files: Sequence[Path], number: int) -> bool:
    """Whether there is none left for a file that is not the first one; says which ones were not begun."""
    over = number > 0 and not watch.left
    if over:
        late = len(files) - number
        fail(f"the time limit of {watch.seconds:g} s was reached: {late} files from {files[number]} on were not begun")
    return over


@contextmanager
def watched(
    name: str,
    max_pieces: int | None,
    seconds: float | None,
    counted: str = "found",
    after: Watch | None = None,
    kept: bool = False,
) -> Iterator[Watch]:
    """A watch with the limits, the progress on stderr, and Ctrl-C as one more way to stop the search.

    after: of the step before, whose clock goes on; Ctrl-C that came too late for that stops this one.
    kept: the work keeps on the disk what it has, and Ctrl-C raises Stopped wherever it is.
    """
    with shown_progress(name, counted) as report:
        watch = Watch(max_pieces, seconds, report)
        if after:
            watch.started = after.started
        if after and after.interrupted:
            watch.stopped, watch.interrupted = after.stopped, True

        def interrupt(*_: Any) -> None:
            if watch.stopped:
                raise KeyboardInterrupt
            watch.stopped, watch.interrupted = "it was interrupted", True
            if kept:
                raise watch.error()

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            yield watch
        finally:
            signal.signal(signal.SIGINT, before)
            watch.report = None  # of work that was given up nothing is to be seen


@contextmanager
def shown_progress(name: str, counted: str = "found") -> Iterator[Any]:
    """A callback (share, number) for work that takes longer than a second: a bar on a terminal, else now and then a line.

    counted: what the number is of. Rate and time left are those since the first call.
    """
    bar: Any = None
    on_terminal = sys.stderr.isatty()
    due = time.monotonic() + PROGRESS_AFTER if log.isEnabledFor(logging.INFO) else float("inf")
    first: tuple[float, float, int] | None = None

    def report(share: float, found: int) -> None:
        nonlocal due, first, bar
        now = time.monotonic()
        first = first or (now, share, found)
        if now < due:
            return
        due = now + (0.1 if on_terminal else LINE_EVERY)
        seconds, gained = now - first[0], share - first[1]
        rate = f"{found} {counted}" + (f", {(found - first[2]) / seconds:.3g}/s" if seconds and found > first[2] else "")
        if not on_terminal:
            left = f", {seconds * (1 - share) / gained:.0f} s left" if gained > 0 else ""
            log.info("%s: %.1f%% done, %s%s", name, math.floor(1000 * share) / 10, rate, left)
            return
        if not bar:
            bar = bar_on_terminal()
            bar.start()
            bar.add_task(name, total=1.0)
        bar.update(bar.task_ids[0], completed=share, description=f"{name}: {rate}")

    try:
        yield report
    finally:
        if bar:
            bar.stop()


def bar_on_terminal() -> Any:
    """A bar of rich, which is loaded for it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True)
