"""What pages and comments point to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.running import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = ("functions", "statemachines", "localcloud", "sidestepctl", "benchmarks", "docs", "tests")


def anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_within_the_project_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        path, _, part = target.partition("#")
        there = (page.parent / path).resolve() if path else page

        assert there.exists(), target
        if part:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.M)
            assert part in map(anchor, headings), target


def test_nothing_cites_notes_that_are_not_part_of_the_project() -> None:
    files = [ROOT / "README.md", ROOT / "template.yaml"]
    files += [one for folder in FOLDERS for one in (ROOT / folder).rglob("*") if one.is_file()]
    kinds = (".md", ".py", ".json", ".yaml")
    texts = {one: one.read_text() for one in files if one.suffix in kinds}

    notes = "FAC" + "TS"  # a collection of facts that only its authors had
    assert [one for one, text in texts.items() if re.search(rf"\b{notes}\b", text)] == []


def test_each_word_of_the_contract_is_defined_once() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    table = page.split("## Words\n")[1].split("\n## ")[0]
    rows = [row.split(" | ") for row in table.splitlines()[2:]]

    words = [word for row in rows for word in row[0].removeprefix("| ").split(", ")]
    assert len(words) == len(set(words))
    assert all(len(row) == 2 and len(row[1]) > 20 for row in rows)
