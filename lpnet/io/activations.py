"""What ends a layer: ReLUs, threshold units and what makes numbers of them, Sigmoid or the like at the end."""

from dataclasses import replace

import numpy as np
from flint import fmpq

from lpnet.errors import InputError
from lpnet.exact import FloatArray
from lpnet.io.arithmetic import opposite, plus, scaled
from lpnet.io.signal import BOOLEAN, Signal, check_before_tail, check_vector, exact, step_name, stepped

HALF = np.array(fmpq(1, 2))


def relu(signal: Signal, where: str) -> Signal:
    """R(signal): the features of the output layer."""
    check_before_tail(signal, where)
    if signal.hidden and signal.plain:
        before = "threshold units" if signal.signs else "another ReLU"
        raise InputError(f"{where} follows {before} with nothing between them; leave it out")
    if signal.hidden:
        second = "comes behind threshold units" if signal.signs else "is a second ReLU"
        raise InputError(f"{where} {second}; wanted one hidden layer, and its scores as the outputs")
    check_vector(where, signal.shape)
    return Signal.of_features(signal.shape, signal, steps=(step_name(where),))


def threshold(signal: Signal, where: str) -> Signal:
    """Whether signal ≥ 0: the features sgn(signal), as Booleans."""
    check_before_tail(signal, where)
    check_vector(where, signal.shape)
    return replace(Signal.of_features(signal.shape, signal, signs=True, steps=(step_name(where),)), tail=BOOLEAN)


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
    if signal.hidden is None:
        raise InputError(f"{where} comes before any ReLU; wanted one hidden layer of ReLUs")
    outputs = int(np.prod(signal.shape))
    if tail in ("Softmax", "LogSoftmax") and outputs < 2:
        raise InputError(f"{where} wants two or more outputs, got {outputs}; use Sigmoid for one")
    return replace(stepped(signal, where), tail=tail)
