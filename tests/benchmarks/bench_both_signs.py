"""Round trips of random networks with output weights of both signs: do the bends that cross the boundary come back?

python tests/benchmarks/bench_both_signs.py [TRIALS] [D,N ...]

And networks trained on scikit-learn's data, on R^d, on the box of the data and at the data:

python tests/benchmarks/bench_both_signs.py trained

Networks with several outputs, random and trained; and circuits of many half-spaces in R^4, back to ReLUs:

python tests/benchmarks/bench_both_signs.py classes
python tests/benchmarks/bench_both_signs.py halfspaces
"""

import sys
import time
from collections import Counter

import numpy as np

import lpnet
from lpnet import ReLUNetwork
from lpnet.compression.bends import contains
from lpnet.compression.both_signs import fewest_relus
from lpnet.io.kinds import Choice
from lpnet.networks import normal_form
from lpnet.networks.classifier import Classifier
from lpnet.watch import Watch

TRAINED = [
    ("wine", 3, (12,)),
    ("moons", 2, (12,)),
    ("cancer", 3, (16,)),
    ("digits", 4, (10,)),
    ("moons", 2, (6, 6)),
    ("digits", 3, (4, 3)),
]
CLASSES = [(3, 5, 4), (3, 6, 5), (3, 8, 4), (4, 6, 3), (5, 6, 3)]
GRID = [(3, 5), (3, 8), (3, 12), (4, 6), (4, 8), (4, 12), (5, 6), (5, 8), (5, 12), (6, 7), (6, 8), (6, 12)]


def whole(rng, relus, inputs, largest=9):
    """Integer weights, output weights of both signs."""
    numbers = rng.integers(-largest, largest + 1, (relus, inputs + 1)).astype(float)
    weights = rng.choice([1.0, 2.0, 3.0], relus) * np.resize([1, -1], relus)
    return ReLUNetwork(numbers[:, :-1], numbers[:, -1], weights, float(rng.integers(-largest, largest + 1)))


def line(inputs, relus, trials):
    """One row of the table: of networks that have a boundary."""
    rng, seen, seconds = np.random.default_rng([inputs, relus]), Counter(), []
    while seen["all"] < trials:
        network = whole(rng, relus, inputs)
        started = time.process_time()
        answer = fewest_relus(network)
        if not answer.surface.pieces:
            continue
        seconds.append(time.process_time() - started)
        bends = sum(any(contains(a, ridge) for ridge in answer.surface.ridges) for a in normal_form(network).units)
        connected = len(set(answer.surface.components)) == 1
        seen.update(all=1, exact=answer.verdict == "exact", connected=connected)
        seen.update(same=answer.bends == bends, proved=answer.bends == answer.least_bends)
        seen.update(more=answer.relus is None or answer.relus > relus, fewer=(answer.relus or relus) < relus)
        seen.update(minimal=answer.relus == answer.least)
    counts = (seen[name] for name in ("all", "exact", "connected", "same", "proved", "fewer", "more", "minimal"))
    return " | ".join(map(str, ("", inputs, relus, *counts, f"{np.median(seconds):.2f} s", ""))).strip()


def examples(name, inputs):
    """Two classes of a data set, after PCA."""
    from sklearn import datasets
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    if name == "moons":
        return datasets.make_moons(300, noise=0.15, random_state=0)
    load = {"wine": datasets.load_wine, "cancer": datasets.load_breast_cancer, "digits": datasets.load_digits}[name]
    points, classes = load(return_X_y=True)
    if name == "digits":
        chosen = np.isin(classes, (3, 8))
        points, classes = points[chosen], classes[chosen] == 3
    points = PCA(inputs, random_state=0).fit_transform(StandardScaler().fit_transform(points))
    return points.astype(np.float32).astype(float), classes == 1


def trained():
    """A row a network."""
    from sklearn.neural_network import MLPClassifier

    for name, inputs, layers in TRAINED:
        points, classes = examples(name, inputs)
        network = lpnet.load(MLPClassifier(layers, max_iter=3000, random_state=0).fit(points, classes))
        box = lpnet.Box(points.min(axis=0) - 1e-3, points.max(axis=0) + 1e-3)
        row = [name, inputs, layers]
        for domain in (None, box):
            answer = fewest_relus(network, domain, watch=Watch(seconds=100))
            row += [f"{answer.verdict}: {answer.relus} ReLUs, at least {answer.least}; {answer.reason}"]
        few = lpnet.compress(network, data=points)
        print(*row, f"{few.relus} at the data, at least {few.at_least}", sep=" | ", flush=True)


def random_classes(inputs, relus, classes, trials=10):
    """One row: networks with several outputs and integer weights."""
    rng, seen, seconds = np.random.default_rng([inputs, relus, classes, 1]), Counter(), []
    while seen["all"] < trials:
        rows, weights = rng.integers(-9, 10, (relus, inputs + 1)), rng.integers(-4, 5, (classes, relus))
        network = Classifier.of_layers([(rows[:, :-1], rows[:, -1]), (weights, rng.integers(-9, 10, classes))])
        started = time.process_time()
        answer = fewest_relus(network)
        if not answer.surface.pieces:
            continue
        seconds.append(time.process_time() - started)
        units = network.normal_form().body.units
        met = sum(any(contains(a, ridge) for ridge in answer.surface.ridges) for a in units)
        seen.update(all=1, exact=answer.verdict == "exact", same=answer.bends == met)
        seen.update(fewest=answer.bends == answer.least_bends, minimal=answer.relus == answer.least)
    counts = (seen[name] for name in ("exact", "same", "fewest", "minimal"))
    return " | ".join(map(str, ("", inputs, relus, classes, *counts, f"{np.median(seconds):.1f} s", ""))).strip()


def trained_classes():
    """A row a network of all classes of a data set."""
    from sklearn import datasets
    from sklearn.decomposition import PCA
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    for name, load, inputs, relus in (("iris", datasets.load_iris, 3, 6), ("wine", datasets.load_wine, 3, 6)):
        points, classes = load(return_X_y=True)
        points = PCA(inputs, random_state=0).fit_transform(StandardScaler().fit_transform(points))
        points = points.astype(np.float32).astype(float)
        model = MLPClassifier((relus,), max_iter=3000, random_state=0).fit(points, classes)
        network = lpnet.load(model, Choice("argmax"))
        box = lpnet.Box(points.min(axis=0) - 1e-3, points.max(axis=0) + 1e-3)
        row = [name, inputs, relus]
        for domain in (None, box):
            answer = fewest_relus(network, domain, watch=Watch(seconds=200))
            row += [f"{answer.verdict}: {answer.relus} ReLUs, at least {answer.least}; {answer.reason}"]
        print(*row, sep=" | ", flush=True)


def halfspaces(relus):
    """One row: the circuit of a network in R^4, back to ReLUs."""
    minimal = lpnet.minimal_equivalent(whole(np.random.default_rng(1), relus, 4))
    circuit, started = minimal.build_equivalent().network, time.process_time()
    answer = fewest_relus(circuit)
    found = (minimal.units, answer.verdict, answer.relus, answer.least, len(answer.surface.ridges))
    return " | ".join(map(str, ("", relus, *found, f"{time.process_time() - started:.1f} s", ""))).strip()


if __name__ == "__main__":
    if sys.argv[1:] == ["trained"]:
        trained()
        sys.exit()
    if sys.argv[1:] == ["classes"]:
        for sizes in CLASSES:
            print(random_classes(*sizes), flush=True)
        trained_classes()
        sys.exit()
    if sys.argv[1:] == ["halfspaces"]:
        for count in (6, 8, 10):
            print(halfspaces(count), flush=True)
        sys.exit()
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    grid = [tuple(map(int, pair.split(","))) for pair in sys.argv[2:]] or GRID
    names = ("d", "n", "networks", "exact", "connected", "bends that cross", "fewest", "fewer ReLUs", "more", "fewest ReLUs")
    print(" | ".join(("", *names, "time", "")).strip())
    for inputs, relus in grid:
        print(line(inputs, relus, trials), flush=True)
