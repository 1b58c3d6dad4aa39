"""How the benchmarks time a piece of work."""

import time


def best_time(work, enough=0.5):
    """The shortest time of a few runs, and the result."""
    times = []
    while not times or (sum(times) < enough and len(times) < 20):
        started = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - started)
    return min(times), result
