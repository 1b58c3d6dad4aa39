"""What ends a layer: gates, of ReLUs or of threshold units, what makes numbers of these, and Sigmoid or the like at the end."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io.arithmetic import added, combined, opposite, plus, scaled, subtracted
from lpnet.io.rearranging import joined, picked
from lpnet.io.signal import (
    BOOLEAN,
    RELUS,
    SIGNS,
    Block,
    Signal,
    check_before_tail,
    check_vector,
    exact,
    step_name,
    stepped,
)

HALF = np.array(fmpq(1, 2))


def relu(signal: Signal, where: str) -> Signal:
    """R(signal), a feature for each entry; the same ones where it is asked for twice, and R(R(z)) = R(z)."""
    check_before_tail(signal, where)
    if signal.is_only(RELUS):
        return stepped(signal, where)
    return Signal.of_features(signal.shape, signal.relus, (step_name(where),))


def leaky(signal: Signal, where: str, slope: Any) -> Signal:
    """z where z ≥ 0, else slope · z: slope · z + (1 − slope) R(z), the slopes float64, one for all or with broadcasting.

    Slope −1 is |z|.
    """
    slope = np.asarray(slope, dtype=np.float64)
    active = relu(signal, where)  # of the signal as it is, before its entries become features
    itself = signal if signal.plain else signal.as_features()
    return added(scaled(itself, where, slope), scaled(active, where, np.asarray(1 - exact(slope))), where)


def clip(signal: Signal, where: str, least: Any = None, largest: Any = None) -> Signal:
    """min(max(z, a), b) = a + R(z − a) − R(z − b), of floats a ≤ b, one for all or with broadcasting; None for no limit."""
    check_before_tail(signal, where)
    low, high = (None if limit is None else np.asarray(limit, dtype=np.float64) for limit in (least, largest))
    if low is not None and high is not None and not (low <= high).all():
        raise InputError(f"{where} keeps numbers between {least} and {largest}; wanted limits in this order")
    if low is None:
        return signal if high is None else opposite(_above(opposite(signal), where, -high))
    lifted = _above(signal, where, low)
    return lifted if high is None else subtracted(lifted, relu(_moved(signal, where, -high), where), where)


def _above(signal: Signal, where: str, least: FloatArray) -> Signal:
    """max(z, a) = a + R(z − a)."""
    return _moved(relu(_moved(signal, where, -least), where), where, least)


def _moved(signal: Signal, where: str, by: FloatArray) -> Signal:
    """The signal itself where it is moved by 0, in its own shape."""
    return plus(signal, where, by) if by.any() or by.ndim else signal


def maximum(signals: Sequence[Signal], where: str) -> Signal:
    """The largest, entry by entry with broadcasting: max(a, b) = b + R(a − b), in pairs, so that few gates are in a row."""
    if len(signals) == 1:
        return signals[0]
    first, second = (maximum(part, where) for part in (signals[: len(signals) // 2], signals[len(signals) // 2 :]))
    return added(second, relu(subtracted(first, second, where), where), where)


def minimum(signals: Sequence[Signal], where: str) -> Signal:
    """The least, entry by entry with broadcasting: min(a, b) = a − R(a − b), in pairs."""
    if len(signals) == 1:
        return signals[0]
    first, second = (minimum(part, where) for part in (signals[: len(signals) // 2], signals[len(signals) // 2 :]))
    return subtracted(first, relu(subtracted(first, second, where), where), where)


def pooled(signal: Signal, where: str, groups: NDArray[np.intp], largest: bool = True) -> Signal:
    """The largest (or least) entry of each group: numbers of entries (…, k), from 1 on, 0 for none.

    max(a, b) = b + R(a − b), min(a, b) = b − R(b − a), in pairs, each of them once, however many groups it is in; in front of
    ReLUs, which keep the order.
    """
    check_before_tail(signal, where)
    if signal.order is not None and signal.is_only(RELUS) and len(signal.blocks) == 1 and signal.blocks[0].source:
        numbers = np.append(0, signal.order.ravel() + 1)[groups]
        return relu(pooled(signal.blocks[0].source, where, numbers, largest), where)
    pool = signal if signal.plain else signal.as_features()
    rows = groups.reshape(-1, groups.shape[-1])
    rows = np.where(rows == 0, rows.max(axis=1, keepdims=True), rows)
    side = 1.0 if largest else -1.0
    while rows.shape[1] > 1:
        pairs = np.hstack([rows, rows[:, -1:]])[:, : -(-rows.shape[1] // 2) * 2].reshape(-1, 2)
        pairs, places = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
        alone = pairs[:, 0] == pairs[:, 1]
        above = relu(combined(pool, where, pairs[~alone], np.array([side, -side])), where)
        made = (added if largest else subtracted)(picked(pool, pairs[~alone, 1]), above, where)
        pool = joined([made, picked(pool, pairs[alone, 1])], 0) if alone.any() else made
        rows = (np.argsort(np.argsort(alone, kind="stable")) + 1)[places].reshape(len(rows), -1)
    return picked(pool, rows.reshape(groups.shape[:-1]))


def threshold(signal: Signal, where: str) -> Signal:
    """Whether signal ≥ 0: the features sgn(signal), as Booleans."""
    check_before_tail(signal, where)
    check_vector(where, signal.shape)
    units = Block(int(np.prod(signal.shape)), signal, SIGNS)
    return replace(Signal.of_features(signal.shape, units, (step_name(where),)), tail=BOOLEAN)


def strict(signal: Signal, where: str) -> Signal:
    """Whether signal > 0: not −signal ≥ 0."""
    return negated(threshold(opposite(signal), where))


def sign(signal: Signal, where: str) -> Signal:
    """−1, 0 or +1: [z ≥ 0] + [z > 0] − 1 = (sgn(z) − sgn(−z)) / 2."""
    above, below = (replace(threshold(z, where), tail="") for z in (signal, opposite(signal)))
    return scaled(subtracted(above, below, where), where, np.array(0.5))


def heaviside(signal: Signal, where: str, at_zero: FloatArray) -> Signal:
    """0 where z < 0, 1 where z > 0, and v at 0: v [z ≥ 0] + (1 − v) [z > 0], with broadcasting."""
    if at_zero.all() and (at_zero == 1).all():
        return as_number(threshold(signal, where), where)
    above = as_number(strict(signal, where), where)
    if not at_zero.any():
        return above
    closed = scaled(as_number(threshold(signal, where), where), where, at_zero)
    return added(closed, scaled(above, where, np.asarray(1 - exact(at_zero))), where)


def all_of(left: Signal, right: Signal, where: str) -> Signal:
    """And: sgn(p + q − 1) of two Booleans ±1."""
    first, second = (replace(boolean, tail="") for boolean in (left, right))
    return threshold(plus(added(first, second, where), where, np.array(-1.0)), where)


def any_of(left: Signal, right: Signal, where: str) -> Signal:
    """Or."""
    return negated(all_of(negated(left), negated(right), where))


def as_number(signal: Signal, where: str) -> Signal:
    """1 and 0 of a Boolean; what is a number already stays what it is."""
    return switched(signal, where, np.array(1.0), np.array(0.0)) if signal.tail == BOOLEAN else signal


def negated(boolean: Signal) -> Signal:
    """Not."""
    return opposite(boolean)


def switched(boolean: Signal, where: str, high: FloatArray, low: FloatArray) -> Signal:
    """`high` where the Boolean holds, else `low`, entry by entry with broadcasting: (high + low)/2 + (high − low)/2 · (±1)."""
    signs = stepped(replace(boolean, tail=""), where)
    if (high == 1).all() and (low == -1).all() and max(high.size, low.size) == 1:
        return signs
    high, low = exact(high) * HALF, exact(low) * HALF
    return plus(scaled(signs, where, np.asarray(high - low)), where, np.asarray(high + low))


def ended(signal: Signal, where: str, tail: str) -> Signal:
    """Sigmoid or the like at the end."""
    check_before_tail(signal, where)
    outputs = int(np.prod(signal.shape))
    if tail in ("Softmax", "LogSoftmax") and outputs < 2:
        raise InputError(f"{where} wants two or more outputs, got {outputs}; use Sigmoid for one")
    return replace(stepped(signal, where), tail=tail)
