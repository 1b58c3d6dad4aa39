"""HTML: one file, nothing loaded from elsewhere; whatever it shows is escaped, and of scripts its own alone runs."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape

from lpnet.rules.rules import Block, tagged

Row = tuple[str, ...]

STYLE = """
:root { color-scheme: light dark; --line: #ccc; --quiet: #555; --box: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --line: #444; --quiet: #aaa; --box: #22262b; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .5rem 0; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.name { color: var(--quiet); margin: 1rem 0 0; } .headline { display: grid; gap: 0 2rem; }
@media (min-width: 60rem) { body { max-width: 72rem; } .headline { grid-template-columns: 5fr 6fr; } }
th.sortable { cursor: pointer; } th.sortable::after { content: " ↕"; color: var(--quiet); }
tr.shown td { background: var(--box); }
.piece { cursor: help; }
.piece:hover path, .piece:focus path, .piece.shown path { stroke: #D55E00 !important; stroke-width: 4 !important; }
.inline svg { width: 100%; height: auto; background: white; border-radius: 4px; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; } table { margin: .4rem 0 1rem; }
#told { min-height: 3em; font-size: .9rem; background: var(--box); padding: .5rem .8rem; border-radius: 4px; }
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
SCRIPT = """
for (const table of document.querySelectorAll('table.rows')) {
  const heads = [...table.rows[0].cells];
  heads.forEach((head, column) => {
    head.classList.add('sortable');
    head.addEventListener('click', () => {
      const value = row => row.cells[column] ? row.cells[column].textContent : '';
      const number = text => parseFloat(text.replace(/,/g, '').replace('\u2212', '-').replace(/^h/, ''));
      const down = head.dataset.down = head.dataset.down === '1' ? '0' : '1';
      const rows = [...table.rows].slice(1).sort((a, b) => {
        const [x, y] = [value(a), value(b)], [p, q] = [number(x), number(y)];
        const order = isNaN(p) || isNaN(q) ? x.localeCompare(y) : p - q;
        return down === '1' ? -order : order;
      });
      rows.forEach(row => row.parentNode.appendChild(row));
    });
  });
}
const told = document.getElementById('told');
const tell = piece => {
  document.querySelectorAll('.shown').forEach(each => each.classList.remove('shown'));
  piece.classList.add('shown');
  const name = piece.querySelector('title').textContent;
  if (told) told.textContent = name;
  for (const cell of document.querySelectorAll('table.rows td:first-child'))
    if (cell.textContent === name.split(':')[0]) cell.parentNode.classList.add('shown');
};
for (const piece of document.querySelectorAll('.piece'))
  for (const event of ['mouseenter', 'focus', 'click']) piece.addEventListener(event, () => tell(piece));
"""
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    f"script-src 'sha256-{b64encode(sha256(SCRIPT.encode()).digest()).decode()}'"
)


@dataclass(frozen=True)
class Part:
    """A section of the page, its contents in this order, each optional.

    facts: rows of a name and a value; table: a header and rows; text: preformatted; picture: an SVG; caption: its text, read
    out where it cannot be seen; large: whether it is scrolled on a small screen rather than made smaller; blocks: of rules;
    pieces: what to say of the parts of the picture with these ids when they are pointed at; headline: of the whole page.
    """

    title: str
    sentences: Sequence[str] = ()
    facts: Sequence[Row] = ()
    text: str = ""
    table: Sequence[Row] = ()
    picture: bytes = b""
    caption: str = ""
    large: bool = False
    blocks: Sequence[Block] = ()
    pieces: Mapping[str, str] | None = None
    headline: str = ""


def page(title: str, headline: str, subtitle: str, parts: Sequence[Part]) -> bytes:
    """The page in UTF-8: the first two parts beside each other, the rest below."""
    top, body = "\n".join(map(section, parts[:2])), "\n".join(map(section, parts[2:]))
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
<p class="name">{escape(title)}</p>
<h1>{escape(headline)}</h1>
<p class="quiet">{escape(subtitle)}</p>
<div class="headline">
{top}
</div>
{body}
<script>{SCRIPT}</script>
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
        blocks.append(f'<div class="scroll wide"><table class="rows">\n{table(part.table)}\n</table></div>')
    for block in part.blocks:
        made = "\n".join(tagged(block)).replace("<h2>", "<h3>").replace("</h2>", "</h3>")
        blocks.append(made.replace("<table>", '<div class="scroll"><table class="rows">').replace("</table>", "</table></div>"))
    if part.picture and part.pieces is not None:
        told = '<p id="told">Point at the boundary: which half-space is it, and how much of the data does it decide?</p>'
        image = f'<div class="inline">{pointed(part.picture, part.pieces)}</div>{told * bool(part.pieces)}'
        blocks.append(f"<figure>{image}<figcaption>{escape(part.caption)}</figcaption></figure>")
    elif part.picture:
        source = f"data:image/svg+xml;base64,{b64encode(part.picture).decode()}"
        caption = escape(part.caption)
        box = "scroll large" if part.large else "scroll"
        widest = f"max-width: {width(part.picture)}px"
        image = f'<div class="{box}"><img alt="{caption}" style="{widest}" src="{source}"></div>'
        blocks.append(f"<figure>{image}<figcaption>{caption}</figcaption></figure>")
    return "<section>\n" + "\n".join(blocks) + "\n</section>"


def pointed(picture: bytes, pieces: Mapping[str, str]) -> str:
    """An SVG as a part of the page; its groups with these ids say what they are."""
    drawn = picture.decode()
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn[drawn.index("<svg") :], flags=re.DOTALL).replace(
        "*{stroke-linejoin", "svg *{stroke-linejoin"
    )
    for name, text in pieces.items():
        head = f'<g id="{name}">'
        drawn = drawn.replace(head, f'<g id="{name}" class="piece" tabindex="0"><title>{escape(text)}</title>')
    return drawn


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
