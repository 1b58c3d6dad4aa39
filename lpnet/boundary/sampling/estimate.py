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
from dataclasses import dataclass
from fractions import Fraction
from math import exp, inf, sqrt

import numpy as np
from threadpoolctl import threadpool_limits

from lpnet.boundary.independent import independent
from lpnet.boundary.pieces import NotApplicable
from lpnet.boundary.sampling.levels import Level, levels
from lpnet.errors import InputError, Stopped
from lpnet.exact import FloatArray, independent_inputs
from lpnet.laws import mixed_bound, one_sign_bound
from lpnet.networks import ExactForm, Polyhedron, ReLUNetwork
from lpnet.networks.question import question
from lpnet.watch import Watch, in_parallel

FEW_LINES = 1_000  # of a level: all are gone through
FEW_IN_ALL = 20_000  # lines of all levels, likewise
A_ROUND = 1_000  # lines
SAMPLES = 20_000  # by default
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """How many half-spaces a network in general position needs: each of its boundary pieces has one of its own.

    pieces: the estimate, within the proved bounds; standard_error: its own, estimated too; interval: of 95 % confidence, see
    `Sample.factor`, within them too; bound: the most for networks of its kind (`lpnet.laws`); lines: those of all levels;
    samples: how many were drawn; hits: how many of these have a piece; effective: the number of equal samples that would say as
    much; exact: whether nothing had to be estimated; stopped: why the drawing ended before its goal, if it did;
    at_least: pieces that were seen, a bound from below; unbiased: the estimate as drawn, which may be beyond the bounds.
    """

    pieces: int
    standard_error: int
    interval: tuple[int, int]
    bound: int
    lines: int
    samples: int
    hits: int
    effective: float
    exact: bool
    seconds: float
    stopped: str | None = None
    at_least: int = 0
    unbiased: int = 0

    @property
    def relative_error(self) -> float:
        """The standard error by the estimate; infinite where no piece was found."""
        return 0.0 if self.exact else self.standard_error / self.pieces if self.pieces else inf


def estimate_pieces(
    network: ReLUNetwork,
    samples: int | None = None,
    relative_error: float | None = None,
    seed: int = 0,
    watch: Watch | None = None,
    workers: int | None = None,
) -> Estimate:
    """Estimate how many half-spaces the minimal threshold equivalent has, on all of R^d.

    Draws until there are `samples` lines (in whole rounds; by default 20,000) or the standard error is at most relative_error
    times the estimate, whichever comes first; to stop on the error makes the estimate slightly biased. workers: threads, by
    default all cores. Where the hidden weights are linearly independent, or there are few lines, the answer is
    exact. On the lines drawn every sign is certain, as in the engines; on the others general position is assumed.
    Raises InputError for a network that is seen not to be in general position.
    """
    started, watch, form = time.perf_counter(), watch or Watch(), question(network).form
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
    return sample.estimate(most_pieces(network, form), lines, time.perf_counter() - started, watch.stopped)


def most_pieces(network: ReLUNetwork, form: ExactForm) -> int:
    """The law for the units of the normal form; for those of the network where it has an affine part, which the laws lack."""
    own = (1,) * len(network.positive) + (-1,) * len(network.negative)
    signs = own if any(form.affine[:-1]) else form.signs
    law = one_sign_bound if len(set(signs)) == 1 else mixed_bound
    return law(len(signs), len(independent_inputs([form.affine, *form.units])))


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


@dataclass(frozen=True)
class Sample:
    """What was drawn: lines, N_j of the levels drawn from; known, the pieces at the others; sums, for each level the number of
    lines drawn, Σ X, Σ X² and how many X > 0, (4, levels)."""

    lines: tuple[int, ...]
    known: int
    sums: FloatArray

    @property
    def size(self) -> int:
        """How many lines were drawn."""
        return int(self.sums[0].sum())

    @property
    def weights(self) -> FloatArray:
        """N_j / n_j by Σ N_j."""
        return np.array([lines / sum(self.lines) for lines in self.lines]) / self.sums[0]

    @property
    def mean(self) -> float:
        """The estimate by Σ N_j."""
        return float(self.weights @ self.sums[1]) + self.known / sum(self.lines)

    @property
    def variances(self) -> FloatArray:
        """Those of the levels' parts of the mean."""
        drawn, total, squares, _ = self.sums
        return self.weights**2 * drawn * np.maximum(squares - total**2 / drawn, 0.0) / (drawn - 1)

    @property
    def relative_error(self) -> float:
        """The standard error by the estimate; infinite where no piece was drawn."""
        return sqrt(self.variances.sum()) / self.mean if self.sums[3].any() else inf

    @property
    def effective(self) -> float:
        """(Σ weight · X)² / Σ (weight · X)²: the number of equal samples that would say as much."""
        return float((self.weights @ self.sums[1]) ** 2 / (self.weights**2 @ self.sums[2])) if self.sums[3].any() else 0.0

    @property
    def factor(self) -> float:
        """exp(t · relative error), with the quantile of Student's t for 95 % and Welch's degrees of freedom."""
        from scipy.special import stdtrit

        parts = self.variances
        if not parts.any():
            return 1.0
        freedom = parts.sum() ** 2 / (parts**2 / (self.sums[0] - 1)).sum()
        return exp(float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * self.relative_error)

    def estimate(self, bound: int, lines: int, seconds: float, stopped: str | None) -> Estimate:
        """All of it in whole numbers, which may be beyond floats.

        What is drawn beyond a proved bound is brought to it, and the interval with it.
        """
        hits, exact = int(self.sums[3].sum()), not self.lines
        at_least = self.known + (hits > 0)

        def whole(part: float) -> int:
            return round(Fraction(part) * sum(self.lines))

        unbiased, error = (whole(self.mean), whole(sqrt(self.variances.sum()))) if hits else (self.known, 0)
        pieces = min(max(unbiased, at_least), bound)
        interval = pieces, pieces if exact else bound
        if hits:
            factor = Fraction(self.factor)
            interval = max(at_least, round(pieces / factor)), min(bound, round(pieces * factor))
        return Estimate(
            *(pieces, error, interval, bound, lines, self.size, hits, self.effective, exact, seconds, stopped),
            at_least=at_least,
            unbiased=unbiased,
        )
