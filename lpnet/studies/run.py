"""Carrying out a study, or the rest of it."""

import os
from contextlib import closing
from pathlib import Path

from lpnet.studies.folder import Table, check_installed, claim, finished, locked, merge, write_part
from lpnet.studies.study import Study
from lpnet.studies.workers import on_cluster, on_cores
from lpnet.watch import Watch


def run(
    study: Study,
    folder: str | os.PathLike[str],
    workers: int | None = None,
    scheduler: str | None = None,
    watch: Watch | None = None,
) -> Table:
    """The rows of a study, computed into a folder; what is there already is not computed again.

    workers: processes on this machine (default: its cores); scheduler: the address of a Dask scheduler, to use its workers.
    The rows do not depend on either, nor on how often the work was interrupted, but for their "seconds".
    Raises InputError for a folder with another study or one that another process works in, Stopped if `watch` ends the work or
    the workers are lost: what is finished stays.
    """
    check_installed()
    place, watch = Path(folder), watch or Watch()
    with locked(place):
        claim(place, study)
        there = finished(place, study)
        missing = [chunk for chunk in range(study.chunks) if chunk not in there]
        done = study.size * len(there) // study.chunks
        if missing:
            watch.check(done / study.size, done)
            results = on_cluster(study, missing, scheduler) if scheduler else on_cores(study, missing, workers)
            with closing(results):
                for chunk, rows in results:
                    write_part(place, study, chunk, rows)
                    done += len(rows)
                    watch.check(done / study.size, done)
        return merge(place, study)
