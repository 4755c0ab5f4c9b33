"""docs/trust.md names a test for every promise: each is there, under that name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "trust.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
SCENARIOS = sorted(set(re.findall(r"--scenario ([\w-]+)", PAGE)))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_each_test_that_the_page_names_is_there(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text())

    assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_that_the_page_names_is_in_the_catalogue(name: str) -> None:
    assert (ROOT / "localcloud" / "scenarios" / f"{name}.yaml").is_file()


@pytest.mark.parametrize("row", [line for line in PAGE.splitlines() if line.startswith("| ")])
def test_no_promise_is_without_a_test(row: str) -> None:
    """Figures are told by their own table, and a table has a head."""
    figures = PAGE.split("<!-- bench-loss -->")[1].split("<!-- /bench-loss -->")[0]

    assert "::" in row or "held by" in row or row in figures
