"""A reading compared with what its source itself answers at some points."""

from typing import Any

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import FloatArray, nearest
from lpnet.io.signal import BOOLEAN, RELUS, SIGNS, Block, Signal, blocks_of

POINTS = 64
MOST_NEAR = 16  # units whose sums a point is moved to
LEAST_LOGARITHM = -80.0  # below, float32 loses the probability
SCALES = (0.1, 1.0, 10.0, 1000.0)


def points_for(signal: Signal, count: int = POINTS) -> FloatArray:
    """Random points in float32: of several sizes, and every other one where the sums of some hidden units are of these sizes.

    Behind a scaler for data far from 0 all other points would be on one side of every unit.
    """
    rng = np.random.default_rng(0)
    blocks = blocks_of(signal)
    scale = np.resize(np.repeat(SCALES, 2), count)[:, None]
    points = scale * rng.standard_normal((count, blocks[0].size))
    first = next((block.source for block in blocks if block.gate and block.source), signal)
    with np.errstate(all="ignore"):
        sums, slope = _first_sums(first, points)
        if slope is not None and np.isfinite(slope).all():
            wanted = scale * rng.standard_normal(sums.shape) - sums
            moved = points + wanted @ np.linalg.pinv(slope).T
            fits = (np.abs(moved) < np.finfo(np.float32).max).all(axis=1) & (np.arange(count) % 2 == 1)
            points[fits] = moved[fits]
    return points.astype(np.float32).astype(np.float64)


def _first_sums(first: Signal, points: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """Some entries of a signal before all gates at the points, and their slopes (entries, inputs); None for the inputs' own."""
    inputs, *kept = blocks_of(first)
    made: dict[Block, tuple[FloatArray, FloatArray | None]] = {inputs: (points, None)}
    for block in (*kept, None):
        source, most = (block.source, None) if block else (first, MOST_NEAR)
        assert source is not None
        weight, bias = _floats(*(numbers[:most] for numbers in source.affine()))
        values, slopes = zip(*(made[below] for below in source.blocks), strict=True)
        slope = weight
        if source.blocks != (inputs,):
            slope = weight @ np.vstack([np.eye(inputs.size) if below is None else below for below in slopes])
        result = np.hstack(values) @ weight.T + bias, slope
        if block:
            made[block] = result
    return result


def check_same(signal: Signal, points: FloatArray, answers: Any, precision: Any, by: str) -> None:
    """InputError where answers at points (points, inputs) are further from a reading than rounding explains.

    answers: of the source, one or more numbers a point; precision: `numpy.finfo` of what it computes in; by: whose they are.
    Where sums overflow, floats cannot tell.
    """
    scores, tolerance = _scores(signal, points, precision)
    final, tolerance = _with_tail(signal.tail, scores, tolerance)
    answers = np.asarray(answers, dtype=np.float64)
    if answers.size != final.size:
        raise InputError(f"lpnet's reading of the model has {final.shape[1]} outputs, but {by} another number of them")
    answers = answers.reshape(final.shape)
    finite = np.isfinite(answers)
    if final.size and not finite.any() and np.isfinite(final).all():
        raise InputError(
            f"its numbers are too large for its own precision, {precision.dtype}: {by} overflows at every point; "
            "scale its weights down, or save it in float64"
        )
    with np.errstate(all="ignore"):
        near = np.abs(answers - final) <= tolerance
    if not (near | ~finite | ~np.isfinite(tolerance)).all():
        raise InputError(f"lpnet's reading of the model disagrees with {by}, so it is not used")


Values = tuple[FloatArray, FloatArray, FloatArray]


def _scores(signal: Signal, points: FloatArray, precision: Any) -> tuple[FloatArray, FloatArray]:
    """The entries before Sigmoid or the like, as read, and how far the model may be from them; each (points, entries)."""
    made: dict[Block, Values] = {}
    for block in blocks_of(signal):
        made[block] = _features(block, made, points, precision)
    return _entries(signal, made, precision)[:2]


def _entries(signal: Signal, made: dict[Block, Values], precision: Any) -> Values:
    """The entries, the bounds, and the sums of the absolute values of all that was added on the way; each (points, entries).

    |error| ≤ what comes in with the features, and γ Σ |all that is added|, γ about one rounding for each of the terms; four
    times that is allowed.
    """
    features, error, reach = (np.hstack(parts) for parts in zip(*(made[block] for block in signal.blocks), strict=True))
    weight, bias = _floats(*signal.affine())
    reach_weight, reach_bias = signal.magnitudes()
    with np.errstate(all="ignore"):
        magnitude = reach @ reach_weight.T + reach_bias
        underflow = float(precision.tiny) * (1 + reach_weight.sum(axis=1))
        rounding = 4 * (sum(weight.shape) + 8) * len(signal.steps) * (float(precision.eps) * magnitude + underflow)
        return features @ weight.T + bias, error @ reach_weight.T + rounding, magnitude


def _features(block: Block, made: dict[Block, Values], points: FloatArray, precision: Any) -> Values:
    """The same for features: a threshold unit whose sum may be on either side of 0 may be off by 2."""
    if block.source is None:
        return points, np.zeros_like(points), np.abs(points)
    scores, tolerance, magnitude = _entries(block.source, made, precision)
    if block.gate == RELUS:
        return np.maximum(scores, 0), tolerance, magnitude
    if block.gate == SIGNS:
        return np.where(scores >= 0, 1.0, -1.0), np.where(np.abs(scores) > tolerance, 0.0, 2.0), np.ones_like(scores)
    return scores, tolerance, magnitude


def _floats(*numbers: Any) -> list[FloatArray]:
    made = [nearest(np.asarray(array)) for array in numbers]
    if not all(np.isfinite(array).all() for array in made):
        raise InputError("folding its layers into one gives weights that float64 cannot hold")
    return made


def _with_tail(tail: str, scores: FloatArray, tolerance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sigmoid or the like of the scores; the slopes of Sigmoid, Softmax, Tanh and LogSoftmax are at most 1/4, 1/2, 1 and 2."""
    rounding = 16 * float(np.finfo(np.float32).eps)
    with np.errstate(all="ignore"):
        if tail == BOOLEAN:
            return (1 + scores) / 2, tolerance / 2
        if tail == "Sigmoid":
            return 1 / (1 + np.exp(-scores)), tolerance / 4 + rounding
        if tail == "Tanh":
            return np.tanh(scores), tolerance + rounding
        if tail:
            powers = np.exp(scores - scores.max(axis=1, keepdims=True))
            worst, total = tolerance.max(axis=1, keepdims=True), powers.sum(axis=1, keepdims=True)
            if tail == "Softmax":
                return powers / total, worst / 2 + rounding
            logarithm = scores - scores.max(axis=1, keepdims=True) - np.log(total)
            kept = logarithm > LEAST_LOGARITHM
            return logarithm, np.where(kept, 2 * worst + rounding * (1 + np.abs(logarithm)), np.inf)
    return scores, tolerance
