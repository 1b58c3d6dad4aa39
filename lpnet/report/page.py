"""HTML: one file, nothing loaded from elsewhere, no scripts; whatever it shows is escaped."""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

Row = tuple[str, ...]

STYLE = """
:root { color-scheme: light dark; --line: #ccc; --quiet: #555; --box: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --line: #444; --quiet: #aaa; --box: #22262b; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.quiet, figcaption { color: var(--quiet); font-size: .9rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
.scroll th, .scroll td { overflow-wrap: normal; } .wide td { white-space: nowrap; }
pre { white-space: pre-wrap; background: var(--box); padding: .8rem; font-size: .9rem; max-height: 24rem; overflow-y: auto; }
figure { margin: 1rem 0; } img { width: 100%; display: block; height: auto; background: white; border-radius: 4px; }
.large img { width: max(100%, 44rem); }
@media print { body { max-width: none; } }
"""
ENLARGED = 1.8  # pixels a point
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Part:
    """A section of the page, its contents in this order, each optional.

    facts: rows of a name and a value; table: a header and rows; text: preformatted; picture: an SVG; caption: its text, read
    out where it cannot be seen; large: whether it is scrolled on a small screen rather than made smaller.
    """

    title: str
    sentences: Sequence[str] = ()
    facts: Sequence[Row] = ()
    text: str = ""
    table: Sequence[Row] = ()
    picture: bytes = b""
    caption: str = ""
    large: bool = False


def page(title: str, subtitle: str, parts: Sequence[Part]) -> bytes:
    """The page in UTF-8."""
    body = "\n".join(map(section, parts))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} – lpnet</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p class="quiet">{escape(subtitle)}</p>
{body}
</body>
</html>
""".encode(errors="replace")


def section(part: Part) -> str:
    """A part as HTML."""
    blocks = [f"<h2>{escape(part.title)}</h2>", *(f"<p>{escape(sentence)}</p>" for sentence in part.sentences)]
    if part.facts:
        rows = "\n".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in part.facts)
        blocks.append(f'<div class="scroll"><table>\n{rows}\n</table></div>')
    if part.text:
        blocks.append(f"<pre>{escape(part.text)}</pre>")
    if part.table:
        blocks.append(f'<div class="scroll wide"><table>\n{table(part.table)}\n</table></div>')
    if part.picture:
        source = f"data:image/svg+xml;base64,{b64encode(part.picture).decode()}"
        caption = escape(part.caption)
        box = "scroll large" if part.large else "scroll"
        widest = f"max-width: {width(part.picture)}px"
        image = f'<div class="{box}"><img alt="{caption}" style="{widest}" src="{source}"></div>'
        blocks.append(f"<figure>{image}<figcaption>{caption}</figcaption></figure>")
    return "<section>\n" + "\n".join(blocks) + "\n</section>"


def width(picture: bytes) -> int:
    """How wide an SVG is shown at most, in pixels, for its letters to be as large as those of the page."""
    (points,) = re.findall(rb'<svg[^>]*? width="([0-9.]+)pt"', picture)
    return round(ENLARGED * float(points))


def table(rows: Sequence[Row]) -> str:
    """A header and rows."""
    head, *body = (["<th>" + "</th><th>".join(map(escape, rows[0])) + "</th>"]) + [
        "<td>" + "</td><td>".join(map(escape, row)) + "</td>" for row in rows[1:]
    ]
    return "\n".join(f"<tr>{row}</tr>" for row in (head, *body))
