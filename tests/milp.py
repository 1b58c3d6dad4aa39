"""A second opinion on boxes: do two networks differ by a margin? One mixed-integer program a direction, in floats.

A ReLU r = R(a) with lo ≤ a ≤ hi on the box and a binary z: r ≥ a, r ≥ 0, r ≤ a − lo (1 − z), r ≤ hi z. A threshold unit: z = 1
forces h ≥ 0, z = 0 forces h ≤ −margin; the later layers are linear in the binaries.
"""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from lpnet import ReLUNetwork, SignCircuit


class Program:
    """Variables with bounds, linear rows row·v ≥ least; built up, then solved."""

    def __init__(self, box):
        self.lower, self.upper, self.binary = list(box.lower), list(box.upper), [0] * box.inputs
        self.box, self.rows = box, []

    def variable(self, lower, upper, binary=0):
        self.lower.append(lower)
        self.upper.append(upper)
        self.binary.append(binary)
        return len(self.lower) - 1

    def at_least(self, terms, least):
        """Σ coefficient · variable ≥ least; terms: variable → coefficient."""
        self.rows.append((terms, least))

    def form(self, weight, bias):
        """A form in the inputs as (terms, constant, least, largest)."""
        ends = weight * self.box.lower, weight * self.box.upper
        return dict(enumerate(weight)), bias, np.minimum(*ends).sum() + bias, np.maximum(*ends).sum() + bias

    def solve(self):
        """A point of the box, or None."""
        matrix = np.zeros((len(self.rows), len(self.lower)))
        for row, (terms, _) in enumerate(self.rows):
            for variable, coefficient in terms.items():
                matrix[row, variable] += coefficient
        rows = LinearConstraint(matrix, [least for _, least in self.rows], np.inf)
        bounds = Bounds(self.lower, self.upper)
        answer = milp(np.zeros(len(self.lower)), constraints=rows, integrality=self.binary, bounds=bounds)
        assert answer.status in (0, 2), answer.message
        return answer.x[: self.box.inputs] if answer.status == 0 else None


def scale(terms, factor):
    return {variable: factor * coefficient for variable, coefficient in terms.items()}


def threshold(program, terms, constant, least, largest, margin):
    """A binary that is 1 where the form is ≥ 0, 0 where it is ≤ −margin."""
    z = program.variable(0, 1, 1)
    program.at_least({**terms, z: min(least, 0)}, min(least, 0) - constant)
    program.at_least({**scale(terms, -1), z: max(largest, 0) + margin}, margin + constant)
    return z


def layer(program, inputs, weights, biases):
    """Binaries of threshold units on binaries that stand for ±1; the weights are whole numbers or halves."""
    units = []
    for weight, bias in zip(weights, biases, strict=True):
        terms, constant, reach = dict(zip(inputs, 2 * weight, strict=True)), bias - weight.sum(), np.abs(weight).sum()
        units.append(threshold(program, terms, constant, bias - reach, bias + reach, 0.25))
    return units


def output(program, network, margin):
    """The output as (terms, constant): ≥ margin for +1, ≤ −margin for −1."""
    forms = [program.form(u, b) for u, b in zip(network.hidden_weight, network.hidden_bias, strict=True)]
    if isinstance(network, ReLUNetwork):
        relus = [relu(program, *form) for form in forms]
        return dict(zip(relus, network.output_weight, strict=True)), network.output_bias
    units = [threshold(program, *form, margin) for form in forms]
    if isinstance(network, SignCircuit):
        units = layer(program, units, network.middle_weight, network.middle_bias)
    (z,) = layer(program, units, network.output_weight[None], [network.output_bias])
    return {z: 2 * margin}, -margin


def relu(program, terms, constant, least, largest):
    """A variable that is R(a)."""
    r, z = program.variable(0, max(largest, 0)), program.variable(0, 1, 1)
    program.at_least({r: 1, **scale(terms, -1)}, constant)
    program.at_least({r: -1, **terms, z: min(least, 0)}, min(least, 0) - constant)
    program.at_least({r: -1, z: max(largest, 0)}, 0)
    return r


def difference(network_a, network_b, box, margin=1e-3):
    """A point of the box where one is +1 and the other −1, each by the margin; None if there is none, within rounding."""
    for positive, negative in ((network_a, network_b), (network_b, network_a)):
        program = Program(box)
        terms, constant = output(program, positive, margin)
        program.at_least(terms, margin - constant)
        terms, constant = output(program, negative, margin)
        program.at_least(scale(terms, -1), margin + constant)
        point = program.solve()
        if point is not None:
            return point
    return None
