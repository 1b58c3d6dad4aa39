"""A threshold network as a function in Python or C that needs nothing else, and is never wrong by rounding.

Every sum Σ v_k x_k + c has whole numbers v, c (a half-space is what it is up to a positive factor) and floats x. It is first
computed in double, the v scaled by a power of two, with a bound on the error; where that leaves its sign in doubt, exactly: in
Python as Fractions, in C in a fixed-point number that is wide enough for every product, 32 bits a digit.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from lpnet.errors import InputError
from lpnet.exact import SMALLEST_NORMAL, Form, Numbers, shortened, to_floats
from lpnet.networks import SignCircuit, SignNetwork
from lpnet.networks.affine import Layer
from lpnet.networks.arrays import full
from lpnet.networks.classifier import Classifier

Threshold = SignNetwork | SignCircuit | Classifier
Plan = tuple[list[list[Form]], list[Form]]  # the layers before the last one, and the outputs
DIGIT = 32
LOWEST, HIGHEST = -1074, 1024  # exponents of doubles
MOST_DIGITS = 4_000_000  # bits of all whole numbers

PYTHON = '''"""{title}

{what}
Written by lpnet. Never wrong by rounding: a sum whose sign is in doubt is computed again in fractions.
"""

from fractions import Fraction

FEATURES = {features!r}
ANSWERS = {answers!r}

# Layer by layer, the rows (v_1, ..., v_d, c) of units that are +1 where v.x + c >= 0, else -1; the last layer is the output.
LAYERS = {layers}


def predict(x):
    """{returns} of a point: {count} numbers, floats or fractions."""
    if len(x) != len(FEATURES):
        raise ValueError(f"wanted {{len(FEATURES)}} numbers, got {{len(x)}}")
    values = x
    for layer in LAYERS:
        values = [1 if holds(row, values) else -1 for row in layer]
    {answer}


def holds(row, x):
    """Whether v.x + c >= 0, exactly."""
    try:
        total, size = float(row[-1]), abs(float(row[-1]))
        for v, z in zip(row, x):
            term = float(v) * float(z)
            total, size = total + term, size + abs(term)
        if abs(total) > 1e-15 * (len(row) + 4) * size + 1e-290 and size < 1e300:
            return total > 0
    except OverflowError:  # of a number that no float is as large as
        pass
    return sum((v * Fraction(z) for v, z in zip(row, x)), Fraction(row[-1])) >= 0
'''

C = """/* {title}

   {what}
   Written by lpnet. C99, IEEE 754 doubles; compile without -ffast-math. Never wrong by rounding: a sum whose sign is in doubt
   is computed again exactly, as a fixed-point number of {digits} digits of 32 bits. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __FAST_MATH__
#error "compile without -ffast-math: bounds on rounding have to hold"
#endif

#define INPUTS {inputs}
#define DIGITS {digits}
{tables}
/* acc += v * x, v being words of 32 bits, the lowest first, with a sign. */
static void add(int64_t *acc, const uint32_t *words, int count, int negative, double x) {{
    int exponent;
    uint64_t whole = (uint64_t)ldexp(frexp(fabs(x), &exponent), 53);
    if (whole == 0) return;
    int place = exponent - 53 + {shift}, drop = place < 0 ? -place : 0;
    whole >>= drop; /* zeros: no double goes below 2^{lowest} */
    place += drop;
    int sign = (x < 0) != negative ? -1 : 1, digit = place / 32, bits = place % 32;
    uint32_t parts[3] = {{(uint32_t)(whole << bits), (uint32_t)(bits ? whole >> (32 - bits) : whole >> 32),
                         (uint32_t)(bits ? whole >> 32 >> (32 - bits) : 0)}};
    for (int i = 0; i < count; i++)
        for (int j = 0; j < 3; j++) {{
            uint64_t product = (uint64_t)words[i] * parts[j];
            acc[digit + i + j] += sign * (int64_t)(product & 0xffffffffu);
            acc[digit + i + j + 1] += sign * (int64_t)(product >> 32);
        }}
}}

static int sign_of(int64_t *acc) {{
    int64_t carry = 0;
    int other = 0;
    for (int i = 0; i < DIGITS; i++) {{
        int64_t total = acc[i] + carry;
        int64_t low = total & 0xffffffff;
        carry = (total - low) / 4294967296;
        other |= low != 0;
    }}
    return carry < 0 ? -1 : carry > 0 || other;
}}

/* Whether v.x + c >= 0 for row number `row` of a table. */
static int holds(const double *v, const int *starts, const uint32_t *words, const char *negative, int row, int d,
                 const double *x) {{
    const double *w = v + (size_t)row * (d + 1);
    double total = w[d], size = fabs(w[d]);
    for (int k = 0; k < d; k++) {{
        total += w[k] * x[k];
        size += fabs(w[k] * x[k]);
    }}
    if (fabs(total) > 1e-15 * (d + 5) * size + 1e-290 && size < 1e300) return total > 0;
    int64_t acc[DIGITS];
    memset(acc, 0, sizeof acc);
    for (int k = 0; k <= d; k++) {{
        size_t at = (size_t)row * (d + 1) + k;
        add(acc, words + starts[at], starts[at + 1] - starts[at], negative[at], k < d ? x[k] : 1.0);
    }}
    return sign_of(acc) >= 0;
}}

/* {returns}; {failing} for a point with an infinity or NaN. */
int predict(const double x[INPUTS]) {{
    for (int k = 0; k < INPUTS; k++)
        if (!isfinite(x[k])) return {failing};
{body}}}
"""


def as_python(network: Threshold, title: str = "") -> str:
    """The source of a module with a function `predict`, and the names of inputs and answers."""
    hidden, outputs = plan(network)
    rows = ",\n".join(
        "    [\n" + "".join(f"        {list(map(int, row))},\n" for row in layer) + "    ]" for layer in [*hidden, outputs]
    )
    several = isinstance(network, Classifier)
    first = "return next((c for c, value in zip(CLASSES, values) if value > 0), CLASSES[0])"
    text = PYTHON.format(
        title=cleaned(title or "A threshold network"),
        what=cleaned(told(network)),
        features=tuple(network.input_names),
        answers=answers_of(network),
        layers=f"[\n{rows},\n]",
        returns="The number of the class, in ANSWERS," if several else "+1 or -1, that is ANSWERS[1] or ANSWERS[0],",
        count=network.inputs,
        answer=first if several else "return values[0]",
    )
    return (
        text.replace("\n\n# Layer by", f"\nCLASSES = {network.classes!r}\n\n# Layer by")
        if isinstance(network, Classifier)
        else text
    )


def as_c(network: Threshold, title: str = "") -> str:
    """The source of a file with a function `int predict(const double x[])`."""
    hidden, outputs = plan(network)
    several = isinstance(network, Classifier)
    layers = [*hidden, outputs]
    longest = max((abs(entry).bit_length() for layer in layers for row in layer for entry in row), default=1)
    widest = max(len(row) for layer in layers for row in layer)
    digits = (HIGHEST - LOWEST + longest + widest.bit_length()) // DIGIT + 6
    tables = "\n".join(line for number, layer in enumerate(layers) for line in table(number, layer))
    if isinstance(network, Classifier):
        tables += f"\nstatic const int classes[] = {{{', '.join(map(str, network.classes))}}};\n"
    return C.format(
        title=cleaned(title or "A threshold network"),
        what=cleaned(told(network)),
        digits=digits,
        inputs=network.inputs,
        tables=tables,
        shift=-LOWEST,
        lowest=LOWEST,
        returns="The number of the class" if several else "+1 or -1",
        failing="-1" if several else "0",
        body="".join(body(layers, several)),
    )


def table(number: int, layer: Sequence[Form]) -> Iterator[str]:
    """The rows of a layer: scaled doubles, and whole numbers in words of 32 bits with signs."""
    floats = [entry for row in layer for entry in scaled(row)]
    words = [
        [abs(entry) >> shift & 0xFFFFFFFF for shift in range(0, abs(entry).bit_length(), DIGIT)]
        for row in layer
        for entry in row
    ]
    starts = [0]
    for own in words:
        starts.append(starts[-1] + len(own))
    flat = [f"{word}u" for own in words for word in own] or ["0u"]
    signs = [int(entry < 0) for row in layer for entry in row]
    yield f"static const double v{number}[] = {{{', '.join(floats)}}};"
    yield f"static const int s{number}[] = {{{', '.join(map(str, starts))}}};"
    yield f"static const uint32_t w{number}[] = {{{', '.join(flat)}}};"
    yield f"static const char n{number}[] = {{{', '.join(map(str, signs))}}};"


def scaled(row: Form) -> list[str]:
    """A row times a power of two that makes its largest entry about 1; NAN, leaving all in doubt, for what is too small."""
    made = to_floats(row, -max(map(abs, row)).bit_length()).tolist()
    return ["NAN" if entry and abs(z) < SMALLEST_NORMAL else repr(z) for entry, z in zip(row, made, strict=True)]


def body(layers: Sequence[Sequence[Form]], several: bool) -> Iterator[str]:
    """The statements that go through the layers."""
    last = "x"
    for number, layer in enumerate(layers):
        width, made, tables = len(layer[0]) - 1, f"y{number}", ", ".join(f"{kind}{number}" for kind in "vswn")
        yield f"    double {made}[{len(layer)}];\n"
        yield f"    for (int i = 0; i < {len(layer)}; i++) {made}[i] = holds({tables}, i, {width}, {last}) ? 1 : -1;\n"
        last = made
    if several:
        yield f"    for (int i = 0; i < {len(layers[-1])}; i++)\n        if ({last}[i] > 0) return classes[i];\n"
        yield "    return classes[0];\n"
    else:
        yield f"    return {last}[0] > 0 ? 1 : -1;\n"


def plan(network: Threshold) -> Plan:
    """The layers in whole numbers, each row up to a positive factor of its own; a layer without units has one that is +1."""
    scores = network.scores if isinstance(network, Classifier) else (network,)
    first = scores[0]
    if not isinstance(first, SignNetwork | SignCircuit):
        raise InputError("code is written of threshold networks; wanted the equivalent of a ReLU network")
    hidden = [first.input_layer]
    if isinstance(first, SignCircuit):
        hidden.append(Layer(full(first.middle_weight), first.middle_bias))
    made, width = [], network.inputs
    for layer in hidden:
        made.append(layer.forms if len(layer.bias) else [(*[0] * width, 1)])
        width = len(made[-1])
    outputs = [
        form
        for score in scores
        for form in Layer(padded(score.output_weight, width)[None], shortened([score.output_bias])).forms
    ]
    if sum(abs(entry).bit_length() for layer in (*made, outputs) for row in layer for entry in row) > MOST_DIGITS:
        raise InputError("has more numbers, or longer ones, than belong in source code")
    return made, outputs


def padded(weight: Numbers, width: int) -> Numbers:
    """The weights of an output; 0 for a unit that stands in the place of none."""
    return weight if len(weight) == width else np.zeros(width)


def answers_of(network: Threshold) -> tuple[str, ...]:
    """Names of the answers."""
    return tuple(network.names) if isinstance(network, Classifier) else tuple(network.answer_names)


def told(network: Threshold) -> str:
    """What the function computes."""
    names = answers_of(network)
    if isinstance(network, Classifier):
        return f"The class of the first output that is +1: {', '.join(f'{k} {name}' for k, name in enumerate(names))}."
    return f"+1 is {names[1]}, -1 is {names[0]}."


def cleaned(text: str) -> str:
    """A text that ends no comment and no string."""
    return "".join(c if c.isprintable() and c not in '\\"' else " " for c in text).replace("*/", "* /").replace("/*", "/ *")
