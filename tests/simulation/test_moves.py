"""Who moves a Region, and by what right, is seen in the tables as they are written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from localcloud.faults.by_hand import FORCED_BACK
from localcloud.services.tables import Change
from localcloud.simulation.drills import BRIEFLY_S, Drills
from localcloud.simulation.harm import Harm, Strike
from localcloud.simulation.moves import NOTICED_S, Moves
from localcloud.simulation.returns import Returns
from sidestep.core.policy import Policy

HERE, THERE = "eu-west-2", "us-east-1"
Told = dict[str, Any]


def arn(region: str, machine: str, name: str) -> str:
    return f"arn:aws:states:{region}:1:execution:sidestep-demo-{machine}:{name}"


FAILOVER, RECOVERY = arn(THERE, "failover", "one"), arn(THERE, "recovery", "one-r1")


def item(told: Told | None) -> Item | None:
    """A table's item of these values."""
    if told is None:
        return None
    attributes = {name: TypeSerializer().serialize(value) for name, value in told.items()}
    return Item(DynamoType(attributes["pk"]), DynamoType(attributes["sk"]), attributes)


class World:
    """Tables that a test writes to, a clock, and what was found broken."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.broken: list[str] = []
        self.harm = Harm()
        self.messages: set[tuple[str, str]] = set()
        """(Region, id) of what is in which replica."""
        self._env: Any = SimpleNamespace(now=0.0)
        self._state: Told = state("SERVING", "", 0)
        self._hear: list[Any] = []
        self._dynamodb: Any = SimpleNamespace(
            on_write=[],
            table=lambda region, _: SimpleNamespace(find=lambda key: self._held(region, key)),
        )
        cloud: Any = SimpleNamespace(
            table=lambda name: name,
            topology=SimpleNamespace(regions=(HERE, THERE)),
            services=SimpleNamespace(dynamodb=self._dynamodb),
            kernel=SimpleNamespace(
                env=self._env, now=0.0, subscribe=self._hear.append, process=lambda _: None
            ),
        )
        chosen = policy or Policy(probation_s=60)
        Moves(cloud, self.harm, chosen, self._found)
        self.drills = Drills(cloud, self.harm, self._found)
        self.returns = Returns(cloud, self.harm, chosen, self._found)

    def _found(self, invariant: str, _: str) -> None:
        self.broken.append(invariant)

    def _held(self, region: str, key: Any) -> Any:
        id_ = key[0][1].removeprefix("message#")
        there = (region, id_) in self.messages
        return item({"pk": f"message#{id_}", "sk": "message"}) if there else None

    def becomes(self, at_s: float, **changed: Any) -> None:
        """The control item says this of HERE from now on."""
        self._env.now = at_s
        before, self._state = self._state, {**self._state, **changed}
        regions = [
            {"pk": "app", "sk": "control", "regions": {HERE: s}} for s in (before, self._state)
        ]
        self.write("coordination", regions[1], regions[0])

    def write(
        self, table: str, new: Told | None, old: Told | None = None, where: str = HERE
    ) -> None:
        for listener in self._dynamodb.on_write:
            listener(where, table, [Change((), item(old), item(new))])

    def tell(self, at_s: float, **event: Any) -> None:
        """An event of the history."""
        self._env.now = at_s
        for hear in self._hear:
            hear({"t": at_s, "region": THERE, **event})

    def execution(self, at_s: float, status: str, machine: str = "failover") -> None:
        self.tell(at_s, kind="workflow", machine=machine, execution="one", status=status)

    def step(self, at_s: float, name: str) -> None:
        self.tell(at_s, kind="step", machine="recovery", execution="one-r1", state=name)


def state(name: str, holder: str, token: int) -> Told:
    told = {"state": name, "holder": holder, "token": token, "since_ms": 0}
    return {**told, "kind": "failover", "mode": "automatic"}


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("where", "kind", "mode", "found"),
    [
        (THERE, "failover", "automatic", []),
        (HERE, "failover", "automatic", ["from-outside"]),
        (HERE, "failover", "manual", []),
        (HERE, "recovery", "automatic", []),
    ],
)
def test_an_automatic_failover_is_held_from_outside(
    world: World, where: str, kind: str, mode: str, found: list[str]
) -> None:
    world.becomes(1.0, holder=arn(where, kind, "one"), token=1, kind=kind, mode=mode)

    assert world.broken == found


@pytest.mark.parametrize(("first", "found"), [("control", []), ("mark", ["out-first"])])
def test_wardens_are_told_after_the_control_item(
    world: World, first: str, found: list[str]
) -> None:
    mark = {"pk": "drained", "sk": HERE, "drained": True, "token": 1}
    world.becomes(1.0, holder=FAILOVER, token=1)
    if first == "control":
        world.becomes(2.0, state="DRAINING")
    world.write("regional", mark, where=THERE)

    assert world.broken == found


@pytest.mark.parametrize(
    ("by", "redriven", "found"),
    [
        (arn(HERE, "failover", "two"), True, ["void-order"]),
        (arn(HERE, "failover", "two"), False, []),
        (FAILOVER, True, []),
    ],
)
def test_a_redriven_execution_is_not_granted_what_others_have_worked_on(
    world: World, by: str, redriven: bool, found: list[str]
) -> None:
    world.execution(1.0, "RUNNING")
    if redriven:
        world.execution(2.0, "ABORTED")
    world.becomes(3.0, holder=by, token=1, mode="manual")
    world.becomes(4.0, holder="", since_ms=4)
    if redriven:
        world.execution(5.0, "RUNNING")
    world.becomes(6.0, holder=FAILOVER, token=2)

    assert world.broken == found


def bring_back(world: World, from_s: float, until_s: float, kind: str = "recovery") -> None:
    """HERE on probation from then, and closed then."""
    world.becomes(from_s, state="PROBATION", holder=RECOVERY, token=2, kind="recovery")
    world.becomes(until_s, state="SERVING", kind=kind)


@pytest.mark.parametrize(
    ("lasts_s", "kind", "found"),
    [
        (61.0, "recovery", []),
        (50.0, "recovery", ["probation-kept"]),
        (50.0, "failover", []),  # a person's, that took the return over and was refused
    ],
)
def test_an_incident_is_closed_after_its_probation(
    world: World, lasts_s: float, kind: str, found: list[str]
) -> None:
    bring_back(world, 100.0, 100.0 + lasts_s, kind)

    assert world.broken == found


def test_who_takes_a_probation_over_begins_it_again(world: World) -> None:
    world.becomes(100.0, state="PROBATION", holder=RECOVERY, token=2, kind="recovery")
    world.becomes(130.0, holder=arn(HERE, "recovery", "two"), token=3)
    world.becomes(170.0, state="SERVING")

    assert world.broken == ["probation-kept"]


@pytest.mark.parametrize(
    ("kind", "since_s", "until_s", "found"),
    [
        ("health-errors", 110.0, 300.0, ["probation-kept"]),
        ("health-errors", 110.0, 120.0, []),  # over before everybody has seen it
        ("health-errors", 250.0 - NOTICED_S, 300.0, []),
        ("health-errors", 90.0, 185.0, []),  # over for as long as a probation
        ("slow", 110.0, 300.0, []),
    ],
)
def test_an_incident_is_not_closed_on_a_failure(
    world: World, kind: str, since_s: float, until_s: float, found: list[str]
) -> None:
    world.harm.strikes.append(Strike(kind, HERE, {}, since_s, until_s))

    bring_back(world, 100.0, 250.0)

    assert world.broken == found


def fault(until_s: float = 100.0) -> Told:
    return {"pk": "fault", "sk": "fault", "until": int(until_s * 1000)}


@pytest.mark.parametrize(
    ("removed", "besides", "found"),
    [
        (False, [], ["one-drill"]),
        (True, [], []),
        (False, [Strike("workflow-crash", "", {}, 0.0)], []),
    ],
)
def test_two_regions_are_not_under_drills_at_once(
    world: World, removed: bool, besides: list[Strike], found: list[str]
) -> None:
    world.harm.strikes += besides
    for region in (HERE, THERE):
        world.write("regional", fault(), where=region)
    if removed:
        world.write("regional", None, fault(), where=THERE)

    world.drills.look(0.0, BRIEFLY_S)

    assert world.broken == found


def write(by: str, at_s: float) -> Any:
    return SimpleNamespace(id="m", region=by, origin=by, at_s=at_s)


@pytest.mark.parametrize(
    ("written", "there", "found"),
    [
        (write(THERE, 190.0), False, ["caught-up"]),
        (write(THERE, 190.0), True, []),
        (write(THERE, 210.0), False, []),  # when it was stable already
        (write(HERE, 190.0), False, []),  # its own
    ],
)
def test_a_region_comes_back_with_what_was_written_elsewhere(
    world: World, written: Any, there: bool, found: list[str]
) -> None:
    if there:
        world.messages.add((HERE, "m"))
    world.returns.start(lambda: [written])
    world.becomes(100.0, state="DRAINED")
    world.becomes(150.0, holder=RECOVERY, token=2, kind="recovery")
    world.step(150.0, "Claim the incident")
    world.step(200.0, "See whether it is stable")
    world.step(201.0, "See whether its replica has caught up")
    world.becomes(240.0, state="RESTORING")

    assert world.broken == found


@pytest.mark.parametrize(
    ("kind", "until_s", "found"),
    [
        ("region-down", 300.0, []),
        ("region-down", 170.0, ["caught-up"]),  # well again for longer than votes are old
        ("stepfunctions-down", 300.0, ["caught-up"]),  # it serves, though its observer is silent
    ],
)
def test_what_it_lacks_is_excused_where_in_truth_nothing_else_was_well(
    world: World, kind: str, until_s: float, found: list[str]
) -> None:
    world.harm.strikes.append(Strike(kind, THERE, {}, 100.0, until_s))
    world.returns.start(lambda: [write(THERE, 190.0)])
    world.becomes(100.0, state="DRAINED")
    world.becomes(150.0, holder=RECOVERY, token=2, kind="recovery")
    world.step(150.0, "Claim the incident")
    world.step(200.0, "See whether it is stable")
    world.step(201.0, "See whether its replica has caught up")
    world.becomes(240.0, state="RESTORING")

    assert world.broken == found


def test_who_forces_a_region_back_asks_nothing_of_its_replica(world: World) -> None:
    world.returns.start(lambda: [write(THERE, 90.0)])
    by_force = arn(THERE, "recovery", f"{FORCED_BACK}{HERE}-1")
    world.becomes(100.0, state="DRAINED", holder=by_force, token=2, kind="recovery")
    world.becomes(101.0, state="RESTORING")

    assert world.broken == []


def test_a_region_that_was_not_looked_at_does_not_come_back(world: World) -> None:
    world.becomes(100.0, state="DRAINED", holder=RECOVERY, token=2, kind="recovery")
    world.becomes(240.0, state="RESTORING")

    assert world.broken == ["caught-up"]
