"""Why no ReLU network with positive output weights has these half-spaces: evidence that integers can check.

Let K = {h_k ≤ 0 for all k} have an interior and be {f ≤ 0} for f = w0 + Σ R(a_i), w0 < 0, and let C be the cone over K, with
F(X, t) = w0 t + Σ R(a_i(X, t)) on it. F is convex, < 0 inside C, and 0 on its boundary: also for t = 0, where −e = 0.

1. A segment on the boundary is crossed by no unit. Along it F is 0, a sum of convex functions; none of them can bend.
2. Near an inner point of the ridge between facets k and l, F would be 0 in C if it did not bend. So units pass through the
   whole ridge and the interior of C: multiples of A_τ = h_k − τ h_l, τ > 0, active on one side. Beside the facets F = λ_k h_k
   and λ_l h_l with λ > 0, hence λ_k h_k − λ_l h_l = Σ_τ w_τ A_τ with w_τ ≥ 0: the same w for every ridge in the hyperplane.
3. By 1, τ is not strictly between the ratios h_k / h_l at two points of another facet.

Where 3 leaves a finite number of τ for each ridge, 2 is a system of linear equations in λ > 0, w ≥ 0, and multipliers y refute
it: Σ y·(h_k λ_k − h_l λ_l) ≥ 0, somewhere > 0, and Σ y·A_τ ≤ 0 for every hyperplane.

So no network with output weights > 0 is the union of the {h_k ≥ 0}: with w0 ≥ 0 it is constant. Nor is one with output weights
< 0, whose {f ≥ 0} is convex: a convex union of half-spaces is one half-space, or all of R^d. For the intersection of the
{h_k ≤ 0} the same holds with −f, but for w0 = 0: −Σ R(a_i) ≥ 0 is the AND of the {a_i ≤ 0} and needs as many units as facets.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import mul

from lpnet.brief import brief
from lpnet.exact import Form, Point, add, primitive, sign, times, value


@dataclass(frozen=True)
class Ridge:
    """Facets k and l, a point where no other half-space vanishes, and the multipliers y of the ridge's equation, (d + 1,)."""

    k: int
    l: int  # noqa: E741
    witness: Point
    multipliers: Form


@dataclass(frozen=True)
class OneSignedCertificate:
    """No network with output weights of one sign: ridges whose equations contradict each other, and points of C that leave each
    of them finitely many hyperplanes.

    Index m, for m half-spaces, is −e: the facet at infinity. Points and witnesses are (X, t), t ≥ 0, not 0.
    """

    ridges: tuple[Ridge, ...]
    points: tuple[Point, ...]

    __repr__ = brief()

    @property
    def sentence(self) -> str:
        """What is wrong, in a few words."""
        pairs = ", ".join(f"{ridge.k} and {ridge.l}" for ridge in self.ridges[:3])
        more = f" (and {len(self.ridges) - 3} more)" if len(self.ridges) > 3 else ""
        return f"no units can pass through the ridge{'s' * (len(self.ridges) > 1)} of the half-spaces {pairs}{more}"

    def scaled(self, shifts: Sequence[int]) -> "OneSignedCertificate":
        """The certificate for half-spaces whose column j, times 2^shift_j, is that of the present ones."""
        least = min(shifts)

        def change(vector: Form) -> Form:
            return tuple(z << s - least for z, s in zip(vector, shifts, strict=True))

        ridges = tuple(Ridge(r.k, r.l, change(r.witness), change(r.multipliers)) for r in self.ridges)
        return OneSignedCertificate(ridges, tuple(map(change, self.points)))

    def excludes(self, halfspaces: Sequence[Form]) -> bool:
        """Whether this proves, by arithmetic alone, that K = {h_k ≤ 0} is {f ≤ 0} for no f = w0 + Σ R(a_i), w0 < 0."""
        forms = with_infinity(halfspaces)
        if not self.ridges or any(not any(at) or any(value(h, at) > 0 for h in forms) for at in self.points):
            return False
        facets: dict[int, int] = defaultdict(int)
        planes: dict[Form, int] = defaultdict(int)
        for ridge in self.ridges:
            if not is_ridge(forms, ridge.k, ridge.l, ridge.witness):
                return False
            ratios = allowed(forms, ridge.k, ridge.l, self.points)
            if ratios is None:
                return False
            h, other = forms[ridge.k], forms[ridge.l]
            facets[ridge.k] += dot(ridge.multipliers, h)
            facets[ridge.l] -= dot(ridge.multipliers, other)
            for ratio in ratios:
                plane = cut(h, other, ratio)
                side = sign(next(filter(None, plane)))
                planes[times(side, plane)] += dot(ridge.multipliers, plane)
        sums = facets.values()
        return min(sums) >= 0 and max(sums) > 0 and max(planes.values(), default=0) <= 0


def with_infinity(halfspaces: Sequence[Form]) -> list[Form]:
    """The half-spaces and −e."""
    return [*halfspaces, (0,) * (len(halfspaces[0]) - 1) + (-1,)]


def dot(left: Form, right: Form) -> int:
    """Σ left_j right_j."""
    return sum(map(mul, left, right))


def is_ridge(forms: Sequence[Form], k: int, l: int, at: Point) -> bool:  # noqa: E741
    """Whether exactly the independent forms k and l vanish at a point of C."""
    if {i for i, h in enumerate(forms) if value(h, at) == 0} != {k, l} or any(value(h, at) > 0 for h in forms):
        return False
    a, b = forms[k], forms[l]
    return dot(a, b) ** 2 < dot(a, a) * dot(b, b)


def cut(h: Form, other: Form, ratio: Fraction) -> Form:
    """A_τ = h − τ·other, a shortest integer multiple."""
    return primitive(add(times(ratio.denominator, h), times(-ratio.numerator, other)))


def allowed(forms: Sequence[Form], k: int, l: int, points: Sequence[Point]) -> list[Fraction] | None:  # noqa: E741
    """The τ > 0 that lie strictly between no two ratios on a third facet; None if they are more than finitely many.

    The open intervals of the facets have to cover (0, ∞) up to single points.
    """
    reach, found = Fraction(0), []
    for low, high in sorted(intervals(forms, k, l, points), key=lambda interval: interval[0]):
        if low > reach:
            return None
        if low == reach > 0:
            found.append(low)
        if high is None:
            return found
        reach = max(reach, high)
    return None


def intervals(forms: Sequence[Form], k: int, l: int, points: Sequence[Point]) -> Iterator[tuple[Fraction, Fraction | None]]:  # noqa: E741
    """For every third facet the least and the largest ratio h_k / h_l at the points on it; None is ∞."""
    values = [(value(forms[k], at), value(forms[l], at)) for at in points]
    for m, h in enumerate(forms):
        if m not in (k, l):
            on = [pair for pair, at in zip(values, points, strict=True) if any(pair) and value(h, at) == 0]
            ratios = [Fraction(a, b) for a, b in on if b]
            low, high = min(ratios, default=None), None if len(ratios) < len(on) else max(ratios, default=None)
            if low is not None and low != high:
                yield low, high


def without_cut(
    ridge: tuple[int, int], witness: Point, points: Sequence[Point], halfspaces: Sequence[Form]
) -> OneSignedCertificate:
    """The certificate of a ridge that no hyperplane may pass: its y has y·h_k > 0 = y·h_l."""
    forms = with_infinity(halfspaces)
    h, other = forms[ridge[0]], forms[ridge[1]]
    multipliers = primitive(add(times(dot(other, other), h), times(-dot(h, other), other)))
    return OneSignedCertificate((Ridge(*ridge, witness, multipliers),), tuple(points))
