"""Patterns as bits, sorted and unpacked, compiled: in time proportional to their number."""

import numba
import numpy as np

compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


@compiled
def sort_words(words, units):
    """The rows in lexicographic order, by the bytes that have a unit, the last first; (pieces, ⌈units / 64⌉)."""
    rows, other = words.copy(), np.empty_like(words)
    starts = np.empty(256, dtype=np.int64)
    for octet in range((units + 7) // 8 - 1, -1, -1):
        word, shift = octet // 8, np.uint64(56 - octet % 8 * 8)
        starts[:] = 0
        for i in range(len(rows)):
            starts[(rows[i, word] >> shift) & np.uint64(255)] += 1
        before = 0
        for value in range(256):
            before, starts[value] = before + starts[value], before
        for i in range(len(rows)):
            value = (rows[i, word] >> shift) & np.uint64(255)
            for j in range(rows.shape[1]):
                other[starts[value], j] = rows[i, j]
            starts[value] += 1
        rows, other = other, rows
    return rows


@compiled
def unpack(words, units):
    """The bits as booleans, the first unit highest; (pieces, ⌈units / 64⌉) → (pieces, units)."""
    patterns = np.empty((len(words), units), dtype=np.bool_)
    for i in range(len(words)):
        for word in range(words.shape[1]):
            bits, part = words[i, word], patterns[i, 64 * word : 64 * word + 64]
            for k in range(len(part)):
                part[k] = (bits >> np.uint64(63 - k)) & np.uint64(1) != np.uint64(0)
    return patterns
