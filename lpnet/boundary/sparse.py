"""Boundaries that few lines of the vertex engine meet, such as constant networks have: there the tree is quicker.

The vertex engine pays for every line, the tree for every piece. A sample of lines says how many pieces there are for a line,
and the tree may solve so many programs that it can lose no more than part of the time that the lines would take. Neither
looks at a clock: the same network always gets the same engine.
"""

from math import comb

import numpy as np

from lpnet.boundary.pieces import NotApplicable, Pieces
from lpnet.boundary.sampling.float_lines import lowest_on_lines
from lpnet.boundary.sampling.levels import levels
from lpnet.boundary.tree import tree
from lpnet.networks import ExactForm, Polyhedron
from lpnet.watch import Watch

WORTH_IT = 1 << 23  # lines times units: fewer are walked faster than the tree is loaded
SAMPLE, FEW_PIECES = 128, 3  # lines, and pieces on them: the tree solves two to six programs a piece
LINES_FOR_A_PROGRAM = 8  # a program takes as long as two lines (hundreds of units) to eight (tens)


def sparse(form: ExactForm, domain: Polyhedron, watch: Watch, recorded: bool = False) -> Pieces:
    """The pieces by the tree engine, where a sample says that they are few. Raises NotApplicable where they are not."""
    lines = comb(len(form.units), max(0, form.inputs - 1))  # no fewer than there are where inputs depend on each other
    if domain.inequalities() or lines * len(form.units) < WORTH_IT:
        raise NotApplicable("the lines are few, or the domain is a part of R^d")
    level = next(levels(form))
    numbers, _ = lowest_on_lines(level.rows, level.some_lines(np.random.default_rng(0), SAMPLE))
    if level.lines * len(form.units) < WORTH_IT or numbers.sum() > FEW_PIECES:
        raise NotApplicable("pieces are many, or the lines few")
    return tree(form, domain, watch.part(0, 0), most=level.lines // LINES_FOR_A_PROGRAM, recorded=recorded)
