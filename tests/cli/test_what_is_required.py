"""A run in which something that its scenario requires did not come is not ok, and says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from localcloud.scenario import BACK_OUT, PAGE, TAKE_OVER
from sidestepctl.main import cli
from sidestepctl.report import _why_not
from tests.simulation.histories import HERE, THERE, outcome

KEYS = {
    *("scenario", "expected", "ok", "seeds", "mitigated", "mitigated_s", "moves", "wrong_moves"),
    *("writes", "client_errors", "failed"),
}
NO_PAGE = "no page: no message asked for a person"
A_BLIP = """name: blip
why: Two seconds of errors are nobody's business, and this scenario asks for a page all the same.
expect: held
must: [page]
requests_per_s: 0.05
faults:
  - kind: health-errors
    region: eu-west-2
    at_s: 5
    for_s: 2
"""


@pytest.fixture
def blip(tmp_path: Path) -> str:
    file = tmp_path / "blip.yaml"
    file.write_text(A_BLIP)
    return str(file)


@pytest.mark.parametrize(
    ("what", "regions", "said"),
    [
        (PAGE, (), NO_PAGE),
        (
            TAKE_OVER,
            (HERE, THERE),
            f"no take-over: no incident of {HERE} or {THERE} was taken over from a dead holder",
        ),
        (BACK_OUT, (HERE,), f"no back-out: no return of {HERE} was undone by itself"),
        (BACK_OUT, (), "no back-out: no return of any Region was undone by itself"),
    ],
)
def test_what_did_not_come_is_one_more_reason(
    what: str, regions: tuple[str, ...], said: str
) -> None:
    run = outcome()
    run.scenario = replace(run.scenario, regions=regions)
    otherwise = _why_not(run)

    run.scenario = replace(run.scenario, must=(what,))

    assert sorted(_why_not(run)) == sorted([*otherwise, said])


def test_what_came_is_no_reason() -> None:
    run = outcome()
    otherwise = _why_not(run)

    run.scenario = replace(run.scenario, must=(PAGE,))
    run.pages.append({"subject": "Sidestep needs you: eu-west-2"})

    assert _why_not(run) == otherwise


def test_a_drill_says_so_and_exits_1(blip: str) -> None:
    run = CliRunner(mix_stderr=False).invoke(cli, ["drill", "--scenario", blip])

    assert run.exit_code == 1
    assert run.stdout.splitlines()[-1] == f"NOT OK: {NO_PAGE}"


def test_scenarios_say_so_with_the_seed_and_the_keys_that_they_always_have(blip: str) -> None:
    run = CliRunner(mix_stderr=False).invoke(
        cli, ["scenarios", blip, "--seed", "3", "--workers", "1", "--json"]
    )

    (told,) = json.loads(run.stdout)
    assert (run.exit_code, told["ok"], told["expected"]) == (1, False, "held")
    assert told["failed"] == {"3": [NO_PAGE]}
    assert set(told) == KEYS
