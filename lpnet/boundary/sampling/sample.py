"""What was drawn of the pieces of a boundary, and what it says about their number."""

from dataclasses import dataclass
from fractions import Fraction
from math import exp, inf, sqrt

import numpy as np

from lpnet.exact import FloatArray

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """How many half-spaces a network in general position needs: each of its boundary pieces has one of its own.

    Of several hidden layers: how many pieces it has, whatever their half-spaces.
    pieces: the estimate, within the proved bounds; standard_error: its own, estimated too; interval: of 95 % confidence, see
    `Sample.factor`, within them too; bound: the most for networks of its kind (`lpnet.laws`); lines: those of all levels;
    samples: how many were drawn; hits: how many of these have a piece; effective: the number of equal samples that would say as
    much; exact: whether nothing had to be estimated; stopped: why the drawing ended before its goal, if it did;
    at_least: pieces that were seen, a bound from below; unbiased: the estimate as drawn, which may be beyond the bounds.
    Of several hidden layers, samples are descents, lines 0, and the effective number is one of rounds of descents; cells: an
    estimate of the cells of the normal form, with or without a piece, in the same way.
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
    cells: "Estimate | None" = None

    @property
    def relative_error(self) -> float:
        """The standard error by the estimate; infinite where no piece was found."""
        return 0.0 if self.exact else self.standard_error / self.pieces if self.pieces else inf


@dataclass(frozen=True)
class Sample:
    """What was drawn: lines, N_j of the levels drawn from; known, the pieces at the others; sums, for each level the number of
    lines drawn, Σ X, Σ X² and how many X > 0, (4, levels); seen: how many different pieces were, where that is known."""

    lines: tuple[int, ...]
    known: int
    sums: FloatArray
    seen: int = 0

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
        at_least = max(self.known + (hits > 0), self.seen)

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
