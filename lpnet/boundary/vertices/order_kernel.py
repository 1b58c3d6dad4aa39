"""Patterns as bits, sorted and unpacked, compiled: in time proportional to their number.

The arrays come from numpy, which asks for large pages of memory; that makes more than half the speed where there are millions.
"""

import numpy as np

from lpnet.compiled import compiled


@compiled()
def sort_words(rows, other, units):
    """The rows in lexicographic order, (pieces, ⌈units / 64⌉), by the bytes that have a unit, the last first.

    The answer is one of the two arrays, both are overwritten.
    """
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


@compiled()
def unpack(words, patterns):
    """The bits as booleans, the first unit highest; (pieces, ⌈units / 64⌉) → (pieces, units)."""
    for i in range(len(words)):
        for word in range(words.shape[1]):
            bits, part = words[i, word], patterns[i, 64 * word : 64 * word + 64]
            for k in range(len(part)):
                part[k] = (bits >> np.uint64(63 - k)) & np.uint64(1) != np.uint64(0)
