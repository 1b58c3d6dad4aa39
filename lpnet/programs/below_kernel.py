# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
"""Which forms are negative all over a cone? Many questions about one cone, compiled, with certain answers or none."""

from lpnet.programs.certain_kernel import positive
from lpnet.programs.cone_kernel import VANISHES, copy, dot, dot_row, plain, program


@plain
def below(rows, off, strict, signs, units, lengths, targets, off_targets, x, weak, work, found, members):
    """found[i]: whether target i, a vector of R^D, is certainly < 0 all over {y: h·y > 0 for strict rows, ≥ 0 for others}.

    weak: ≤ 0 will do. rows, targets, off, off_targets: (…, D), of length 1 about, and what their entries may be off by; signs:
    1 for each row; units, lengths: none, (0, D), (0,); x: a point inside; see `lpnet.programs.cone_kernel`. Where −target is
    certainly a sum of rows with positive weights it is so, if one of them is strict; where it only seems to be, these rows are
    left in members[i], (D,), before a first −1.
    """
    for i in range(len(rows)):
        work.heights[i] = dot_row(rows, i, x)
    for i in range(len(targets)):
        found[i] = False
        copy(work.base, 1.0, targets[i])
        start = dot(work.base, x)
        if start > 0:
            continue
        verdict, count, _ = program(rows, signs, units, lengths, x, start, work)
        if verdict == VANISHES:
            enough = weak
            for c in range(count):
                enough |= strict[work.members[c]]
            copy(work.y, 1.0, off_targets[i])
            found[i] = enough and positive(work, count, off, off, work.y)
            for c in range(count):
                members[i, c] = work.members[c]
