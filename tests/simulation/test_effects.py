"""Effects are held against the tokens that were granted, whatever the code that wrote them says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from localcloud.faults.by_hand import BY_HAND, FORCED_BACK
from localcloud.services.tables import Change
from localcloud.simulation.effects import Effects

HERE, WARDEN = "eu-west-2", "us-east-1"
CHECK = "a-check"
NOW_MS = 1_800_000_000_000
Told = dict[str, Any]


def item(told: Told | None) -> Item | None:
    """A table's item of these values."""
    if told is None:
        return None
    attributes = {name: TypeSerializer().serialize(value) for name, value in told.items()}
    return Item(DynamoType(attributes["pk"]), DynamoType(attributes["sk"]), attributes)


class World:
    """Tables that a test writes to, and what was found broken."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.put_back = 0
        self._dynamodb: Any = SimpleNamespace(on_write=[])
        self._set: Any = None
        check = SimpleNamespace(
            caller_reference=f"sidestep-demo-{HERE}-RegionCheck",
            settings={"HealthThreshold": 4},  # shut
            children=("a", "b", "c"),
        )
        cloud: Any = SimpleNamespace(
            table=lambda name: name,
            endpoint=SimpleNamespace(after=lambda *_: self._hear_of_switches),
            route53=SimpleNamespace(checks={CHECK: check}),
            # A replica that has not heard of anything yet: effects are not held against that.
            control=lambda: {"regions": {HERE: {"toggle": ""}}},
            services=SimpleNamespace(dynamodb=self._dynamodb),
            kernel=SimpleNamespace(now=NOW_MS / 1000),
        )
        Effects(cloud, lambda invariant, _: self.broken.append(invariant), self._repaired)

    def _hear_of_switches(self, hear: Any) -> None:
        self._set = hear

    def switched(self, toggle: str) -> None:
        """Route 53 takes the switch when this has been written of it."""
        told = control("DRAINING", 1, "failover-1")
        told["regions"][HERE]["toggle"] = toggle
        told["regions"][WARDEN] = {"toggle": "open"}
        self.write("coordination", told)
        self._set(SimpleNamespace(params={"HealthCheckId": CHECK}), {})

    def _repaired(self) -> None:
        self.put_back += 1

    def write(
        self, table: str, new: Told | None, old: Told | None = None, replicated: bool = False
    ) -> None:
        """One change of a table, as a client makes it or as it replicates."""
        changes = [Change((), item(old), item(new))]
        for listener in [] if replicated else self._dynamodb.on_write:
            listener(WARDEN, table, changes)


def control(state: str, token: int, holder: str, lease_until_ms: int = NOW_MS) -> Told:
    told = {"state": state, "token": token, "holder": holder, "lease_until_ms": lease_until_ms}
    return {"pk": "app#demo", "sk": "control", "regions": {HERE: told}}


def mark(token: int) -> Told:
    return {"pk": "drained", "sk": HERE, "drained": True, "token": token}


def message(**more: Any) -> Told:
    told = {"author": "ada", "text": "hi", "written_at": 1, "region": HERE}
    return {"pk": "message#1", "sk": "message", **told, **more}


IDLE = control("SERVING", 0, "")
CLAIMED = control("SERVING", 1, "f1")
DRAINING = control("DRAINING", 1, "f1")
TAKEN = control("DRAINING", 2, "f2")


@pytest.fixture
def world() -> World:
    return World()


def test_a_failover_that_is_taken_over_breaks_nothing(world: World) -> None:
    world.write("coordination", CLAIMED, IDLE)
    world.write("coordination", DRAINING, CLAIMED)
    world.write("regional", mark(1))
    world.write("coordination", TAKEN, DRAINING)
    world.write("regional", mark(2), mark(1))
    world.write("coordination", control("DRAINED", 2, "f2"), TAKEN)

    assert world.broken == []


def test_an_older_tokens_write_is_found(world: World) -> None:
    world.write("coordination", CLAIMED, IDLE)
    world.write("coordination", control("SERVING", 2, "f2"), CLAIMED)
    world.write("coordination", CLAIMED, control("SERVING", 2, "f2"))

    assert world.broken == ["fenced"]


def test_a_wardens_late_mark_is_found(world: World) -> None:
    world.write("coordination", CLAIMED, IDLE)
    world.write("coordination", TAKEN, CLAIMED)
    world.broken.clear()

    world.write("regional", mark(1), mark(2))

    assert world.broken == ["fenced"]


def test_two_who_act_under_one_token_are_found(world: World) -> None:
    world.write("coordination", CLAIMED, IDLE)
    world.write("coordination", control("SERVING", 1, "f2"), CLAIMED)

    assert world.broken == ["one-holder"]


def test_who_takes_over_from_a_holder_whose_lease_is_good_is_found(world: World) -> None:
    held = control("DRAINING", 1, "f1", NOW_MS + 1)
    world.write("coordination", CLAIMED, IDLE)
    world.write("coordination", held, CLAIMED)

    world.write("coordination", TAKEN, held)

    assert world.broken == ["one-holder"]


@pytest.mark.parametrize(
    ("kind", "mode", "found"),
    [
        ("recovery", "forced", []),
        ("recovery", "manual", ["one-holder"]),
        ("failover", "forced", ["one-holder"]),
    ],
)
def test_only_a_person_who_forces_a_failover_may_take_a_return_over_before_its_lease_ends(
    world: World, kind: str, mode: str, found: list[str]
) -> None:
    held = control("PROBATION", 1, "f1", NOW_MS + 1)
    held["regions"][HERE] |= {"kind": kind, "mode": "automatic"}
    taken = control("PROBATION", 2, "f2", NOW_MS + 2)
    taken["regions"][HERE] |= {"kind": "failover", "mode": mode}

    world.write("coordination", taken, held)

    assert world.broken == found


@pytest.mark.parametrize(
    ("execution", "state", "kind", "found"),
    [
        (f"{FORCED_BACK}{HERE}-1", "PROBATION", "recovery", []),
        (f"{BY_HAND}{HERE}-1", "PROBATION", "recovery", ["one-holder"]),
        (f"{FORCED_BACK}{HERE}-1", "DRAINED", "failover", ["one-holder"]),
    ],
)
def test_who_forces_a_region_back_does_not_wait_for_another_return_to_end(
    world: World, execution: str, state: str, kind: str, found: list[str]
) -> None:
    held = control(state, 1, "f1", NOW_MS + 1)
    held["regions"][HERE] |= {"kind": kind}
    taken = control(state, 2, execution, NOW_MS + 2)
    taken["regions"][HERE] |= {"kind": "recovery"}

    world.write("coordination", taken, held)

    assert world.broken == found


def test_who_puts_an_incident_down_takes_nothing_over(world: World) -> None:
    held = control("DRAINED", 1, "f1", NOW_MS + 1)
    world.write("coordination", CLAIMED, IDLE)
    world.write("coordination", held, control("DRAINED", 1, "f1"))

    world.write("coordination", control("DRAINED", 1, ""), held)

    assert world.broken == []


def test_a_state_that_changes_in_the_moment_of_a_claim_is_found(world: World) -> None:
    world.write("coordination", DRAINING, IDLE)

    assert world.broken == ["one-holder"]


def test_a_mark_without_a_claim_is_found(world: World) -> None:
    world.write("regional", mark(7))

    assert world.broken == ["claimed-first"]


@pytest.mark.parametrize("new", [message(text="other"), message(repaired_at=5)])
def test_a_message_that_is_written_over_is_found(world: World, new: Told) -> None:
    world.write("data", new, message())

    assert world.broken == ["not-overwritten"]


@pytest.mark.parametrize(
    ("new", "old", "replicated"),
    [
        (message(), None, False),
        (message(repaired_at=5), None, False),
        (message(repaired_at=5), message(), True),
        (
            {"pk": f"probe#{HERE}", "sk": "probe", "at": 2},
            {"pk": f"probe#{HERE}", "sk": "probe", "at": 1},
            False,
        ),
    ],
)
def test_what_is_new_or_comes_by_replication_is_not(
    world: World, new: Told, old: Told | None, replicated: bool
) -> None:
    world.write("data", new, old, replicated)

    assert world.broken == []


def test_what_a_repair_puts_back_is_counted_where_it_is_put(world: World) -> None:
    world.write("data", message())
    world.write("data", message(repaired_at=5))
    world.write("data", message(repaired_at=5), replicated=True)

    assert world.put_back == 1


@pytest.mark.parametrize(
    ("toggle", "found"), [("unknown", []), ("shut", []), ("", ["fenced"]), ("open", ["fenced"])]
)
def test_who_sets_a_switch_has_noted_before_that_it_goes_to_set_it(
    world: World, toggle: str, found: list[str]
) -> None:
    world.switched(toggle)

    assert world.broken == found
