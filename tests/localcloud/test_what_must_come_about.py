"""What a scenario requires besides moves: a page, a take-over, a back-out; when each has come."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from localcloud.chronicle import Chronicle
from localcloud.cloud import ROOT, LocalCloud
from localcloud.run import Outcome, Run, asks_for_a_person
from localcloud.scenario import BACK_OUT, HELD, PAGE, TAKE_OVER, Fault, Scenario
from localcloud.services.tables import Change
from tests.simulation.histories import HERE, THERE, outcome

ARN = "arn:aws:states:us-west-2:123456789012:execution:sidestep-demo-{}:one"
FAILOVER, RECOVERY = ARN.format("failover"), ARN.format("recovery")
NEEDED = 'ALARM: "sidestep-demo-eu-west-2-needs-person" in eu-west-2'
TOLD_ONLY = {"Announce the outcome", "Tell that it is drained", "Tell whether traffic has left"}
"""States whose messages tell what was done, and ask nobody."""


def requires(what: str, *regions: str) -> Outcome:
    """A run that came out well, of a scenario that requires this."""
    run = outcome()
    run.scenario = replace(run.scenario, regions=regions, must=(what,))
    return run


@pytest.mark.parametrize("what", [PAGE, TAKE_OVER, BACK_OUT])
def test_a_run_without_any_of_them_lacks_what_is_required_and_nothing_else(what: str) -> None:
    assert requires(what).lacking == [what]
    assert outcome().lacking == []


@pytest.mark.parametrize(("region", "lacking"), [(HERE, []), (THERE, [TAKE_OVER])])
def test_a_take_over_has_to_be_of_a_region_that_the_scenario_is_about(
    region: str, lacking: list[str]
) -> None:
    run = requires(TAKE_OVER, region)
    run.take_overs.append({"region": HERE, "incident": "one", "of": FAILOVER, "by": RECOVERY})

    assert run.lacking == lacking


@pytest.mark.parametrize(
    ("by", "incident", "region", "lacking"),
    [
        (RECOVERY, "demo-eu-west-2-1", HERE, []),
        (RECOVERY, "demo-eu-west-2-1", THERE, [BACK_OUT]),
        (FAILOVER, "demo-eu-west-2-1", HERE, [BACK_OUT]),  # a person's order
        (FAILOVER, "demo-eu-west-2-2", HERE, [BACK_OUT]),  # it failed again later
    ],
)
def test_a_back_out_is_a_drain_by_the_recovery_that_had_restored_the_region(
    by: str, incident: str, region: str, lacking: list[str]
) -> None:
    run = requires(BACK_OUT, region)
    again = {"what": "drain", "region": HERE, "t": 330.0, "incident": incident, "by": by}
    run.moves.append(again)

    assert run.lacking == lacking


def test_a_recovery_that_finishes_a_drain_before_any_return_backs_nothing_out() -> None:
    run = requires(BACK_OUT, HERE)
    run.moves[0]["by"] = RECOVERY

    assert run.lacking == [BACK_OUT]


def test_who_is_asked_is_told_apart_from_who_is_told_by_every_message_of_the_workflows() -> None:
    subjects = dict(messages())

    asking = {name for name, subject in subjects.items() if asks_for_a_person(subject)}

    assert set(subjects) > TOLD_ONLY
    assert asking == set(subjects) - TOLD_ONLY


def messages() -> Iterator[tuple[str, str]]:
    """Of each state that publishes: its name, and how its subject begins."""
    for path in (ROOT / "statemachines").glob("*.asl.json"):
        for name, state in json.loads(path.read_text())["States"].items():
            if ":sns:publish" in state.get("Resource", ""):
                yield name, state["Arguments"]["Subject"].removeprefix("{% '")


@pytest.mark.parametrize(
    ("subject", "asks"),
    [
        (NEEDED, True),
        (NEEDED.replace("ALARM", "OK"), False),
        (NEEDED.replace("needs-person", "heartbeats-missing"), False),
        (NEEDED.replace("needs-person", "replication-lag"), False),
    ],
)
def test_of_all_alarms_one_asks_for_a_person(subject: str, asks: bool) -> None:
    assert "-needs-person\n" in (ROOT / "template.yaml").read_text()
    assert asks_for_a_person(subject) == asks


def test_a_page_counts_from_the_fault_on() -> None:
    fault = Fault("health-errors", HERE, at_s=5.0, for_s=1.0)
    run = Run(Scenario("s", "w", HELD, (), (fault,), must=(PAGE,)), 1)
    page = {"kind": "notification", "region": HERE, "subject": NEEDED}

    run._follow(page | {"t": 4.0})
    before = list(run._outcome.pages)
    run._follow({"kind": "fault", "what": fault.kind, "region": HERE, "t": 5.0})
    run._follow(page | {"t": 6.0})

    assert before == []
    assert [event["t"] for event in run._outcome.pages] == [6.0]


# -- how a take-over is known ------------------------------------------------------------------


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as made:
        yield made


def held(holder: str, lease_left_s: float, cloud: LocalCloud) -> dict[str, Any]:
    """A control item with one Region, whose incident is in these hands."""
    until_ms = int((cloud.kernel.now + lease_left_s) * 1000)
    state = {"state": "DRAINING", "incident": "demo-eu-west-2-1", "mode": "automatic"}
    return {
        **{"pk": "demo", "sk": "control", "moves": []},
        "regions": {HERE: {**state, "holder": holder, "lease_until_ms": until_ms}},
    }


@pytest.mark.parametrize(
    ("was", "lease_left_s", "becomes", "taken"),
    [
        ("dead", -31.0, "other", True),
        ("living", 20.0, "other", False),  # by a person's force
        ("dead", -31.0, "dead", False),  # it lived, and renews
        ("done", -31.0, "", False),  # put down
        ("", -31.0, "other", False),  # nobody's: claimed as usual
    ],
)
def test_an_incident_is_taken_over_where_a_holder_follows_one_whose_lease_has_run_out(
    cloud: LocalCloud, was: str, lease_left_s: float, becomes: str, taken: bool
) -> None:
    heard: list[dict[str, Any]] = []
    chronicle = Chronicle(cloud)
    cloud.kernel.subscribe(heard.append)

    chronicle._coordinated(HERE, changed(None, held(was, lease_left_s, cloud)))
    chronicle._coordinated(
        HERE, changed(held(was, lease_left_s, cloud), held(becomes, 60.0, cloud))
    )

    told = [(e["region"], e["of"], e["by"]) for e in heard if e["kind"] == "taken_over"]
    assert told == ([(HERE, was, becomes)] if taken else [])


def changed(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Change:
    """One write of the control item."""
    before = None if old is None else typed(old)
    return Change((("S", "demo"), ("S", "control")), before, typed(new))


def typed(item: Mapping[str, Any]) -> Item:
    """As the local cloud's tables hold it."""
    serialize = TypeSerializer().serialize
    held = {name: serialize(value) for name, value in item.items()}
    return Item(DynamoType(held["pk"]), DynamoType(held["sk"]), held)
