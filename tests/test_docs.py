"""The API reference is built from the docstrings without a warning (which pytest makes an error)."""

import importlib
import pkgutil

import pytest

import lpnet


def specifications():
    """lpnet and its modules; pdoc finds by itself those that `__all__`, or its absence, makes public."""
    yield "lpnet"
    for module in pkgutil.walk_packages(lpnet.__path__, "lpnet."):
        package, _, name = module.name.rpartition(".")
        public = getattr(importlib.import_module(package), "__all__", [name])
        if name not in public and name != "__main__":
            yield module.name


@pytest.mark.slow
def test_every_public_name_is_in_the_api_reference(tmp_path, monkeypatch):
    monkeypatch.setenv("PDOC_ALLOW_EXEC", "1")  # h5py asks uname what machine this is
    pdoc = pytest.importorskip("pdoc", reason="needs pdoc")
    pdoc.render.configure(math=True)
    pdoc.pdoc(*specifications(), output_directory=tmp_path)
    page = (tmp_path / "lpnet.html").read_text()
    assert all(f'id="{name}"' in page for name in lpnet.__all__)
    pages = {str(path.relative_to(tmp_path).with_suffix("")).replace("/", ".") for path in tmp_path.rglob("*.html")}
    modules = {module.name for module in pkgutil.walk_packages(lpnet.__path__, "lpnet.")} - {"lpnet.__main__"}
    assert modules <= pages


def test_every_public_function_and_class_has_a_docstring():
    for module in pkgutil.walk_packages(lpnet.__path__, "lpnet."):
        if module.name == "lpnet.__main__":
            continue
        content = importlib.import_module(module.name)
        assert content.__doc__, module.name
        for name, value in vars(content).items():
            if callable(value) and getattr(value, "__module__", "") == module.name and not name.startswith("_"):
                # A dataclass without a docstring is given its signature for one.
                assert value.__doc__, f"{module.name}.{name}"
                assert not value.__doc__.startswith(f"{name}("), f"{module.name}.{name}"
