"""An unbiased estimate of the number of boundary pieces, from lines of the vertex engine drawn at random.

The number is Σ_j Σ_I X_I over the levels j (see `levels`), X_I pieces being lowest at the vertices of the line I. With n_j of
the N_j = C(m, r_j − 1) lines of level j drawn uniformly, with replacement, Σ_j N_j · mean X is an unbiased estimate, and the
sum of N_j² s_j² / n_j one of its variance. Every round draws the same numbers, in proportion to N_j, from streams of its own:
the answer depends on the seed, not on the workers. Levels of few lines are gone through completely, without any error.
"""

import itertools
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from math import inf

import numpy as np
from threadpoolctl import threadpool_limits

from lpnet.boundary.independent import independent
from lpnet.boundary.pieces import NotApplicable
from lpnet.boundary.sampling.levels import Level, levels
from lpnet.boundary.sampling.sample import Estimate, Sample
from lpnet.errors import InputError, Stopped
from lpnet.exact import FloatArray, independent_inputs
from lpnet.laws import classes_bound, deep_bound, mixed_bound, one_sign_bound
from lpnet.networks import ExactForm, Polyhedron, ReLUNetwork
from lpnet.networks.classifier import Classifier
from lpnet.networks.decision import Decision
from lpnet.networks.question import question
from lpnet.watch import Watch, in_parallel

FEW_LINES = 1_000  # of a level: all are gone through
FEW_IN_ALL = 20_000  # lines of all levels, likewise
A_ROUND = 1_000  # lines
SAMPLES = 20_000  # by default
DESCENTS = 2_000  # likewise, for several hidden layers


def estimate_pieces(
    network: ReLUNetwork | Classifier,
    samples: int | None = None,
    relative_error: float | None = None,
    seed: int = 0,
    watch: Watch | None = None,
    workers: int | None = None,
    domain: Polyhedron | None = None,
) -> Estimate:
    """Estimate how many half-spaces the minimal threshold equivalent has, on all of R^d; of several hidden layers, or on a
    domain, how many pieces and cells, from descents through the tree (`lpnet.boundary.sampling.descents`; by default 2,000, in
    one thread); of several outputs likewise, a piece being one between two classes.

    Draws until there are `samples` lines (in whole rounds; by default 20,000) or the standard error is at most relative_error
    times the estimate, whichever comes first; to stop on the error makes the estimate slightly biased. workers: threads, by
    default all cores. Where the hidden weights are linearly independent, or there are few lines, the answer is
    exact. On the lines drawn every sign is certain, as in the engines; on the others general position is assumed.
    Raises InputError for a network of one layer that is seen not to be in general position.
    """
    started, watch, asked = time.perf_counter(), watch or Watch(), question(network, domain)
    if isinstance(asked.network, Classifier):
        decision = asked.network.normal_form(asked.domain)
        cells = deep_bound(map(len, decision.body.levels), len(independent_inputs([*decision.affine, *decision.body.units])))
        most = classes_bound(cells, len(decision.classes)), cells
        return deep_estimate(decision, asked.domain, most, samples, relative_error, seed, watch)
    form = asked.form
    if form.links or asked.domain.inequalities():
        cells = deep_bound(map(len, form.levels), len(independent_inputs([form.affine, *form.units])))
        most = most_pieces(asked.network, form), cells
        return deep_estimate(form, asked.domain, most, samples, relative_error, seed, watch)
    if samples is None and relative_error is None:
        samples = SAMPLES
    try:
        known = independent(form, Polyhedron.everywhere(form.inputs), watch, store=False).count or 0
        lines, sample = 0, Sample((), known, np.zeros((4, 0)))
    except NotApplicable:
        try:
            every = list(levels(form))
            lines = sum(level.lines for level in every)
            few = FEW_LINES if lines > FEW_IN_ALL else lines
            known = sum(int(level.numbers(level.all_lines()).sum()) for level in every if level.lines <= few)
            drawn = [level for level in every if level.lines > few]
            sample = draw(drawn, known, samples or inf, relative_error or 0.0, seed, watch, workers or os.cpu_count() or 1)
        except NotApplicable as reason:
            raise InputError(
                f"the network is not in general position ({reason}), so an estimate could be wrong; lpnet minimal can count it"
            ) from None
    return sample.estimate(most_pieces(asked.network, form), lines, time.perf_counter() - started, watch.stopped)


def most_pieces(network: ReLUNetwork, form: ExactForm) -> int:
    """The law for the units of the normal form; for those of the network where it has an affine part, which the laws lack."""
    inputs = len(independent_inputs([form.affine, *form.units]))
    if network.deeper or network.skip is not None:
        return deep_bound(map(len, form.levels), inputs)
    own = (1,) * len(network.positive) + (-1,) * len(network.negative)
    signs = own if any(form.affine[:-1]) else form.signs
    law = one_sign_bound if len(set(signs)) == 1 else mixed_bound
    return law(len(signs), inputs)


def deep_estimate(
    form: ExactForm | Decision,
    domain: Polyhedron,
    most: tuple[int, int],
    samples: int | None,
    relative_error: float | None,
    seed: int,
    watch: Watch,
) -> Estimate:
    """The estimate for several hidden layers or outputs, or on a domain, which have at most so many pieces and cells."""
    from lpnet.boundary.sampling.descents import TOGETHER, descents  # numba takes its time to load

    started = time.perf_counter()
    samples = DESCENTS if samples is None and relative_error is None else samples
    both = descents(form, domain, samples or inf, relative_error or 0.0, seed, watch)
    spent = time.perf_counter() - started
    pieces, cells = (
        replace(made, samples=TOGETHER * made.samples, hits=one.count)
        for one, bound in zip(both, most, strict=True)
        for made in [one.sample.estimate(bound, 0, spent, watch.stopped)]
    )
    return replace(pieces, cells=cells)


def draw(
    drawn: Sequence[Level], known: int, samples: float, relative_error: float, seed: int, watch: Watch, workers: int
) -> "Sample":
    """Rounds of lines of these levels until there are enough, two at least, or the watch says no; none for no level.

    Stopped where that is before there are two lines of each.
    """
    lines = sum(level.lines for level in drawn)
    counts = [max(2, A_ROUND * level.lines // lines) for level in drawn]

    def one_round(number: int) -> FloatArray:
        streams = (np.random.default_rng([seed, number, place]) for place in range(len(drawn)))
        numbers = [
            level.numbers(level.some_lines(stream, count)) for level, stream, count in zip(drawn, streams, counts, strict=True)
        ]
        return np.array([[len(x), x.sum(), (x**2).sum(), np.count_nonzero(x)] for x in numbers]).T

    sample = Sample(tuple(level.lines for level in drawn), known, np.zeros((4, len(drawn))))
    if not drawn:
        return sample
    with threadpool_limits(1), suppress(Stopped):  # small matrices: threads of theirs would only wait for each other
        for number, sums in enumerate(in_parallel(one_round, itertools.count(), workers, watch)):
            sample = Sample(sample.lines, known, sample.sums + sums)
            error = sample.relative_error
            near = 1.0 if error <= relative_error else (relative_error / error) ** 2
            share = min(1.0, max(sample.size / samples, near))
            if not watch(share, sample.size) or (share == 1 and number):
                break
    if (sample.sums[0] < 2).any():
        raise watch.error()
    return sample
