"""Figures and files: matplotlib without a screen and without global state."""

import io
import os
import re
import warnings
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from lpnet.errors import InputError
from lpnet.io import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")
# Okabe and Ito's colours, told apart by everybody; their greys differ too, and no meaning hangs on colour alone.
BLACK, BLUE, SKY, PALE, VERMILION, GREY = "#000000", "#0072B2", "#56B4E9", "#DDF0FB", "#D55E00", "#808080"
GREEN, ORANGE = "#009E73", "#E69F00"
SETTINGS: Any = {"svg.hashsalt": "lpnet", "svg.fonttype": "path", "hatch.linewidth": 0.5}

ON_SCREEN, IN_FILES = 100, 300  # dots an inch; of notebooks, of .png files
COLOURS = 64  # of small pictures


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure, in inches; InputError where matplotlib is missing."""
    check_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=ON_SCREEN, layout="constrained")


def check_matplotlib() -> None:
    """InputError where matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise InputError('pictures need the package matplotlib: pip install "lpnet[plots]"') from None


def plain(text: str) -> str:
    """The text as it stands: matplotlib takes what is between dollar signs for a formula, and SVG has no control characters."""
    printable = "".join(z if z.isprintable() or z == "\n" else "\ufffd" for z in text)
    return printable.replace("$", r"\$")


def broken(text: str, letters: int) -> str:
    """The text in lines of at most so many letters, broken at commas and colons, and within a part only if it is longer."""
    parts = (
        part
        for line in text.split("\n")
        for part in wrap(re.sub("(?<![,:]) ", "\xa0", line), letters, break_long_words=False, break_on_hyphens=False)
    )
    return "\n".join(line for part in parts for line in wrap(part.replace("\xa0", " "), letters))


def rendered(figure: "Figure", suffix: str) -> bytes:
    """The picture as a .png, .svg or .pdf file; the same bytes each time."""
    from matplotlib import rc_context

    undated = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    content = io.BytesIO()
    with rc_context(SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a letter that the font has not is drawn as a box
        figure.savefig(
            content,
            format=suffix[1:],
            dpi=IN_FILES,
            metadata=undated[suffix],
            facecolor="white",
            bbox_inches="tight",
            pad_inches=0.04,
        )
    return content.getvalue()


def small_png(figure: "Figure") -> bytes:
    """The picture for a screen, in so few colours that notebooks stay small: a quarter of the bytes, and looks the same."""
    from PIL import Image

    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png", facecolor="white", bbox_inches="tight", pad_inches=0.04)
    Image.open(full).convert("RGB").quantize(COLOURS).save(small, format="png", optimize=True)
    return small.getvalue()


def check_picture(path: str | os.PathLike[str]) -> str:
    """The suffix of a picture that can be written, or InputError: before the work whose result is to be drawn."""
    check_matplotlib()
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(f"{path}: wanted a name that ends in {', '.join(FORMATS)}")
    return suffix


def save_picture(figure: "Figure", path: str | os.PathLike[str]) -> None:
    """Write a picture; an existing file is replaced, as a whole or not at all. InputError where it cannot be written."""
    save_rendered(rendered(figure, check_picture(path)), path)


def save_rendered(content: bytes, path: str | os.PathLike[str]) -> None:
    """`save_picture` for what `rendered` has made."""
    try:
        with replacing(path) as file:
            file.write(content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None
