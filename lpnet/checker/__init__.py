"""The proof checker: confirms in exact arithmetic what a proof file says about a ReLU network.

It shares no code with the search, and needs nothing but numpy and python-flint: read this file to know what is proved.

**The statement.** f(x) = w0 + Σ w_k R(u_k·x + b_k), R(z) = max(0, z), with the numbers of the file, none of them rounded, on an
open convex polyhedron D (all of R^d without inequalities). A half-space H = {h ≥ 0} is *needed* if h = 0 separates points of D
with f < 0 (on the side h < 0) from points with f ≥ 0 along a set of dimension d − 1. Only a threshold unit on H itself tells
these two sides apart, so every layered threshold network that decides like sgn f on D has all the needed half-spaces in its
first layer. They also suffice, exactly if {f ≥ 0} is the closure of its interior, otherwise off {f = 0}.

**A map in front.** A file may have a map y = A x + a (`onto`), A of full row rank: then it is about f(A x + a).
*Theorem.* {h ≥ 0} is needed for f on D just where {h(A x + a) ≥ 0} is needed for f(A x + a) on the x with A x + a in D: the
map is continuous, reaches every y and takes open sets to open ones, so that it carries a set of dimension d − 1 in h = 0 with
f < 0 and f ≥ 0 on its sides to one such, and back; and different h stay different.

**Bounds of D.** Those that its inequalities h_i > 0 in one input give, and others that a file says they imply: h > 0, h of one
input, with multipliers m_i > 0 such that Σ m_i h_i = q h − c, q > 0, c ≥ 0 (`implied`).

The checker merges the units into f = l + Σ s_k R(a_k), s_k = ±1, with distinct hyperplanes {a_k = 0} (`normal_form`). For a
pattern S of active units let c_S = l + Σ_{k∈S} s_k a_k: that is f where exactly the units of S are active. In a file,
half-space number j is {c_S ≥ 0} for the pattern S of its row j.

**Needed.** Row j also has two points A and B of D, f(A) < 0 ≤ f(B) ("vertices" does without). All a_k have strict signs at
both: those of S at A, and the same at B, but perhaps for one unit k with a_k proportional to c_S.
*Theorem.* Then {c_S ≥ 0} is needed. For f = c_S near A, and where the segment AB crosses c_S = 0 no other unit changes sign: on
one side f = c_S < 0, on the other f = c_S > 0, or f is a multiple of c_S that is ≥ 0 at B and hence on that whole side.
Different rows have to have different half-spaces (`check_distinct`).
*Theorem.* They have, if the s_k are all 1 or all −1. Then s·f is convex and never below s·c_S; so if c_S' = λ c_S for two
rows, λ > 0, then λ = 1, as is seen near their pieces, where f = c_S < 0 and f = c_S' < 0. Hence f = c_S on the cells of both,
and by convexity between them, although it has a kink there, in some {a_k = 0}.

**No other.** One of four kinds of evidence, `complete` in the header:
- "tree": the nodes of a binary tree over the signs of the a_k. A node is split on one more unit, whichever, or it is a leaf; so
  the leaves cover all 2^m patterns, each once. A leaf is
  · a half-space: the full pattern of the next row, or a full pattern whose c_S is a positive multiple of that of some row;
  · empty: 0 = Σ λ_i σ_i h_i + c with λ_i ≥ 0 not all 0 and c ≥ 0, over the units fixed (σ_i h_i > 0) and the inequalities of D
    (Gordan): no point has these signs;
  · f ≥ 0, or f < 0: s·f ≥ Σ λ_i σ_i h_i + c on the leaf, s = ±1, λ_i ≥ 0, c ≥ 0, because units still free with s_k = s have
    R(a_k) ≥ θ_k a_k, 0 ≤ θ_k ≤ 1, the others R(a_k) ≤ a chord over a bounded D (`chords`). For s = 1, f < 0 nowhere there. For
    s = −1, c > 0 (or an inequality of D, or two different units take part, whose hyperplanes meet in dimension d − 2): no
    (d−1)-dimensional set of zeros in D bounds the leaf;
  · touching: a full pattern with c_S = −λ σ_k a_k, and c_S' a negative multiple of c_S for the pattern S' across {a_k = 0}:
    f < 0 on both sides of it.
  *Theorem.* Each piece of the boundary belongs to the pattern S of its side f < 0, so no half-space is missed.
  A leaf names the h_i with λ_i > 0, the units with 0 < θ_k < 1 and those with θ_k = 1; in version 1 the λ_i and θ_k, too. They
  solve linear equations that follow from its signs; that these have just one solution, and it is one of that kind, is checked
  (`lpnet.checker.supports`). Leaves share nothing: under other signs the same numbers may name other forms.
- "vertices": D = R^d, cut to r inputs with independent columns. Every piece is then a pointed polyhedron and has a vertex,
  where r − 1 of the a_k vanish and f too. The checker goes over all (r−1)-subsets and finds the zeros of f on their lines.
  Where no other unit vanishes and f is not constant along the line, exactly the 2^(r−1) patterns around a zero carry pieces:
  on each of their cells c_S is 0 there, and has on the line the slope of f. These patterns have to be those of the rows and of
  the *repeats*, whose c_S is a positive multiple of that of a row, and no others. So the rows need no points.
- "bound", in files of version 1: D = R^d. Two pieces never belong to one pattern, and an arrangement of m hyperplanes in R^r
  has at most Σ_{s≤r} C(m, s) cells (Buck), 2 Σ_{s<r} C(m−1, s) if they have a point in common (Cover). The rows are as many as
  that, less the *idle* cells shown, on which c_S is constant: so they are all.
- "closed form": D = R^d, and the gradients of the a_k are linearly independent (`closed_form`); or all a_k vanish at one point,
  any r of their gradients are independent, and l is a constant of the other sign than all s_k (`of_cones`). Then the patterns
  that carry pieces are counted; no rows are needed.
Without any, a file may still have the tree of a search that was stopped: with open leaves, about which it says nothing.

**The file** is a zip archive. header.json: format, version, network (numbers, or exact ones as
words "p/q"), onto (if any: weight, bias), inequalities (d+1 integers each), implied (if any: bound, d+1 integers, and
multipliers, pairs of an inequality's number and m_i), order (of the units of the normal form in patterns), units (how many
rows), complete, constant, idle (points). Blocks units/0, units/1, …: patterns (⌈m/8⌉ bytes a row, first unit in the highest
bit); points, but not for "vertices" (A and B, 2d float64, little-endian; NaN: see exact.json, {row: [A, B]}, each d numerators
and a denominator). Blocks repeats/0, …: patterns; numbers (u8). Large integers are in hexadecimal.
`lpnet/schemas/proof-header.schema.json` is a JSON schema of the header.
Blocks tree/0, …, in version 2: nodes, in pre-order, the negative side first: 0 the next row, 1 another pattern of a row,
2 empty, 3 f ≥ 0, 4 f < 0, 5 touching, 6 open, 7 + k a split on unit k. For the leaves of kind 2 to 5, in order, rows: d + 2
numbers each, a unit or m + an inequality for h_i, m + w for c, w the number of inequalities, m + w + 1 + k for a unit k with
0 < θ_k < 1, and 2 m + w + 1 after the last; for kind 5, the unit. For those of kind 3 and 4, full: the units with θ_k = 1 as a
pattern. For those of kind 1, numbers: of the row (u4). A number in nodes or rows has as many bytes (1, 2, 4) as the largest
that may be there.
In version 1, where units are split in order: leaves (depth u2, kind u1, number u4; kinds 0 to 5); certificates.json (circuits:
[[row, multiplier], …]; bounds: [multiplier of f, [[row, multiplier], …]]; a row is m + an inequality, or a unit, where its sign
is fixed with the form cut to the shortest integers).

**Any file** may be given to the checker: how long its numbers may be, and how much work and memory it may ask for, is bounded
by what the network explains and by the size of the file; `lpnet.checker.work` derives the bounds.
"""

from lpnet.checker.check import BadProof, Report, check
from lpnet.checker.question import Refuted

__all__ = ["BadProof", "Refuted", "Report", "check"]
