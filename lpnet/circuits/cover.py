"""The fewest conjunctions of literals that hold at all vectors of one kind and at none of another.

Vectors are rows of ±1, (count, m) in int8: the signs that m threshold units take together. A *term* is a row of −1, 0, +1: the
conjunction of the literals "unit k is +1" (+1) and "unit k is −1" (−1). Vectors that never occur are on neither list: they
are don't-cares. A term that holds at no unwanted vector is an *implicant*, and *prime* if no literal can be left out.

Fewer vectors, wanted or not, never need more terms: a lower bound for some of the vectors holds for all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lpnet.programs.integer import set_cover

Signs = NDArray[np.int8]

MOST_PRIMES = 1000
MOST_UNITS = 100  # beyond, a vector has too many prime implicants anyway
MOST_COMPARED = 200
MOST_STEPS = 20_000


@dataclass(frozen=True)
class Cover:
    """Terms that cover the wanted vectors, and how many any cover needs.

    terms: prime implicants, (k, m); lower: a lower bound on k; proof: what it rests on, "pairs" (`fooling`: wanted vectors, as
    rows of the table, no two of which fit in one implicant), "search" (all prime implicants that matter, none of the choices
    of lower − 1 of them covers `core`) or "solver" (the same, by the integer program alone; lower is then what "pairs" prove).
    """

    terms: Signs
    lower: int
    proof: str
    fooling: tuple[int, ...]
    core: tuple[int, ...]

    @property
    def optimal(self) -> bool:
        """Whether no cover has fewer terms."""
        return len(self.terms) == self.lower


def holds_at(terms: Signs, vectors: Signs) -> NDArray[np.bool_]:
    """Which terms hold at which vectors; (k, m), (v, m) → (k, v)."""
    agreement = terms.astype(np.float32) @ vectors.astype(np.float32).T
    return agreement == np.abs(terms).sum(axis=1, dtype=np.float32)[:, None]


def common(term: Signs, vectors: Signs) -> Signs:
    """The literals of a term that hold at each of the vectors, term by term; (m,), (v, m) → (v, m)."""
    return np.where(vectors == term, term, 0).astype(np.int8)


def smallest_cover(wanted: Signs, unwanted: Signs, enough: int | None = None, most_primes: int = MOST_PRIMES) -> Cover:
    """The fewest terms that cover all wanted vectors and hold at no unwanted one, or the fewest found, with a lower bound.

    A set-cover integer program over prime implicants that hold at a few wanted vectors, the *core*, which grows until the
    program's terms cover all of them: at first one implicant for each vector of the core, grown greedily; where that is not
    seen to be optimal, all of them, unless a vector has more than most_primes (or there are more than 100 units).
    Nobody asks for better than a lower bound of `enough`. No row may be both wanted and unwanted.
    """
    core: list[int] = []
    columns: dict[bytes, Signs] = {}
    terms = _grow_core(wanted, core, columns, lambda vector: [grown(vector, wanted, unwanted)])
    fooling = fooling_set(wanted, unwanted, core)
    lower, proof = len(fooling), "pairs"
    if wanted.shape[1] <= MOST_UNITS and lower < len(terms) and (enough is None or lower < enough):
        primes = {i: prime_implicants(wanted[i], unwanted, most_primes) for i in core}
        columns |= {prime.tobytes(): prime for found in primes.values() for prime in found or []}

        def all_or_one(vector: Signs) -> list[Signs]:
            found = prime_implicants(vector, unwanted, most_primes)
            primes[len(primes)] = found
            return found or [grown(vector, wanted, unwanted)]

        terms = _grow_core(wanted, core, columns, all_or_one)
        fooling = max(fooling, fooling_set(wanted, unwanted, core), key=len)
        lower = len(fooling)
        if lower < len(terms) and None not in primes.values():
            lower, proof = _searched(holds_at(_useful(columns, wanted, core), wanted[core]), lower, len(terms))
    return Cover(terms, lower, proof, tuple(fooling), tuple(core))


def _grow_core(
    wanted: Signs, core: list[int], columns: dict[bytes, Signs], implicants: Callable[[Signs], list[Signs]]
) -> Signs:
    """Fewest of the columns to cover the core, which grows, and with it the columns, until they cover all wanted vectors."""
    while True:
        terms = _choose(_useful(columns, wanted, core), wanted[core])
        missed = np.flatnonzero(~holds_at(terms, wanted).any(axis=0))
        if not len(missed):
            return terms
        core.append(_next_of_core(wanted, core, missed))
        columns |= {term.tobytes(): term for term in implicants(wanted[core[-1]])}


def _next_of_core(wanted: Signs, core: list[int], missed: NDArray[np.intp]) -> int:
    """The missed vector farthest from the core."""
    if not core:
        return int(missed[0])
    distance = (wanted[missed][:, None] != wanted[core][None]).sum(axis=2).min(axis=1)
    return int(missed[np.argmax(distance)])


def prime_implicants(vector: Signs, unwanted: Signs, most: int = MOST_PRIMES) -> list[Signs] | None:
    """All prime implicants that hold at a vector; None if there are more than `most`.

    Their literals are the minimal sets of signs of the vector that each unwanted vector violates one of: minimal hitting sets
    of the sets of differences, by Berge's multiplication.
    """
    differences = _masks(np.unique(unwanted != vector, axis=0))
    hitting = [0]
    for difference in _minimal(differences):
        hit = [chosen for chosen in hitting if chosen & difference]
        longer = {chosen | bit for chosen in hitting if not chosen & difference for bit in _bits(difference)}
        if len(hit) + len(longer) > 4 * most:
            return None
        hitting = hit + [chosen for chosen in longer if not any(chosen & other == other for other in hit)]
        if len(hitting) > most:
            return None
    chosen = np.array([[mask >> k & 1 for k in range(len(vector))] for mask in hitting], dtype=np.int8)
    return list(chosen * vector)


def _masks(rows: NDArray[np.bool_]) -> list[int]:
    """Rows of Booleans as integers, column k as bit k."""
    packed = np.packbits(rows, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def _bits(mask: int) -> Iterator[int]:
    while mask:
        yield mask & -mask
        mask &= mask - 1


def _minimal(masks: Iterable[int]) -> list[int]:
    """The masks that contain no other one, small ones first."""
    kept: list[int] = []
    for mask in sorted(set(masks), key=lambda mask: (mask.bit_count(), mask)):
        if not any(mask & other == other for other in kept):
            kept.append(mask)
    return kept


def grown(vector: Signs, wanted: Signs, unwanted: Signs) -> Signs:
    """A prime implicant that holds at a vector and, greedily, at near ones of the others."""
    term = vector
    for other in wanted[np.argsort((wanted != vector).sum(axis=1), kind="stable")]:
        smaller = common(term, other[None])
        if not holds_at(smaller, unwanted).any():
            term = smaller[0]
    return shortened(term, unwanted)


def shortened(term: Signs, unwanted: Signs) -> Signs:
    """A prime implicant among the literals of an implicant: those go first that keep the fewest unwanted vectors out."""
    term = term.copy()
    against = (unwanted != term) & (term != 0)  # (unwanted, m): which literals keep which vector out
    count = against.sum(axis=1)
    for k in sorted(np.flatnonzero(term), key=lambda k: against[:, k].sum()):
        if (count[against[:, k]] > 1).all():
            term[k] = 0
            count -= against[:, k]
    return term


def _useful(columns: dict[bytes, Signs], wanted: Signs, core: list[int]) -> Signs:
    """The terms without those whose part of the core another one covers; of equal ones that which covers most at all."""
    terms = np.array(list(columns.values()), dtype=np.int8).reshape(len(columns), wanted.shape[1])
    on_core = holds_at(terms, wanted[core])
    order = np.lexsort((np.abs(terms).sum(axis=1), -holds_at(terms, wanted).sum(axis=1), -on_core.sum(axis=1)))
    kept: list[int] = []
    masks: list[int] = []
    for row, mask in zip(order, _masks(on_core[order]), strict=True):
        if not any(mask & other == mask for other in masks):
            kept.append(int(row))
            masks.append(mask)
    return terms[kept]


def shrunk(terms: Signs, wanted: Signs) -> Signs:
    """Fewest of the terms that hold at all the wanted vectors at which some do."""
    table = {term.tobytes(): term for term in terms}
    held = np.flatnonzero(holds_at(terms, wanted).any(axis=0)).tolist()
    return _choose(_useful(table, wanted, held), wanted[held])


def _choose(terms: Signs, core: Signs) -> Signs:
    """Fewest of the terms to cover the core."""
    covered = holds_at(terms, core)
    alone = covered[:, covered.sum(axis=0) == 1].any(axis=1)  # the only ones to cover some vector
    rest = ~covered[alone].any(axis=0)
    if not rest.any():
        return terms[alone]
    return terms[alone | set_cover(covered[:, rest])]


def fooling_set(wanted: Signs, unwanted: Signs, core: Sequence[int]) -> list[int]:
    """Rows of `wanted` no two of which fit in one implicant: each needs a term of its own.

    Greedily from every start among the first 200 rows and the core.
    """
    rows = sorted({*core, *range(min(len(wanted), MOST_COMPARED))})
    apart = np.array([holds_at(common(wanted[i], wanted[rows]), unwanted).any(axis=1) for i in rows])
    best: list[int] = []
    for start in range(len(rows)):
        chosen, open_to = [start], apart[start].copy()
        while open_to.any():
            new = int(np.argmax(np.where(open_to, (apart & open_to).sum(axis=1), -1)))
            chosen.append(new)
            open_to &= apart[new]
        best = max(best, chosen, key=len)
    return [rows[i] for i in best]


def _searched(covered: NDArray[np.bool_], lower: int, size: int) -> tuple[int, str]:
    """Whether fewer than `size` columns can be excluded by trying them all: (size, "search"), or (lower, "solver")."""
    holders = [np.flatnonzero(column).tolist() for column in covered.T]
    masks = _masks(covered)
    steps = 0

    def coverable(left: int, most: int) -> bool | None:
        nonlocal steps
        steps += 1
        if not left:
            return True
        if not most or steps > MOST_STEPS:
            return False
        row = min((bit.bit_length() - 1 for bit in _bits(left)), key=lambda i: len(holders[i]))
        return any(coverable(left & ~masks[j], most - 1) for j in holders[row])

    found = coverable((1 << len(holders)) - 1, size - 1)
    return (lower, "solver") if found or steps > MOST_STEPS else (size, "search")
