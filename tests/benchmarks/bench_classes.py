"""What trained classifiers of k classes need, all classes told apart, and what pairs of classes need.

    python tests/benchmarks/bench_classes.py [FILE.nnet ...]

scikit-learn data sets, scaled, some by PCA, on R^d; files on the box [−1/2, 1/2]^d of their normalised inputs. "of a class" is
how many half-spaces bound it, from the least to the most; "pair by pair" the sum of what the decisions between two outputs
alone need, which count boundary that lies where a third class wins. Times are processor time.
"""

import itertools
import sys
import time
import warnings

import numpy as np

from lpnet import Box, Classifier, load, minimal_classes, minimal_equivalent
from lpnet.io.kinds import Choice

WIDTHS = [("iris", None, (8,)), ("iris", None, (4, 4)), ("wine", 3, (8,)), ("wine", 3, (6, 6)), ("digits", 2, (16,)),
          ("digits", 3, (12,)), ("digits", 2, (8, 8))]  # fmt: skip


def trained(name, components, widths):
    """A classifier of one of scikit-learn's data sets."""
    from sklearn import datasets
    from sklearn.decomposition import PCA
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    warnings.simplefilter("ignore")
    data = getattr(datasets, f"load_{name}")()
    points = StandardScaler().fit_transform(data.data)
    if components:
        points = PCA(components, random_state=0).fit_transform(points)
    model = make_pipeline(StandardScaler(), MLPClassifier(widths, max_iter=1000, random_state=0)).fit(points, data.target)
    return model, model.score(points, data.target)


def row(name, source, accuracy, domain=None):
    """A line of the table."""
    network = load(source, Choice("argmax"), kind=Classifier)
    place = domain and domain(network)
    started = time.process_time()
    answer = minimal_classes(network, place)
    seconds = time.process_time() - started
    classes, alone = range(len(network.names)), "-"
    if len(classes) <= 3:
        pairs = itertools.combinations(classes, 2)
        alone = f"{sum(minimal_equivalent(load(source, pair), place).units for pair in pairs):,}"
    own = [len(answer.units_of(c)) for c in classes if c not in answer.never]
    sizes = [network.inputs, " + ".join(map(str, network.widths)), accuracy, len(classes), f"{answer.units:,}"]
    counts = [f"{len(answer.pieces.patterns):,}", len(answer.borders), f"{min(own):,} to {max(own):,}", len(answer.never)]
    return [name, *map(str, sizes), *map(str, counts), alone, f"{seconds:.2g} s"]


def main():
    header = ["network", "d", "ReLUs", "right", "classes", "units", "pieces", "pairs that touch"]
    header += ["of a class", "never", "pair by pair", "time"]
    print("|", " | ".join(header), "|")
    print("|", " | ".join("---" for _ in header), "|")
    for name, components, widths in WIDTHS:
        model, accuracy = trained(name, components, widths)
        title = name + (f", PCA to {components}" if components else "")
        print("|", " | ".join(row(title, model, f"{accuracy:.0%}")), "|", flush=True)
    for file in sys.argv[1:]:
        print("|", " | ".join(row(file.rpartition("/")[2], file, "", half_box)), "|", flush=True)


def half_box(network):
    """[−1/2, 1/2]^d in front of the network."""
    layer = network.front.composed
    scale, at = np.diag(np.asarray(layer.weight, dtype=float)), np.asarray(layer.bias, dtype=float)
    return Box((-0.5 - at) / scale, (0.5 - at) / scale)


if __name__ == "__main__":
    main()
