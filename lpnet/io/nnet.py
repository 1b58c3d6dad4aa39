"""The .nnet format of ACAS Xu and similar networks, hidden layers of ReLUs, read line by line.

Comments begin with //. Lines of numbers: how many layers, inputs, outputs, and the largest layer; the sizes of all layers,
inputs first; a flag nobody uses; the least and the largest value of each input; the means and the ranges of the inputs and,
last, of the outputs; and for each layer its weights, row by row, and its biases, one in a line. The network computes
range · N((x − mean) / range) + mean. Decimals mean the nearest float64, as everywhere.
Its tools clip inputs to their least and largest values first; here the network is taken as it goes on beyond them.
Files in use also have: the number of layers alone in the first line; the outputs' size twice; one number for all inputs, or 0
for none, in place of least and largest values, means and ranges; or more of these than inputs. What is taken for what is noted.
"""

from collections.abc import Iterator
from dataclasses import replace
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
    sizes = _sizes(lines)
    inputs, layers, single = sizes[0], len(sizes) - 1, sizes[-1] == 1
    next(lines, None)  # the flag
    box = _box(inputs, _numbers(lines), _numbers(lines))
    (means, ranges), (mean, factor), said, assumed = _normalisation(_numbers(lines), _numbers(lines), inputs, single)
    signal = Signal.of_features((inputs,))
    if means.any() or (ranges != 1).any():
        signal = scaled(plus(signal, "mean", -means), "range", ranges, divide=True)
    for number, (wide, high) in enumerate(pairwise(sizes), 1):
        where = f"the layer {number}"
        weight = np.array([_numbers(lines, wide) for _ in range(high)])
        signal = affine(signal, where, weight, np.array([_numbers(lines, 1)[0] for _ in range(high)]))
        signal = relu(signal, f"the layer ReLU {number}" if layers > 2 else "the layer ReLU") if number < layers else signal
    if rest := next(lines, None):
        raise InputError(f"goes on after its last bias, in line {rest[0]}")
    if single and mean:
        signal = plus(scaled(signal, "output range", np.array(factor)), "output mean", np.array(mean))
    made = finished(signal, outputs).noted(f"inputs: unscaled; {box}", *([f"normalisation: {said}"] if said else []))
    return replace(made, assumed=said if assumed else "")


def _sizes(lines: Iterator[tuple[int, str]]) -> list[int]:
    """The sizes of inputs and layers, from the first two lines; the outputs' may be there twice."""
    header, sizes = _whole(_numbers(lines)), _whole(_numbers(lines))
    layers, said = header[0], ", ".join(map(str, sizes))
    if len(header) not in (1, 4):
        raise InputError(f"wanted 4 numbers in its first line, or that of its layers alone, got {len(header)}")
    if layers < 1:
        raise InputError(f"says {layers} layers; wanted one at least")
    if sizes[layers:] not in ([sizes[-1]], [sizes[-1]] * 2):
        raise InputError(f"says {layers} layers, but lists sizes {said}; wanted one more than layers, inputs first")
    del sizes[layers + 1 :]
    if len(header) == 4 and [sizes[0], sizes[-1]] != header[1:3]:
        raise InputError(f"says {header[1]} inputs and {header[2]} outputs, but lists layers of sizes {said}")
    if min(sizes) < 1 or sum((wide + 1) * high for wide, high in pairwise(sizes)) > MOST_NUMBERS:
        raise InputError(f"has layers of sizes {said}; lpnet reads up to {MOST_NUMBERS} numbers")
    return sizes


def _box(inputs: int, least: FloatArray, largest: FloatArray) -> str:
    """For what inputs the file says it is."""
    counts = sorted({len(least), len(largest)})
    if not (least < largest).any() if len(counts) == 1 else counts[0] < inputs:
        return "the file does not say for which they are"
    least, largest = (np.resize(given, inputs) if len(given) == 1 else given[:inputs] for given in (least, largest))
    box = ", ".join(f"[{a:g}, {b:g}]" for a, b in zip(least[:10], largest[:10], strict=True)) + (", …" if inputs > 10 else "")
    more = "" if counts in ([inputs], [1]) else f", by the first {inputs} of {counts[-1]} limits"
    return f"the file is for {box}{more}, where its own tools clip them"


def _normalisation(
    means: FloatArray, ranges: FloatArray, inputs: int, single: bool
) -> tuple[list[FloatArray], list[float], str, bool]:
    """Means and ranges of the inputs; those of the outputs; what is to be said, and whether it may be otherwise.

    What belongs to the outputs moves the sign of one alone, but no comparison of several. All ranges 0 or −1 mean that
    there are none of either.
    """
    if (ranges == ranges[0]).all() and ranges[0] in (0, -1) and (means == means[0]).all():
        odd = bool(means[0] or ranges[0])
        listed = f", but {means[0]:g} for all means and {ranges[0]:g} for all ranges" if odd else ""
        return [np.zeros(inputs), np.ones(inputs)], [0.0, 1.0], f"the file gives none{listed}", odd
    if (ranges <= 0).any():
        raise InputError(f"wanted ranges > 0 for its normalisation, got {ranges.min()}")
    spread = [_spread("means", means, 0.0, inputs), _spread("ranges", ranges, 1.0, inputs)]
    said = "; ".join(dict.fromkeys(text for *_, text in spread if text))
    return [given for given, *_ in spread], [output for _, output, _ in spread], said, single and bool(said)


def _spread(kind: str, given: FloatArray, none: float, inputs: int) -> tuple[FloatArray, float, str]:
    """The numbers of the inputs, that of the outputs, and what to say about them."""
    count, last = len(given), float(given[-1])
    if count == inputs + 1:
        return given[:-1], last, ""
    if count > inputs + 1:
        return given[:inputs], last, f"of {count} {kind} the first {inputs} are the inputs' and the last is the outputs'"
    if count == inputs:
        return given, none, f"the file gives no {kind} of outputs"
    if count == 1 and last == none:
        return np.full(inputs, none), none, ""
    if count == 1:
        return np.full(inputs, last), none, f"{last:g} for the {kind} of all inputs; the file gives none of outputs"
    raise InputError(f"wanted {inputs + 1} {kind}, those of the inputs and that of the outputs, got {count}")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines without their comments, where something is left, with their numbers."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number in range(1, 1 << 60):
            line = file.readline(LONGEST_LINE)
            if not line:
                return
            if len(line) == LONGEST_LINE:
                raise InputError(f"is not a .nnet file: line {number} has more than {LONGEST_LINE} characters")
            if numbers := line.partition("//")[0].strip():
                yield number, numbers


def _numbers(lines: Iterator[tuple[int, str]], count: int | None = None) -> FloatArray:
    """The next line's numbers, this many or, if it is not given, one at least."""
    number, line = next(lines, (0, ""))
    if not number:
        raise InputError("is cut off; wanted more lines of numbers")
    entries = line.rstrip(",").split(",")
    if count is not None and len(entries) != count:
        raise InputError(f"wanted {count} numbers in line {number}, got {len(entries)}")
    try:
        numbers = np.array([float(entry) for entry in entries])
    except ValueError:
        raise InputError(f"wanted numbers with commas between them in line {number}, got {line[:40]!r}") from None
    if not np.isfinite(numbers).all():
        raise InputError(f"wanted finite numbers in line {number}, got {numbers[~np.isfinite(numbers)][0]}")
    return numbers


def _whole(numbers: FloatArray) -> list[int]:
    """The same as whole numbers, or InputError."""
    if (numbers != np.round(numbers)).any() or (np.abs(numbers) > MOST_NUMBERS).any():
        raise InputError(f"wanted whole numbers for the sizes of its layers, up to {MOST_NUMBERS}, got {numbers.max():g}")
    return [int(number) for number in numbers]
