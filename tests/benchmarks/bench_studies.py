"""One worker beside two on the study of 20,592 networks: `python tests/benchmarks/bench_studies.py`, on two cores left alone.

Seconds from start to end, the loading of Python and the compiled engines included, and those of the processors, all together.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDY = ["--relus", "2:14", "--inputs", "1:8", "--bias", "0,1", "--trials", "33", "--seed", "7"]


def seconds(workers: int, folder: Path) -> tuple[float, float]:
    """By the clock, and of the processors."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    started, before = time.perf_counter(), used()
    given = [*STUDY, "--workers", str(workers), "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "lpnet", "tightness", *given], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started, used() - before


def main() -> None:
    """Print a table."""
    print("| workers | seconds | processor seconds | load before |\n|---|---|---|---|")
    clock = {}
    with tempfile.TemporaryDirectory() as folder:
        for workers in (1, 2):
            load = os.getloadavg()[0]
            clock[workers], processors = seconds(workers, Path(folder) / str(workers))
            print(f"| {workers} | {clock[workers]:.1f} | {processors:.1f} | {load:.1f} |", flush=True)
    print(f"\n{clock[1] / clock[2]:.2f} times as fast")


if __name__ == "__main__":
    main()
