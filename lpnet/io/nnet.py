"""The .nnet text format of the ACAS Xu networks, its normalisation folded into the weights.

Comment lines begin with //. Then, in lines of numbers with commas between them: how many layers, inputs, outputs, and the
largest layer; the sizes of all layers, inputs first; a flag nobody uses; the least and the largest value of each input; the
means and the ranges of the inputs and, last, of the outputs; and for each layer its weights, row by row, and its biases, one in
a line. The network computes range · N((x − mean) / range) + mean. Decimals mean the nearest float64, as everywhere.
Its tools clip inputs to their least and largest values first; here the network is taken as it goes on beyond them.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io.activations import relu
from lpnet.io.arithmetic import plus, scaled
from lpnet.io.kinds import MOST_NUMBERS, Outputs
from lpnet.io.reading import Reading, affine, finished
from lpnet.io.signal import Signal

LONGEST_LINE = 10**6


def read(path: Path, outputs: Outputs | None = None) -> Reading:
    """The network in a .nnet file; InputError where it is no such file, naming the line."""
    lines = _lines(path)
    layers, inputs, results, _ = _whole(lines, 4)
    sizes = _whole(lines, layers + 1 if 0 < layers < 1000 else 1)
    if sizes[0] != inputs or sizes[-1] != results:
        raise InputError(f"says {inputs} inputs and {results} outputs, but lists layers of sizes {', '.join(map(str, sizes))}")
    if layers < 2:
        raise InputError(f"has {layers} layers of weights; wanted a hidden layer and an output layer at least")
    if min(sizes) < 1 or sum((wide + 1) * high for wide, high in pairwise(sizes)) > MOST_NUMBERS:
        raise InputError(f"has layers of sizes {', '.join(map(str, sizes))}; lpnet reads up to {MOST_NUMBERS} numbers")
    next(lines, None)  # the flag
    least, largest = _numbers(lines, inputs), _numbers(lines, inputs)
    means, ranges = _numbers(lines, inputs + 1), _numbers(lines, inputs + 1)
    if not (ranges > 0).all():
        raise InputError(f"wanted ranges > 0 for its normalisation, got {ranges.min()}")
    signal = Signal.of_features((inputs,))
    if means[:-1].any() or (ranges[:-1] != 1).any():
        signal = scaled(plus(signal, "mean", -means[:-1]), "range", ranges[:-1], divide=True)
    for number, (wide, high) in enumerate(pairwise(sizes), 1):
        where = f"the layer {number}"
        weight = np.array([_numbers(lines, wide) for _ in range(high)])
        signal = affine(signal, where, weight, np.array([_numbers(lines, 1)[0] for _ in range(high)]))
        signal = relu(signal, f"the layer ReLU {number}" if layers > 2 else "the layer ReLU") if number < layers else signal
    if rest := next(lines, None):
        raise InputError(f"goes on after its last bias, in line {rest[0]}")
    if results == 1 and means[-1]:
        signal = plus(scaled(signal, "output range", ranges[-1:]), "output mean", means[-1:])
    box = ", ".join(f"[{a:g}, {b:g}]" for a, b in zip(least[:10], largest[:10], strict=True)) + (", …" if inputs > 10 else "")
    return finished(signal, outputs).noted(f"inputs: unscaled; the file is for {box}, where its own tools clip them")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are no comments, with their numbers."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number in range(1, 1 << 60):
            line = file.readline(LONGEST_LINE)
            if not line:
                return
            if len(line) == LONGEST_LINE:
                raise InputError(f"is not a .nnet file: line {number} has more than {LONGEST_LINE} characters")
            if line.strip() and not line.startswith("//"):
                yield number, line


def _numbers(lines: Iterator[tuple[int, str]], count: int) -> FloatArray:
    """The next line's numbers."""
    number, line = next(lines, (0, ""))
    if not number:
        raise InputError("is cut off; wanted more lines of numbers")
    entries = line.strip().rstrip(",").split(",")
    if len(entries) != count:
        raise InputError(f"wanted {count} numbers in line {number}, got {len(entries)}")
    try:
        numbers = np.array([float(entry) for entry in entries])
    except ValueError:
        raise InputError(f"wanted numbers with commas between them in line {number}, got {line[:40]!r}") from None
    if not np.isfinite(numbers).all():
        raise InputError(f"wanted finite numbers in line {number}, got {numbers[~np.isfinite(numbers)][0]}")
    return numbers


def _whole(lines: Iterator[tuple[int, str]], count: int) -> list[int]:
    """The next line's whole numbers."""
    numbers = _numbers(lines, count)
    if (numbers != np.round(numbers)).any() or (np.abs(numbers) > MOST_NUMBERS).any():
        raise InputError(f"wanted whole numbers for the sizes of its layers, up to {MOST_NUMBERS}, got {numbers.max():g}")
    return [int(number) for number in numbers]
