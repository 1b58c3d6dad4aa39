"""How many of their thresholds trees, boosting and forests need, on Gaussian data: python tests/benchmarks/bench_trees.py"""

import time

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

import lpnet

SECONDS = 200.0  # of the clock, for each


def models():
    """Names, and models fitted on a boundary of second order with noise, or on labels at random."""
    random = np.random.default_rng(0)
    wide, labels = random.normal(size=(8000, 30)), random.integers(0, 2, 8000)
    classes = (wide[:, 0] * wide[:, 1] + wide[:, 2] + 0.3 * random.normal(size=8000) > 0).astype(int)
    narrow, fewer = wide[:2000, :4], classes[:2000]
    yield "tree of 1,000 leaves", DecisionTreeClassifier(max_leaf_nodes=1000, random_state=0).fit(wide, labels)
    yield "boosting, 100 stumps", GradientBoostingClassifier(max_depth=1, random_state=0).fit(wide, classes)
    yield "boosting, 100 trees of depth 3", GradientBoostingClassifier(random_state=0).fit(narrow, fewer)
    yield "boosting, 100 trees of depth 3", GradientBoostingClassifier(random_state=0).fit(wide, classes)
    yield "forest, 20 trees of depth 6", RandomForestClassifier(20, max_depth=6, random_state=0).fit(narrow, fewer)
    yield "forest, 100 trees of depth 6", RandomForestClassifier(100, max_depth=6, random_state=0).fit(narrow, fewer)


def main():
    """A row of a table for each."""
    print("| model | inputs | splits | different thresholds | needed | time |\n|---|---|---|---|---|---|")
    for name, model in models():
        ensemble = lpnet.load(model)
        started = time.process_time()
        answer = lpnet.minimal_trees(ensemble, time_limit=SECONDS)
        spent, least = time.process_time() - started, "" if answer.complete else " at least"
        sizes = f"{ensemble.inputs} | {ensemble.splits:,} | {ensemble.thresholds:,} | {answer.units:,}{least}"
        print(f"| {name} | {sizes} | {spent:.1f} s |", flush=True)


if __name__ == "__main__":
    main()
