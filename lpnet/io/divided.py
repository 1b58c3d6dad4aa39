"""Affine layers for formats that hold only floats: rows of floats, each divided by a float."""

import math
from fractions import Fraction

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import FloatArray, Numbers, fraction, fractions, nearest, shortened, to_float
from lpnet.networks.affine import Layer


def divided(layer: Layer) -> tuple[FloatArray, FloatArray]:
    """The rows (weight, bias) of a layer times a divisor each, (m, d + 1) and (m,); where that does not help, rounded.

    x / σ, as scalers have it, is held so; 1/σ is no float. InputError for numbers beyond float64.
    """
    made, divisors = [], []
    for row in layer.rows:
        exact = list(map(fraction, row))
        common = math.lcm(*(entry.denominator for entry in exact))
        odd = common >> (common & -common).bit_length() - 1
        held = all(to_float(entry * odd) == entry * odd for entry in [Fraction(1), *exact])
        times = odd if held else 1
        made.append([entry * times for entry in exact])
        divisors.append(float(times))
    rows = fractions([entry for row in made for entry in row], layer.rows.shape)
    if not np.isfinite(nearest(rows)).all():
        raise InputError("a layer has a number that float64 does not reach; a .json file holds it")
    return nearest(rows), np.array(divisors)


def exact_quotient(rows: Numbers, divisor: Numbers) -> Numbers:
    """rows / divisor, exactly."""
    spread = np.broadcast_to(divisor, rows.shape)
    entries = [fraction(entry) / fraction(by) for entry, by in zip(rows.flat, spread.flat, strict=True)]
    return shortened(fractions(entries, rows.shape))


def is_divided(layer: Layer) -> bool:
    """Whether `divided` rounds nothing."""
    rows, divisor = divided(layer)
    return bool((exact_quotient(rows, divisor[:, None]) == layer.rows).all())
