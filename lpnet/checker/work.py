"""How much a proof file may ask of its checker, and how long the numbers in it may be.

**Work.** A check counts its steps, of about a tenth of a microsecond each, before it takes them. A file of s bytes may ask for
FREE_STEPS + STEPS_PER_BYTE · s of them, some 2 s and 20 µs a byte; honest half-spaces take 2 µs a byte at most. What follows
from the network (its normal form, ranks, the lines of all vertices) is not counted where the caller names that network, and,
of a network on a part of R^d, the domain: then they are the caller's own questions, and no file can make them larger.

With several hidden layers the nodes of a tree decide how often rows have to be made anew, and bounds to be followed through the
network: where the caller names that, every byte may ask for this once, for all levels.

**Memory.** The members of a file hold FREE_BYTES + RATIO · s bytes together. `lpnet.proofs` stores a member as it is where
deflating it would make it smaller than that, so its files always do.

**Lengths.** Let d be the inputs, m the units and w the inequalities of the form, whose entries have at most B bits; those of a
c_S at most B + log2(m + 1). All long numbers of a proof are solutions of linear programs with these forms as rows:
- multipliers of circuits and bounds (version 1 of the format has them). The support of a vertex of such a program is a minimal
  dependency, and its multipliers are minors of its rows, once without common factors. The programs have d + 1 columns; that of
  bounds has m more, for the r_k, and an entry of it is one of a form or a chord, ≤ 2^(2B + 32) with CHORD_BITS ≤ 32, or a
  power of two as long. In addition each row has one flag, for "strict", and a minor may take in the row of costs, the sum of
  the others. So they have at most N = d + m + 3 rows, of entries ≤ (N + 1) 2^(2B + 32), and by Hadamard at most N (2B + 32 + 2
  log2(N + 1)) bits;
- points. A witness is a vertex, as above with N = d + 3; or made of floats, of ≤ 2150 bits each, and then moved onto c_S = 0,
  which adds the bits of c_S. A pair of exact points is (2^t p ∓ q v, 2^t q), v the gradient of c_S and t at most the bits of a
  form at v and of q: twice the bits of a witness, and those of c_S and of a form.
`longest` is twice the larger of these: room for a search that has its forms by some other factor than the checker.
The numbers of the network, and those of the map in front of it, are what the rest is measured by; reading them counts.
Inequalities are the caller's own numbers, not lpnet's: those of a Box have at most 2100 bits. MOST_WALL_BITS holds for those
that are written, too. In decimal lpnet writes only small numbers; a longer one is not even converted.
"""

import json
from collections.abc import Callable
from typing import Any

FREE_STEPS, STEPS_PER_BYTE = 20_000_000, 200
FREE_BYTES, RATIO = 1 << 20, 32
MOST_WALL_BITS = 1 << 14
FLOAT_BITS = 2150
MOST_DIGITS = 400  # of a number in decimal
MOST_NUMBER_DIGITS = 100_000  # of an exact number of the network, both parts of it together
LOOK_EVERY = 200_000  # steps
Progress = Callable[[float, int], None]


class TooMuch(ValueError):
    """A file asks for more than one of its size may."""


class Work:
    """Counts the steps of a check, and calls progress(share, rows) now and then: share and rows are as somebody set them."""

    def __init__(self, most: float, progress: Progress) -> None:
        self.most, self.progress = most, progress
        self.steps = self.shown = 0
        self.share, self.rows = 0.0, 0

    def spend(self, steps: int, counted: bool = True) -> None:
        """Take so many steps; TooMuch beyond the limit, for those that are counted."""
        self.shown += steps
        if counted:
            self.steps += steps
            if self.steps > self.most:
                raise TooMuch(
                    "it asks for more work than a file of its size should; name its --network (and --domain) if you have them, "
                    "or say with --time-limit how long it may take"
                )
        if self.shown >= LOOK_EVERY:
            self.shown = 0
            self.progress(self.share, self.rows)


def products(count: int, left: int, right: int) -> int:
    """The steps of so many multiplications, or greatest common divisors, of numbers with so many bits."""
    return count * (1 + left * right // 90_000 + (left + right) // 3000)


def longest(inputs: int, units: int, bits: int) -> int:
    """The bits of the longest number that can be in a proof, for forms with entries of so many bits; see above."""
    rows = inputs + units + 4
    return 2 * max(rows * (2 * bits + 32 + 2 * rows.bit_length()), 2 * FLOAT_BITS + 6 * (bits + rows.bit_length()))


def whole(entry: Any, bits: int) -> int:
    """An integer of at most so many bits, given as such or in hexadecimal."""
    if isinstance(entry, str):
        if 4 * len(entry) > bits + 16:  # a sign, 0x, and a digit that is not full
            raise TooMuch(f"it has a number of {len(entry)} digits, where the network explains {bits} bits")
        number = int(entry, 16)
    elif isinstance(entry, bool) or not isinstance(entry, int):
        raise TypeError(f"wanted an integer, got {brief(entry)}")
    else:
        number = entry
    if number.bit_length() > bits:
        raise TooMuch(f"it has a number of {number.bit_length()} bits, where the network explains {bits}")
    return number


def brief(entry: Any, most: int = 80) -> str:
    """A part of a file in a message: words as they are, anything else in Python's notation."""
    text = entry if isinstance(entry, str) else repr(entry)
    return text if len(text) <= most else f"{text[:most]}..."


def parsed(text: bytes) -> Any:
    """JSON, with finite numbers of at most MOST_DIGITS digits."""

    def integer(digits: str) -> int:
        return int(short(digits))

    def decimal(digits: str) -> float:
        return float(short(digits))

    return json.loads(text, parse_int=integer, parse_float=decimal, parse_constant=refuse)


def short(digits: str) -> str:
    """The digits of a number, if they are not too many."""
    if len(digits) > MOST_DIGITS:
        raise TooMuch(f"it has a number of {len(digits)} digits in decimal, beyond {MOST_DIGITS}")
    return digits


def refuse(constant: str) -> None:
    """NaN and infinities."""
    raise ValueError(f"wanted finite numbers, got {constant}")
