"""What `pip install` puts in place is all of it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.cli.running import ROOT


def packages_below(folder: Path, name: str) -> set[str]:
    """Every folder of Python modules, as setuptools names it."""
    inner = (init.parent.relative_to(folder) for init in folder.rglob("__init__.py"))
    return {".".join((name, *path.parts)) for path in inner}


def test_no_package_is_left_out_of_what_is_installed() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]

    there = packages_below(ROOT / "functions" / "sidestep", "sidestep")
    there |= packages_below(ROOT / "localcloud", "localcloud")
    there |= packages_below(ROOT / "sidestepctl", "sidestepctl")
    assert sorted(told) == sorted(there)
