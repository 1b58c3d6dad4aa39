"""How many half-spaces a ReLU network can need: bounds, and exact numbers in special cases, in closed form.

n ReLUs on d inputs: f = w0 + Σ s_k R(u_k·x + b_k), s_k = ±1. The d inputs may be replaced by the rank of the u_k.
With several hidden layers: `deep_bound`, and `tents_number`, which only depth can reach. With k outputs: `classes_bound`.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import chain, combinations
from math import comb, prod


def regions(hyperplanes: int, inputs: int) -> int:
    """Σ_{s≤d} C(n, s): the regions of n hyperplanes in general position in R^d, and the most there can be (Zaslavsky 1975)."""
    return sum(comb(hyperplanes, s) for s in range(inputs + 1))


def bounded_regions(hyperplanes: int, inputs: int) -> int:
    """C(n − 1, d): those of the regions that are bounded, in general position (Zaslavsky 1975); 0 for n = 0 < d."""
    return comb(hyperplanes - 1, inputs) if hyperplanes else int(inputs == 0)


def central_regions(hyperplanes: int, inputs: int) -> int:
    """2 Σ_{s<d} C(n − 1, s): the regions of n ≥ 1 hyperplanes through 0 in general position, and the most there can be."""
    return 2 * sum(comb(hyperplanes - 1, s) for s in range(inputs)) if hyperplanes else 1


def theorem2_bound(relus: int) -> int:
    """2^n − 1, [PS16] Theorem 2: reached by independent u_k and s_k = +1, w0 < 0. The cell with no active unit has no piece."""
    return (1 << relus) - 1


def mixed_bound(relus: int, inputs: int) -> int:
    """min(Σ_{s≤d} C(n, s), 2^n − 1), whatever the signs s_k.

    On a cell f is affine, and a piece belongs to the cell on its negative side: one piece a cell at most, and none where no
    unit is active, as f = w0 there. If all 2^n patterns occur, that cell is one of them.
    """
    return min(regions(relus, inputs), theorem2_bound(relus))


def deep_bound(widths: Iterable[int], inputs: int) -> int:
    """Π Σ_{s≤d} C(n_i, s), the most cells that layers of n_1, n_2, … ReLUs can have, whatever they and the output read.

    On a cell of the layers before, the n_i units of one more are affine, and cut it no finer than n_i hyperplanes cut R^d. A
    piece belongs to the cell on its negative side, one a cell at most.
    """
    return prod(regions(width, inputs) for width in widths)


def one_sign_bound(relus: int, inputs: int) -> int:
    """T(n, d) = min(2^n − 1, 2 Σ_{s<d} C(n − 1, s)) for n units with s_k all equal, d ≥ 1; reached for every (n, d).

    Proof. Let s_k = +1 and w0 < 0 (w0 ≥ 0 is constant; s_k = −1 by −f). C = {(x, t): w0 t + Σ R(u_k·x + b_k t) ≤ 0} is a convex
    cone with an interior. On a line in C all units are constant, and t = 0: divide by these, C is pointed. The hyperplanes
    u_k·x + b_k t = 0 that meet the interior of C cut its boundary, without the apex, into components. Along one of them the
    active units on the inner side stay the same, so it lies in one hyperplane: no more half-spaces than components.
    Let N(n, d) be the most components for a pointed cone in R^{d+1} and n ≥ 1 hyperplanes. N(n, 1) = 2, the two rays, and
    N(1, d) = 2. A further hyperplane H cuts components in two along components of H ∩ ∂C, which is the boundary of the cone
    H ∩ C in R^d cut by n − 1 hyperplanes: N(n, d) ≤ N(n − 1, d) + N(n − 1, d − 1). So N(n, d) ≤ 2 Σ_{s<d} C(n − 1, s).
    And the pattern without an active unit has no piece: 2^n − 1.
    Reached for d ≥ n by `theorem2_bound`'s networks; for d < n by `central_number`'s where no x makes all a_k < 0.

    For d < n the sum lacks the term C(n − 1, n − 1): T(n, d) ≤ 2^n − 2, and Theorem 2 needs its d ≥ n.
    """
    return min(theorem2_bound(relus), central_regions(relus, inputs))


def independent_number(positive: int, negative: int, output_bias: float) -> int:
    """How many half-spaces n1 units with s_k = +1 and n2 with s_k = −1 need if their u_k are linearly independent.

    Then a = (a_k) takes every value in R^n, every pattern occurs, and its cell has a piece if and only if f takes both signs
    on it: for w0 < 0 if a positive unit is active, (2^n1 − 1) 2^n2; for w0 > 0 if a negative one is, 2^n1 (2^n2 − 1); for
    w0 = 0 if one of each is, and each negative unit alone has its kink beside f ≡ 0: (2^n1 − 1)(2^n2 − 1) + n2.
    Only the sign of w0 matters. For n2 = 0, w0 < 0 it is [PS16] Theorem 2.
    """
    if output_bias < 0:
        return theorem2_bound(positive) << negative
    if output_bias > 0:
        return theorem2_bound(negative) << positive
    return theorem2_bound(positive) * theorem2_bound(negative) + negative


def central_number(relus: int, inputs: int, silent: bool) -> int:
    """How many half-spaces are needed for b = 0, s_k all equal, w0 ≠ 0 of the other sign, any min(n, d) of the u_k independent.

    silent: whether some x makes every u_k·x < 0 (for d ≥ n there is one always).
    Exactly 2 Σ_{s<d} C(n − 1, s), less 1 if silent: on a cell, a cone, |f − w0| grows without bound from 0, through |w0|,
    unless no unit is active there; and different cells have different half-spaces.
    """
    return central_regions(relus, inputs) - silent


def tents_number(levels: int, heights: Sequence[float | Fraction], threshold: float | Fraction) -> int:
    """Σ 2^{L|S|} over the sets S of inputs with Σ_S α_i > t: what f(x) = Σ_{i≤d} α_i T^L(x_i) − t needs, α_i, t > 0.

    T(x) = 2R(x) − 4R(x − ½) is the tent on [0, 1]; T^L, iterated in L layers of 2 ReLUs, has 2^L affine parts (Telgarsky
    2015): ±(2^L x − c), c whole, with different pairs (±, c). Wanted: no Σ m_i α_i = 0 with whole |m_i| ≤ 2^L, not all 0
    (with d = 1 always so). For t < min α_i the number is (2^L + 1)^d − 1, for t between the largest sum of fewer than all α_i
    and that of all 2^{Ld}, from 2dL ReLUs. One layer of n ReLUs has `regions(n, d)` at most, polynomial in n; for fixed d
    this is exponential in the depth: depth makes the threshold equivalent exponential where width cannot.

    Proof. A cell chooses, for each x_i, a part of T^L or 0; let S be those with a part. There f = Σ_S ±α_i (2^L x_i − c_i) − t,
    where each T^L(x_i) takes all of (0, 1), or (−∞, 1) for L = 1 and x_i > 1: f takes both signs if and only if Σ_S α_i > t.
    Two such forms on one half-space are positive multiples of each other: S and, as the |coefficients| of x_i are α_i 2^L
    in both, the factor 1 and the signs are the same, so Σ_S ±α_i (c_i − c'_i) = 0, and all c_i = c'_i.
    """
    exact = [Fraction(height) for height in heights]
    sets = chain.from_iterable(combinations(exact, size) for size in range(1 + len(exact)))
    return sum(1 << levels * len(chosen) for chosen in sets if sum(chosen) > Fraction(threshold))


def classes_bound(cells: int, classes: int) -> int:
    """cells · k(k − 1)/2: the most half-spaces that the class of the largest of k outputs can need; on one cell it is reached.

    The class is the first m < k with F_m(x) ≥ 0, F_m = max_{i≤m} s_i − max_{i>m} s_i, F_{k−1} = 0: a tie goes to the
    output that comes first. So to know the class is to know the signs of k − 1 continuous piecewise affine functions, and its
    minimal first layer is the union of theirs: necessary for exact equivalence, sufficient exactly if each {F_m ≥ 0} is the
    closure of its interior, else off the ties. The pieces of F_m are those between classes i ≤ m < j.
    Proof. On one side of a piece of F_m some i ≤ m is the class, on the other some j > m, and neither nor anything else exceeds
    s_i = s_j on it. On j's cell F_m is a positive multiple of s_i − s_j near the piece, as both are 0 there and negative beside
    it: the half-space is {s_i − s_j ≥ 0}, one for each cell and pair of outputs at most. ∎

    Linear scores without hidden units have one cell, and the classes are the regions of a power diagram with k(k − 1)/2 facets
    at most. All pairs meet if the differences s_i − s_k have independent gradients (they take all values, so k ≤ d + 1), and
    in R^3 for any k: s_i = 2 p_i·x − |p_i|² with p_i = (t_i, t_i², t_i³), the Voronoi diagram of points on the moment curve.
    """
    return cells * comb(classes, 2)


def determined_bends(relus: int, unmet: int) -> int:
    """n − (units whose hyperplanes meet no ridge): the bends of every network with the decisions of one in general position.

    Let f = l + Σ_{k≤n} ω_k R(a_k), l affine, with distinct hyperplanes, d ≥ 3. A *ridge* is a set of dimension d − 2, in a flat
    {h = h' = 0}, on which the boundary of {f ≥ 0} turns from a piece on {h = 0} into one on {h' = 0}; h and h' primitive and
    oriented, f = λ h and λ' h' at their negative sides, λ, λ' > 0 (Lemma 3 of [PS16] with the pieces there are and with weights
    of both signs). *General position*: every ridge lies on just one of the {a_k = 0}; every one of these, but for the `unmet`
    ones, contains ridges r_k ≠ r'_k; and the spans of (h, h') for r_k or r'_k and for r_j or r'_j, k ≠ j, meet in 0 alone. For
    d ≥ 3 these are planes in R^{d+1}, d + 1 ≥ 4, so that they meet in more only for a reason, such as a common vertex.

    *Theorem.* A network g with these decisions and one hidden layer has at least as many units as there are k with ridges; if
    it has just as many, they are on the same hyperplanes; and if the boundary is connected, g = λ f, but for the unmet units,
    whose sum is affine on the boundary. *Proof.* g is not affine around a ridge, or the boundary would go on straight: one of
    its hyperplanes contains the ridge. No hyperplane {a = 0} contains r_k and r_j, as a would be in the spans of both: so
    many units are needed. With just as many, one hyperplane contains r_k for each k, and, as the same is true with r'_k in
    place of r_k alone, it contains r'_k as well, and is {a_k = 0}. At a ridge on it, λ_i h_i − λ_j h_j = ±ω_k a_k with
    independent h_i and h_j: the equation tells λ_j and ω_k from λ_i. Along a connected boundary all λ_i and ω_k follow from
    one, and l from any piece. ∎

    *Several classes*, scores s_c = l_c + Σ ω_kc R(a_k). A ridge is where no scores that are affine there have the classes
    around; three that meet, in sectors of less than half a turn, are none. The bound holds as it is. A bend may cross a border
    of c and q without a ridge, where ω_kc = ω_kq.

    *Where it fails.* d = 2: ridges are points, any two of them on a line. The union of two half-spaces has one ridge, and any
    hyperplane through it will do as long as it leaves both pieces on one side each: R(h' − h) − R(−h). Boundaries of several
    components: each has a factor λ of its own, and bends between them that meet none. Bends that cross a piece along one flat
    may cancel there, as for a triangle (`triangle_bends`). The star of three lines with alternating sectors has no
    network of one hidden layer of any size: opposite sectors have opposite answers and would bend in opposite ways, but a
    unit bends alike on either side of the star. *Open.* How many units are needed at least where bends have to cancel; when l
    can be absorbed (R(−a) = R(a) − a: a subset sum) if g is not unique.
    """
    return relus - unmet


def triangle_bends() -> int:
    """5: the fewest bends of f: R² → R with f < 0 just inside a triangle, and one hidden layer.

    As the union of three half-planes it has three pieces, its sides, and three ridges, its vertices.
    *Five at least.* Near a vertex v_i, f vanishes on two sides and is < 0 between them, so that it bends there on a line into
    the triangle: these are three lines, for i = 1, 2, 3. Each leaves at a point q_i inside the opposite side, where f has to
    stay 0: another line m through q_i, not that side, bends the other way. m meets no vertex, as its line would be that side or
    the one through v_i; so it is none of the three, and meets the triangle's boundary in two points: two of the q_i at most. So
    there are two such lines at least. ∎
    *Five are enough*: f of `triangle_relus`, for which y_1, y_2, y_3 are the barycentric coordinates and the q_i are free.
    """
    return 5


def triangle_relus() -> int:
    """6: the fewest ReLUs of w0 + Σ ω_k R(a_k) whose f ≥ 0 says where a point of the plane is not inside a triangle.

    *Six are enough*: −1 + 2 Σ R(y_i − y_{i+1}) − 2 Σ R(y_i − ½), with six bends, or five bends and l = y_2 − y_1:
    y_2 − y_1 + R(y_3 − y_2) + 2 R(y_1 − y_3) + R(y_2 − y_1) − R(y_1 + y_2 − y_3) − R(y_2 + y_3 − y_1), as R(a) − R(−a) = a.
    *Five are not.* Then by `triangle_bends` they are five bends: a line through each v_i and the q_i opposite, and two that
    meet the boundary in q_i alone, so that one q, say q_2, is on both: those through q_1 and q_2, q_2 and q_3. With
    q_1 = (0, 1, p_1), q_2 = (p_2, 0, 1), q_3 = (1, p_3, 0) up to factors, p_i > 0, the forms are
        a_1 = p_1 y_2 − y_3,  a_2 = p_2 y_3 − y_1,  a_3 = p_3 y_1 − y_2,  m = y_1 + p_1 p_2 y_2 − p_2 y_3,
        m' = −p_3 y_1 + y_2 + p_2 p_3 y_3.
    f = l + Σ β_i R(a_i) − γ R(m) − δ R(m') is 0 on the sides if and only if it is so at the v_i and the q_i, six equations:
        β_1 = p_2 γ,  β_2 = γ + p_3 δ,  β_3 = δ,  l = (γ − p_3 δ) y_1 + δ y_2 − p_2 γ y_3,
    and β_1, β_3 > 0, as f bends up at v_1 and v_3. Written with five units only, which may be turned round, R(a) = a + R(−a),
    l + Σ_S (weight · form) is a constant for some set S of the five: its values at v_1, v_2 and v_3 are equal. With
    A = γ, B = p_3 δ, D = δ, E = p_2 γ, F = p_1 p_2 γ, G = p_2 p_3 δ, all > 0, these values are
        l: (A − B, D, −E);  a_1: (0, F, −E);  a_2: (−A − B, 0, E + G);  a_3: (B, −D, 0);  m: (−A, −F, E);  m': (B, −D, −G),
    and in each of the 32 sums the difference of two of the three has all its coefficients of one sign, and not all 0. ∎
    """
    return 6


def line_relus(crossings: int) -> int:
    """The fewest ReLUs of f: R → R, one hidden layer, whose sign changes at m given places: m for m ≤ 3, then m − 1.

    Also for a boundary of m parallel hyperplanes, and on any interval around the places.
    Between two of the places f, of slopes s_0, …, s_{m−1} there, with alternating signs, has a kink: n ≥ m − 1. The kinks
    δ_j = s_j − s_{j−1} tell f but for its affine part: units in a set S are active to the left of their kinks, and the slope
    left of all is −Σ_S δ_j, right of all it is Σ δ_j over the others. One unit and a constant have one crossing at most; so
    m = 2 needs two. m = 3 needs three: with two units and kinks, S = ∅ makes s_0 = 0, S = {1, 2} makes s_2 = 0, S = {1} makes
    s_1 = s_0 + δ_1 = 0, and S = {2} makes s_0 = −δ_2, of the sign of s_1. For m ≥ 4, S = {2, 3}, it is enough that
    s_0 = −δ_2 − δ_3 = s_1 − s_3: |s_3| = |s_0| + |s_1|, the other |s_j| are free, and the places of the kinks follow from them.
    """
    return crossings if crossings < 4 else crossings - 1
