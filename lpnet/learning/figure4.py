"""The whole of Figure 4: every setting, network and learner, kept as they come, so that a run can be stopped and goes on."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from itertools import product
from pathlib import Path

import joblib

from lpnet.errors import InputError, Stopped
from lpnet.io import replacing
from lpnet.learning.configuration import Configuration
from lpnet.learning.data import Setting
from lpnet.learning.learners import LEARNERS
from lpnet.learning.table import Row
from lpnet.studies.folder import locked
from lpnet.watch import Watch


def figure4(configuration: Configuration, folder: Path, watch: Watch) -> list[Row]:
    """The rows of the table, measured by one thread a core; those that the folder already holds are read.

    Threads share the compiled programs, and XLA needs no lock of Python's. A run depends on nothing but the configuration, its
    setting and its learner. Raises InputError for a folder with results of another configuration or one that another process
    works in, and Stopped if the watch says so.
    """
    with locked(folder):
        prepare(configuration, folder)
        return measured(configuration, folder, watch)


def measured(configuration: Configuration, folder: Path, watch: Watch) -> list[Row]:
    """The rows, those that are missing measured first."""
    settings = (
        Setting(*numbers) for numbers in product(configuration.inputs, configuration.relus, range(configuration.networks))
    )
    work = sorted(product(settings, LEARNERS), key=lambda pair: (pair[0].network, -cost(*pair)))
    left = [(setting, name) for setting, name in work if not place(folder, setting, name).exists()]
    tasks = (joblib.delayed(measure_and_keep)(configuration, *pair, place(folder, *pair), watch) for pair in left)
    done = joblib.Parallel(n_jobs=-1, prefer="threads", return_as="generator_unordered")(tasks)
    follow(done, len(work) - len(left), len(work), watch)
    order = sorted(work, key=lambda pair: (pair[0].relus, pair[0].inputs, [*LEARNERS].index(pair[1]), pair[0].network))
    return [row for pair in order for row in read(place(folder, *pair))]


def follow(done: Iterable[bool], before: int, total: int, watch: Watch) -> None:
    """Wait for the runs, showing how many are done; Stopped where the watch wants no more."""
    number = before
    for finished in done:
        number += finished
        watch(number / total, number)
    if number < total:
        raise Stopped(f"{number} of {total} runs are done, {watch.stopped}; the same command goes on from there")


def cost(setting: Setting, name: str) -> int:
    """Roughly, so that no long run is left for the end."""
    units = setting.relus if LEARNERS[name].units == "relus" else 1 << setting.relus
    return units * (10 + setting.inputs)


def measure_and_keep(configuration: Configuration, setting: Setting, name: str, file: Path, watch: Watch) -> bool:
    """One run, written at once; whether there was still time for it."""
    from lpnet.learning.protocol import measure

    if watch.stopped:
        return False
    try:
        rows = measure(configuration, setting, name, watch)
    except Stopped:
        return False
    with replacing(file) as out:
        out.write(json.dumps(rows).encode())
    return True


def place(folder: Path, setting: Setting, name: str) -> Path:
    """The file of a run."""
    return folder / "runs" / f"d{setting.inputs}_n{setting.relus}_{setting.network}_{name}.json"


def read(file: Path) -> list[Row]:
    """The rows of a run, or InputError for a file that somebody has damaged."""
    try:
        rows: list[Row] = [dict(row) for row in json.loads(file.read_text())]
        return rows
    except (OSError, ValueError, TypeError):
        raise InputError(f"{file}: is not what lpnet wrote; delete it, and the same command makes it anew") from None


def prepare(configuration: Configuration, folder: Path) -> None:
    """Make the folder, with the configuration in it; InputError if it cannot be, or is another's."""
    wanted = json.dumps(asdict(configuration), indent=1)
    file = folder / "configuration.json"
    try:
        (folder / "runs").mkdir(parents=True, exist_ok=True)
        if not file.exists():
            with replacing(file) as out:
                out.write(wanted.encode())
        found = file.read_text()
    except OSError as error:
        raise InputError(f"--out: {folder} cannot be written: {error.strerror or error}") from None
    if found != wanted:
        raise InputError(f"--out: {folder} holds results of another configuration; give another folder, or delete it")
