"""Prints pip's constraints that hold every run-time dependency at the lowest version declared in pyproject.toml."""

import re
import tomllib
from pathlib import Path

TOOLS = {"dev", "learning", "torch"}  # extras that are left out: for development, or many gigabytes


def lowest() -> list[str]:
    """The constraints, one a line."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    extras = [names for extra, names in project["optional-dependencies"].items() if extra not in TOOLS]
    wanted = [name for names in [project["dependencies"], *extras] for name in names if not name.startswith("lpnet[")]
    return [re.sub(r">=([\d.]+).*", r"==\1", name) for name in wanted]


if __name__ == "__main__":
    print(*lowest(), sep="\n")
