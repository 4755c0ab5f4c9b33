"""The deliberate bugs are in step with the code that they are put into, and with their page."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.mutations.catalogue import MUTATIONS
from benchmarks.mutations.mutation import Edit, Mutation, StaleMutationError
from benchmarks.mutations.run import _is_astray
from localcloud.faults.kinds import KINDS
from localcloud.simulation.invariants import NAMES
from tests.cli.running import ROOT

RESULTS = json.loads((ROOT / "benchmarks" / "results" / "mutations.json").read_text())
PAGE = (ROOT / "docs" / "simulation.md").read_text()


def test_there_are_enough_of_them_each_under_its_own_name() -> None:
    names = Counter(mutation.name for mutation in MUTATIONS)

    assert len(names) >= 15
    assert set(names.values()) == {1}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_bug_can_be_put_in_and_leaves_a_program(mutation: Mutation, tmp_path: Path) -> None:
    for file in {edit.file for edit in mutation.edits}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text((ROOT / file).read_text())

    mutation.put_into(tmp_path)

    for edit in mutation.edits:
        changed = (tmp_path / edit.file).read_text()
        assert changed != (ROOT / edit.file).read_text()
        ast.parse(changed)
    assert set(mutation.faults) <= set(KINDS)
    assert mutation.expected <= set(NAMES)


@pytest.mark.parametrize("text", ["", "one\none\n"])
def test_a_bug_whose_place_has_changed_says_so(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(text)
    stale = Mutation("late", "for a test", (Edit("a.py", "one", "two"),))

    with pytest.raises(StaleMutationError, match=r"late: a\.py has 'one'"):
        stale.put_into(tmp_path)


def test_a_bug_that_only_other_invariants_catch_has_gone_astray() -> None:
    expected = frozenset({"fenced", "one-holder"})
    mutation = Mutation("late", "for a test", (), expected=expected)
    any_may = Mutation("any", "for a test", ())

    assert _is_astray(mutation, {"seed": 3, "by": ["converges"]})
    assert not _is_astray(mutation, {"seed": 3, "by": ["converges", "fenced"]})
    assert not _is_astray(mutation, {"seed": None, "by": []})
    assert not _is_astray(any_may, {"seed": 3, "by": ["converges"]})


def test_the_page_tells_what_was_found_of_each() -> None:
    assert set(RESULTS) <= {mutation.name for mutation in MUTATIONS}
    for mutation in MUTATIONS:
        found = RESULTS.get(mutation.name, {"seeds": 0, "seed": None, "by": []})
        seed = "not found" if found["seed"] is None else str(found["seed"])
        told = f"{seed} (of {found['seeds']} tried)" if found["seeds"] else "not measured yet"
        assert f"| `{mutation.name}` | {mutation.what} | {told} |" in PAGE
        assert set(found["by"]) <= set(NAMES)


def test_every_bug_was_found() -> None:
    found = {name for name, result in RESULTS.items() if result["seed"] is not None}

    assert {mutation.name for mutation in MUTATIONS} == found


def test_the_pages_command_tries_as_many_seeds_as_its_bug_needs() -> None:
    """It writes what it comes to into the page: with too few it would write "not found"."""
    given = re.findall(r'^make mutations ARGS="(.+)"$', PAGE, re.M)

    assert given
    for name, option, seeds in map(shlex.split, given):
        assert option == "--seeds"
        assert RESULTS[name]["seed"] <= int(seeds)
