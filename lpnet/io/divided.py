"""Affine layers for formats that hold only floats: rows of floats, each divided by a float."""

import math
from fractions import Fraction

import numpy as np

from lpnet.exact import FloatArray, Numbers, fraction, fractions, nearest, shortened, to_float
from lpnet.networks.affine import Layer


def divided(layer: Layer) -> tuple[FloatArray, FloatArray]:
    """The rows (weight, bias) of a layer times a divisor each, (m, d + 1) and (m,): rounded where floats do not hold them.

    x / σ, as scalers have it, is held so; 1/σ is no float.
    """
    made, divisors = [], []
    for row in layer.rows:
        common = math.lcm(*(fraction(entry).denominator for entry in row if entry))
        odd = common >> (common & -common).bit_length() - 1
        times = odd if to_float(Fraction(odd)) == odd else 1
        made.append([fraction(entry) * times for entry in row])
        divisors.append(float(times))
    rows = fractions([entry for row in made for entry in row], layer.rows.shape)
    return nearest(rows), np.array(divisors)


def exact_quotient(rows: Numbers, divisor: Numbers) -> Numbers:
    """rows / divisor, exactly."""
    spread = np.broadcast_to(divisor, rows.shape)
    entries = [fraction(entry) / fraction(by) for entry, by in zip(rows.flat, spread.flat, strict=True)]
    return shortened(fractions(entries, rows.shape))
