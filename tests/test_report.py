"""`lpnet report`: one page, nothing loaded from elsewhere, nothing executed, and it says what the commands say."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

import lpnet
from lpnet.cli import app
from lpnet.errors import Stopped
from lpnet.io import load, read, save
from lpnet.pages.parts import equivalent_of
from lpnet.watch import Watch

DATA = Path(__file__).parent.parent / "data"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page(HTMLParser):
    """Tags, attributes and the visible text of a page; fails on tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.addresses, self.text = [], [], [], ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "srcset", "action")]
        assert not any(name.startswith("on") for name, _ in attributes)
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def report(folder, file, *arguments, code=0):
    out = folder / "report.html"
    result = CliRunner().invoke(app, ["report", str(file), "-o", str(out), *map(str, arguments)])
    assert result.exit_code == code, result.stderr
    return Page(out.read_text())


def test_the_page_says_what_the_commands_say(tmp_path):
    page = report(tmp_path, DATA / "wine_pca3.json", "--names", "a,b,c")
    answer = lpnet.minimal_equivalent(load(DATA / "wine_pca3.json"))
    assert f"has at least these {answer.units} half-spaces" in page.text
    assert "2^5 = 32" in page.text
    assert "PROVED" in page.text
    assert "NOT PROVED" not in page.text
    assert "14 in the first layer, 3 in the second, and the output" in page.text
    assert "CNF: an AND of ORs" in page.text
    assert "5 ReLUs: 14 half-spaces of 32 are needed, proved" in page.text
    assert "if not h1 and not h4 and not h5 and not h10 and not h13" in page.text  # a clause of the CNF, denied
    assert "0.519 a + b + 0.173 c ≥ 0.78" in page.text
    assert "97% of their normals' squared length, through a = 0.748, b = 0.427, c = 0.79." in page.text
    assert page.tags.count("svg") == page.tags.count("img") == 1


def test_the_page_says_how_the_file_was_read(tmp_path):
    torch = pytest.importorskip("torch")
    file = tmp_path / "m.pt"
    hidden, output = torch.tensor([[0.1, 2.0], [-1.0, 0.5]]), torch.tensor([[1.0, 0.2], [0.3, 1.0], [-0.7, 0.0]])
    torch.save({"a.weight": hidden, "b.weight": output}, file)
    page = report(tmp_path, file, "--outputs", "2,0", "--time-limit", "5")
    notes = read(file, (2, 0)).notes
    assert [note.partition(": ")[0] for note in notes] == ["assumed", "layers", "numbers", "answer"]
    for name, _, text in (note.partition(": ") for note in notes):
        assert re.search(rf"{name}\s*{re.escape(text)}", page.text)
    assert "a tie is +1, for output 2, where argmax takes output 0" in page.text


def test_one_signed_networks_come_back_from_their_threshold_units(tmp_path):
    page = report(tmp_path, DATA / "theorem2_n4.json")
    assert re.search(r"verdict\s*exact", page.text)
    assert re.search(r"ReLUs\s*4\b", page.text)
    assert "15 (T(n, d)" in page.text
    assert "closed form" in page.text


def test_threshold_networks_have_pages_too(tmp_path):
    save(lpnet.minimal_equivalent(load(DATA / "running_example.json")).equivalent, tmp_path / "sign.json")
    page = report(tmp_path, tmp_path / "sign.json")
    assert "sign network (two layers)" in page.text
    assert re.search(r"verdict\s*exact", page.text)
    assert "Minimal threshold equivalent" not in page.text


@pytest.mark.parametrize("file", ["running_example.json", "theorem2_n3.json"])
def test_nothing_is_loaded_from_elsewhere(tmp_path, file):
    page = report(tmp_path, DATA / file)
    assert page.addresses
    assert all(address.startswith("data:image/svg+xml;base64,") for address in page.addresses)
    for address in page.addresses:
        picture = base64.b64decode(address.partition(",")[2]).decode()
        assert "<script" not in picture
        assert not re.search(r'href="(?!#)', picture)
    assert not {"link", "iframe", "object"} & set(page.tags)
    content = (tmp_path / "report.html").read_text()
    (script,) = re.findall("<script>(.*?)</script>", content, re.DOTALL)  # its own alone may run
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'" in content


def test_names_are_text_and_nothing_else(tmp_path):
    hostile = "<script>alert(1)<&'\"-->"
    file = tmp_path / f"{hostile}.json".replace("/", "")
    shutil.copy(DATA / "running_example.json", file)
    page = report(tmp_path, file, "--names", f"{hostile},$\\x$")
    assert page.tags.count("script") == 1
    assert hostile in page.text
    assert "$\\x$" in page.text


def test_a_name_that_is_no_text(tmp_path):
    file = tmp_path / os.fsdecode(b"\xff.json")
    shutil.copy(DATA / "running_example.json", file)
    assert "?.json" in report(tmp_path, file).text
    assert CliRunner().invoke(app, ["draw", str(file), "-o", str(tmp_path / "x.svg")]).exit_code == 0


def test_constants_and_ties_have_pages(tmp_path):
    save(lpnet.ReLUNetwork([[1.0, 0.0]], [0.0], [1.0], 1.0), tmp_path / "constant.json")
    page = report(tmp_path, tmp_path / "constant.json", "--domain=-2,2")
    assert "constant +1" in page.text
    assert "every input from -2 to 2" in page.text
    assert "inequality" not in page.text  # of no half-space
    save(lpnet.ReLUNetwork([[1.0], [-1.0]], [0.0, 0.0], [-1.0, -1.0], 0.0), tmp_path / "tie.json")
    assert "Theorem 1" in report(tmp_path, tmp_path / "tie.json").text


def test_what_takes_too_long_is_left_out_and_said(tmp_path):
    page = report(tmp_path, DATA / "wine_pca3.json", "--time-limit", 0, code=3)
    assert "the search was stopped" in page.text
    assert "not proved: that no other half-space is needed" in page.text or "Not proved here" in page.text


def test_a_circuit_that_takes_too_long_is_replaced_by_theorem_1s(monkeypatch):
    answer = lpnet.minimal_equivalent(load(DATA / "wine_pca3.json"))

    def stop(*_):
        raise Stopped("stopped after 10%")

    monkeypatch.setattr(type(answer), "build_equivalent", stop)
    network, part = equivalent_of(answer, Watch())
    assert (network.units, network.terms) == (20, 5)
    assert part.sentences == ["No smallest one: stopped after 10%."]


def test_bad_input_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments in (
        ["missing.json"],
        [DATA / "wine_pca3.json", "--names", "a"],
        [DATA / "wine_pca3.json", "-o", "no/x.html"],
    ):
        result = CliRunner().invoke(app, ["report", *map(str, arguments)])
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
    Path("wine_pca3.html").write_text("mine")
    assert CliRunner().invoke(app, ["report", str(DATA / "wine_pca3.json")]).exit_code == 2
    assert Path("wine_pca3.html").read_text() == "mine"


@pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")
@pytest.mark.parametrize("width", [1200, 390])
def test_a_browser_shows_it(tmp_path, width):
    """It fits the width of a phone, its pictures load, and no script of a hostile name runs."""
    file = tmp_path / "<img src=x onerror=document.title='broken'>.json"
    shutil.copy(DATA / "running_example.json", file)
    report(tmp_path, file)
    framed = tmp_path / "framed.html"
    framed.write_text(
        f'<body style="margin:0"><iframe id="f" src="report.html" style="border:0;width:{width}px;height:900px"></iframe>'
        "<script>onload = () => { const page = f.contentDocument, images = [...page.images];"
        "page.querySelector('.piece').dispatchEvent(new Event('click'));"
        "page.querySelector('table.rows th').click();"
        "document.title = [page.documentElement.scrollWidth, images.length, page.getElementById('told').textContent,"
        "images.every(i => i.complete && i.naturalWidth > 0), page.title].join('|') }</script>"
    )
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--virtual-time-budget=5000"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width + 100},1000", "--dump-dom", framed.as_uri()]
    shown = subprocess.run([BROWSER, *options], capture_output=True, text=True, timeout=120).stdout
    scroll_width, images, told, loaded, title = re.search("<title>(.*?)</title>", shown).group(1).split("|")
    assert int(scroll_width) <= width
    assert (images, loaded) == ("1", "true")
    assert re.match(r"h[1-4]: .* ≥ ", told)  # the piece that was pointed at
    assert "onerror" in title
