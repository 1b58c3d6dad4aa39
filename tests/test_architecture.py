"""Imports go one way only, and `import lpnet` pulls in nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import lpnet

PACKAGE = Path(lpnet.__file__).parent
# From the bottom up: a module may import from its own row's package and from the rows above it in this list.
ROWS = ["checker", "errors", "brief", "background", "watch", "cluster", "laws", "compiled", "exact", "programs"]
ROWS += [
    "networks",
    "rules",
    "io",
    "boundary",
    "regions",
    "circuits",
    "equivalents",
    "equality",
    "proofs",
    "properties",
    "compression",
    "api",
    "estimator",
    "studies",
]
ROWS += ["learning", "plots", "console", "pages", "cli", "__main__"]
HEAVY = {
    "cvxpy",
    "dask",
    "distributed",
    "h5py",
    "jax",
    "joblib",
    "keras",
    "matplotlib",
    "numba",
    "onnx",
    "pandas",
    "pulp",
    "pyarrow",
    "rich",
    "scipy",
    "sklearn",
    "torch",
    "typer",
}
MATHEMATICS = {"programs", "boundary", "regions", "circuits", "equivalents", "equality", "compression"}  # knows of no file


def imported_rows(file):
    """The lpnet modules, by row, that a file imports, also inside its functions."""
    for node in ast.walk(ast.parse(file.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            package, _, inside = name.partition(".")
            if package == "lpnet":
                yield inside.partition(".")[0] or "everything"


def test_imports_go_one_way():
    checked = 0
    for file in PACKAGE.rglob("*.py"):
        own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for other in imported_rows(file):
            if other == "everything":
                assert own == "cli", f"{file} imports lpnet itself"
                continue
            assert ROWS.index(other) <= ROWS.index(own), f"{file} imports lpnet.{other}"
            assert other != "io" or own not in MATHEMATICS, f"{file} imports lpnet.io"
            checked += 1
    assert checked > 30


def test_programs_have_one_door():
    """Solvers of linear and integer programs are called in `lpnet.programs` alone; cvxpy where a program is stated."""
    stated = {"compression/lemma3.py", "compression/factorisation.py", "compression/nearest/program.py"}
    for file in PACKAGE.rglob("*.py"):
        text, place = file.read_text(), file.relative_to(PACKAGE).as_posix()
        if not place.startswith("programs/"):
            assert not any(name in text for name in ("scipy.optimize", "import pulp", "import highspy")), place
            assert "import cvxpy" not in text or place in stated, place


def test_import_is_light():
    code = "import lpnet, sys; lpnet.load; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded
    assert not HEAVY & set(loaded)


def test_the_checker_stands_alone():
    """It imports nothing of the search, and from elsewhere only numpy and python-flint."""
    allowed = {"numpy", "flint", "lpnet.checker", *sys.stdlib_module_names}
    for file in (PACKAGE / "checker").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [n.name for n in getattr(node, "names", [])]
            for name in names if isinstance(node, ast.Import | ast.ImportFrom) else []:
                root = ".".join(name.split(".")[:2]) if name.startswith("lpnet") else name.split(".")[0]
                assert root in allowed, f"{file} imports {name}"


def test_every_package_says_what_is_public():
    for file in PACKAGE.rglob("__init__.py"):
        if file.parent != PACKAGE:  # lpnet itself has what `lpnet.api` has
            assert "\n__all__ = [" in file.read_text(), file
