"""What is said of a failing seed is enough to see it again, and shows what led to it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner
from click.testing import Result as Ran

from localcloud.scenario import Fault
from localcloud.simulation import simulate as simulation
from localcloud.simulation.invariants import Violation
from localcloud.simulation.plan import Plan
from localcloud.simulation.simulate import Result, shrink
from sidestepctl import simulate as command
from sidestepctl.main import cli
from sidestepctl.simulate import AFTERWARDS_S, TOLD_LINES, Asked, Simulated, history_of, told

FAULTS = tuple(Fault(kind, "us-east-1") for kind in ("health-errors", "link-cut", "clock-skew"))
WORLD = Plan(7, ("us-east-1", "eu-west-1"), ("us-east-1",), {}, 1.0, FAULTS)
LOST = Violation("nothing-lost", "a write is nowhere")
HARMED = Violation("harmed-only", "us-east-1 was drained", 79.0)
HELD_UP = Violation("one-holder", "a step of another", 120.0)


def failed(*violations: Violation, world: Plan = WORLD, ends_s: int = 620) -> Result:
    """A seed in whose world a fault strikes each second."""
    seconds = [
        {"t": float(second), "kind": "fault", "what": f"no. {second}", "region": "eu-west-1"}
        for second in range(ends_s)
    ]
    transcript = "".join(json.dumps(event) + "\n" for event in seconds)
    faults = Counter(fault.kind for fault in world.faults)
    return Result(7, violations, float(ends_s), faults, 1, 9, world, transcript=transcript)


def seconds_of(lines: list[str]) -> list[int]:
    """When each line of a history was."""
    clocks = [click.unstyle(line).split()[0].split(":") for line in lines]
    return [int(minutes) * 60 + int(seconds) for minutes, seconds in clocks]


# -- seen again ------------------------------------------------------------------------------------


def test_a_seed_of_some_kinds_only_is_seen_again_with_these_kinds() -> None:
    again = "sidestep simulate --seeds 1 --seed 7 --faults link-cut,duplicates"
    whole = Simulated()
    whole.add(failed(HARMED))

    assert f"        again: {again}   (with" in told(failed(HARMED), ("link-cut", "duplicates"))
    assert whole.again(("link-cut", "duplicates")) == [f"FAILED  {again}"]
    assert whole.again() == ["FAILED  sidestep simulate --seeds 1 --seed 7"]


def run_of(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], *results: Result
) -> tuple[Ran, list[Asked]]:
    """The command, with these results instead of worlds; what it asked for."""
    asks: list[Asked] = []

    def made(_seeds: range, asked: Asked, whole: Simulated, tell: Callable[[Result], None]) -> None:
        asks.append(asked)
        for result in results:
            whole.add(result)
            tell(result)

    monkeypatch.setattr(command, "simulate_all", made)
    return CliRunner().invoke(cli, ["simulate", "--seed", "7", "--seeds", "1", *arguments]), asks


@pytest.mark.parametrize("soak", [[], ["--soak"]])
def test_the_command_ends_with_what_runs_the_same_world_again(
    monkeypatch: pytest.MonkeyPatch, soak: list[str]
) -> None:
    arguments = ["--faults", "link-cut,duplicates", *soak]
    ran, (asked,) = run_of(monkeypatch, arguments, failed(HARMED))

    assert ran.exit_code == 1
    assert asked.kinds == ("link-cut", "duplicates")
    same = "sidestep simulate --seeds 1 --seed 7 --faults link-cut,duplicates"
    assert f"FAILED  {same}" in ran.output.splitlines()
    assert ran.output.splitlines()[-1] == "0 passed, 1 failed"


def test_a_failing_seed_tells_what_broke_and_what_went_wrong_in_its_world() -> None:
    first, broke, *others = told(failed(HARMED)).splitlines()

    assert first == "FAILED  seed 7: 1 × clock-skew, 1 × health-errors, 1 × link-cut"
    assert broke.startswith("        harmed-only at 79.0 s: us-east-1 was drained (")
    assert "\n".join(others).startswith(WORLD.in_words())


# -- which part of its history ---------------------------------------------------------------------


def test_the_history_leads_to_the_first_violation_that_has_a_time() -> None:
    said, *lines = history_of(failed(LOST, HELD_UP, HARMED))

    last = int(79 + AFTERWARDS_S)
    assert seconds_of(lines) == list(range(last - TOLD_LINES + 1, last + 1))
    assert said == (
        "        history until 10 s after what broke first, at 79.0 s, the last 60 of 90 lines:"
    )


def test_where_no_violation_has_a_time_the_history_is_shown_to_its_end() -> None:
    said, *lines = history_of(failed(LOST))

    assert seconds_of(lines) == list(range(620 - TOLD_LINES, 620))
    assert said == "        history to its end, the last 60 of 620 lines:"


def test_a_short_history_is_shown_whole() -> None:
    said, *lines = history_of(failed(LOST, ends_s=3))

    assert seconds_of(lines) == [0, 1, 2]
    assert said == "        history to its end, every line:"


# -- made smaller ----------------------------------------------------------------------------------


def breaks_with(*needed: str) -> Callable[[Plan], Result]:
    """Worlds in which `harmed-only` breaks where all these kinds are in force, and another
    invariant where they are not."""

    def run(world: Plan) -> Result:
        kinds = {fault.kind for fault in world.faults}
        return failed(HARMED if kinds >= set(needed) else HELD_UP, world=world)

    return run


@pytest.mark.parametrize(
    ("needed", "left"),
    [
        (("link-cut",), ["link-cut"]),
        (("health-errors", "clock-skew"), ["health-errors", "clock-skew"]),
        ((), ["clock-skew"]),
    ],
)
def test_a_failure_is_told_with_as_few_faults_as_show_the_same_one(
    monkeypatch: pytest.MonkeyPatch, needed: tuple[str, ...], left: list[str]
) -> None:
    monkeypatch.setattr(simulation, "run_plan", breaks_with(*needed))

    smaller = shrink(failed(HARMED))

    assert [fault.kind for fault in smaller.plan.faults] == left
    assert smaller.violations == (HARMED,)
    world = told(smaller).splitlines()[2 : 2 + 1 + len(left)]
    assert "\n".join(world) == smaller.plan.in_words()
