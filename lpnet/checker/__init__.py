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

**Several hidden layers** (version 3). f = l + Σ w_k R(z_k), z_k = a_k + Σ_{j<k} C_kj R(z_j); `deep_form` merges units as above.
A unit's level is one more than that of the units it reads. Where the signs of all units of the levels before are fixed, the z_k
of a level are affine: its *rows* (`DeepForm.unfold`), and those that are constant have the sign of that constant, 0 counting as
−1. Where all signs are, so is f: c_S. Rows are made anew wherever the pattern before them changes, in integers.
*Needed.* The cell of the leaf of half-space j, S its pattern, c_S not constant; A and B in D with c_S(A) < 0 < c_S(B). Every
row that is not 0 has the sign that S says at A; at B too, but for those that are multiples of c_S. If there are such, f beyond
{c_S = 0} is 0 or a positive multiple of c_S; there, units whose rows are neither 0 nor multiples of c_S have the same signs,
and the others, in their order, that of their rows where c_S > 0 (`DeepForm.beyond`).
*Theorem.* Then {c_S ≥ 0} is needed. Let P be the point of the segment AB with c_S(P) = 0. On the way there from A no row
changes its sign, so it lies in the cell of S, and f = c_S < 0. At P only multiples of c_S vanish, and rows that are 0 all over
the cell, and so it is at all points of {c_S = 0} nearby; beyond, unit after unit, what vanishes there is a multiple of c_S by
continuity. That different rows have different half-spaces is seen by comparing the c_S.
*No other.* As for one layer, by the leaves of a tree, whose nodes are split on the row of a unit whose level is known there, or
on one of the `forms` of the header. Every piece has points next to it where f < 0, off all hyperplanes, and the leaf that they
lie in, for a (d−1)-dimensional part of the piece, says that it is one of the rows', or that there is none. A leaf is
  · a half-space, of a row or of the same c_S, or touching: as above, with f beyond as `DeepForm.beyond` has it;
  · empty: by rows that contradict each other. A row means the unit as it is where one is: once shown, a contradiction is known
    to hold wherever the levels of its rows are those of the same cell;
  · f ≥ 0, or f < 0, where only units of the last level are free: by the rows named and shares of those that are free, as above,
    without chords. Of rows that a zero of f < 0 would have to lie on, two are needed, or one of D: being independent of the
    others, they are not multiples of each other;
  · outside, on a bounded D: the box around the node before has no point with the sign of the row split last. That box is D's,
    cut by each row of the path in turn: Σ r_j y_j > 0 bounds y_j by the best that the others can be (`relaxed.Boxes`);
  · f keeps a sign, and is not 0, on the closure of the node: over its box every R(z_k) lies between two affine functions of x,
    forwards through all levels (`Relaxation.above`; Singh et al. 2019, Zhang et al. 2018), so that ±f does; and that bound plus
    some multiples ≥ 0 of the rows named is < 0 all over the box. In floats, with a bound on every error, which may be as large
    as it likes: multiples are proposals, and any will do.
The leaves of a block are looked at together (`together`): that n + 1 rows in R^n contradict each other is shown in floats where
the error of the multipliers is bounded below all of them (`together.exclude`), and in integers where it is not.

*Two decisions*, a `claim` in the header: rows q_j = v·x + Σ w_k R(z_k) + c, and for each decision layers of threshold units,
the first of which reads the signs of the rows, sgn(0) = +1: of a ReLU network its score alone, of a circuit its first layer.
Nodes are split on rows, too: on q_j ≥ 0 against q_j < 0. A leaf is empty; or outside; or one where the signs known force both
decisions to answer the same; or one where a row has no such sign, by one of the bounds above of q_j in the place of f.
*Theorem.* Then both are the same all over D, `ties` included. For take any x in D and points y_n → x off all hyperplanes of
the tree. Follow the signs of x at rows and those of y_n at units; some path is taken by infinitely many n. On the way down σ
z_k ≥ 0 at x, every q_j at x is what it is on the cell, by continuity, and the signs of the q_j are those at x. A leaf there is
not empty: not by units and inequalities of D alone, for the y_n's sake; nor by others, of which one with λ_i > 0 is strict, an
inequality of D, the constant 1 or a q_j < 0 (Motzkin), for the sake of x. Boxes are closed, and a bound of q_j holds at x: q_j
≥ 0 against q_j < 0, or the other way round by a strict row, or with room. Without `ties` rows are as units, and both are the
same off the hyperplanes split on: a set of measure zero. There a row that is 0 all over a cell counts as +, tells nothing by
it, and is not excluded by a bound that it may reach everywhere. Such a file says nothing else, and is taken only where both
decisions are named.

**Its file**: header.json as above; network also with deeper (the layers after the first: weight, of inputs and all units
before, and bias) and skip; forms (if any: d+1 integers each); claim (if any: ties, true or false; rows, weight of inputs and
units and bias; decisions, two lists of layers, weight and bias; rows that are positive multiples of each other are one); idle:
of a constant answer, the point that shows it. Blocks tree/0, …: nodes in pre-order: 0 the next row, 1 another pattern of a
row's half-space, 2 empty, 3 f ≥ 0, 4 f < 0, 5 touching, 6 open, 7 outside, 8 f keeps a sign, 9 both decisions the same, 16 + 2
k a split on row k, 17 + 2 k one whose positive side comes first. Rows are numbered: units, forms or a claim's rows,
inequalities, the constant 1, shares of units. For leaves of kind 2 to 5 and 8, in order, rows: d + 2 numbers each, filled up
with the number after the last share; of a claim, those of kind 3, 4 and 8 begin with the row that they bound. For those of
kind 3 and 4, full: units of the last level with a share of 1, as bits. For those of kind 0, points (A and B, 2d float64), or
exact.json: {number in the block: [A, B]}.

**Several outputs** (version 4). A network with outputs s_o and a label for each, equal labels side by side, whose class is the
label of the first output with the largest s_o. For every place at which a label ends, the *cut* there is F = max of the outputs
before it − max of those behind it, a ReLU network, max(p, q) = p + R(q − p) being one more unit each, in pairs
(`classes.cut_at`).
*Theorem.* To know the class is to know whether F ≥ 0 for all cuts: it is the label before the first cut with F ≥ 0, the last
one if there is none; and where the class is known, F ≥ 0 holds just for the cuts behind it. So every layered threshold network
from whose outputs the class can be told has the needed half-spaces of all cuts in its first layer, and these suffice off the
points with F = 0 for some cut. The file shows for each cut by a tree, as above, which half-spaces are needed, and the checker
counts the different ones. header.json: network with a row of output_weight and of skip, and an output_bias, for each output;
labels; cuts, for each in order its units, constant and idle; units, of all cuts together; the members of cut number j are in
the folder j.

**Any file** may be given to the checker: how long its numbers may be, and how much work and memory it may ask for, is bounded
by what the network explains and by the size of the file; `lpnet.checker.work` derives the bounds.
"""

from lpnet.checker.check import BadProof, Report, check
from lpnet.checker.question import Refuted

__all__ = ["BadProof", "Refuted", "Report", "check"]
