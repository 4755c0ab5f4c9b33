"""Step: cast this Region's ballot, decide on everybody's, and say what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sidestep.aws import telemetry
from sidestep.aws.alarms import OwnAlarms
from sidestep.aws.ballots import Ballots, Everything, Registered
from sidestep.aws.clients import client
from sidestep.aws.gate import TrafficGate
from sidestep.aws.heartbeats import ReplicaHeartbeats
from sidestep.aws.regional import RegionalTable
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.control._marks import DrainMarks, Marks
from sidestep.core.control import SERVING
from sidestep.core.decide import NONE, TOGGLE, Decision, Due, closer_looks, decide, due
from sidestep.core.errors import SidestepError
from sidestep.core.evidence import Probe
from sidestep.core.findings import View, counting
from sidestep.core.handover import handovers
from sidestep.core.replication import lags
from sidestep.core.votes import SUSPECTED, cast

settings = Settings.from_environment("SIDESTEP_CHECK_ID", "SIDESTEP_WARDENS")
policy = _parts.policy(settings)
logger, metrics = telemetry.logger(), telemetry.metrics()
# One attempt each: a round comes every ten seconds, and what is silent is evidence already.
table = _parts.coordination(settings)
ballots = Ballots(table, settings.regions)
heartbeats = ReplicaHeartbeats(client("dynamodb", settings.region, attempts=1), settings.data_table)
alarms = OwnAlarms(
    client("cloudwatch", settings.region, attempts=1), settings.application, settings.region
)


@cache
def _marks_in(warden: str) -> Marks:
    """Made when first needed: hardly any round looks at another Region's."""
    made = client("dynamodb", warden, attempts=1)
    return Marks(
        RegionalTable(made, settings.regional_table),
        TrafficGate({warden: made}, settings.regional_table),
    )


drain_marks = DrainMarks(settings, _marks_in, lambda: ballots.everything().control)


BESIDE_MS = 1000
"""Another look that an alarm started beside this one may write its heartbeat between this one's
writing and reading: it proves the same. Far less than the ten seconds to the last look's."""


@metrics.log_metrics
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"trigger", "probes"}` → `{"decisions", "due", "tell", "looks", "wake"}`: what this
    observer is to `tell` people; at what the next round `looks`, and whether more closely; `wake`,
    whether a failover may be near. Raises CoordinationUnavailable."""
    now = _parts.now_ms()
    try:
        known = _cast(event["probes"], now)
    except SidestepError as error:
        logger.error("nobody decides anything here now", reason=str(error))
        metrics.add_metric("NeedsPerson", "Count", 1)
        raise
    _correct_marks(known, now)
    view = known.view(settings.application, settings.regions)
    decisions = decide(view, policy, now)
    for decision in decisions:
        if decision.action != NONE:
            logger.info(decision.reasons[0], **decision.to_dict())
    metrics.add_metric("NeedsPerson", "Count", int(any(d.page for d in decisions)))
    believed = known.ballots[settings.region].observer_healthy
    return {
        "decisions": [decision.to_dict() for decision in decisions],
        "due": [
            {"workflow": d.workflow, "name": d.name, "input": dict(d.input)}
            for d in due(view, decisions)
            if _ours_to_start(d, believed)
        ],
        "tell": _to_tell(known, view, decisions, now),
        "looks": _looks(closer_looks(view, policy, now), view.control.of(settings.region).state),
        "wake": _failover_may_be_near(view, now),
    }


def _looks(closer: int, own_state: str) -> list[dict[str, Any]]:
    """One look at each Region, or so many closer ones side by side. At its own with canaries where
    that is out: it may come to hang on this observer's word alone."""
    out = {"canaries": True} if own_state != SERVING else {}
    return [
        {"region": one, "closer": closer > 0, **(out if one == settings.region else {})}
        for one in settings.regions
        for _ in range(max(1, closer))
    ]


def _failover_may_be_near(view: View, now: int) -> bool:
    """Whether anybody whose word counts has seen a Region fail that serves: in its last look, or
    some requests of the last few."""
    return any(
        (vote.streak > 0 or vote.verdict == SUSPECTED)
        and view.control.of(vote.region).state == SERVING
        for ballot in counting(view, policy, now)
        for vote in ballot.votes.values()
    )


def _ours_to_start(one: Due, believed: bool) -> bool:
    """Others move a Region's traffic: a holder in the Region being left may die with it. Its own
    observer brings it back where nothing else serves; then nobody else may be alive, and it was
    believed about its own Region whatever it reaches (core/returning.py)."""
    own = one.workflow != TOGGLE and one.input["region"] == settings.region
    return one.by_own if own else believed


def _to_tell(
    known: Everything, view: View, decisions: Sequence[Decision], now: int
) -> list[dict[str, str]]:
    """The messages to people that this observer was the first to note; when that cannot be noted,
    deciding goes on, and a later round tells it."""
    messages = []
    for one in handovers(view, decisions, known.told, policy, settings.region, now):
        try:
            first = ballots.note_told(one.region, one.told, known.told.get(one.region))
        except SidestepError as error:
            logger.warning("what waits for a person is not told now", reason=str(error))
            continue
        if first:
            messages.append({"subject": one.subject, "message": one.message})
    return messages


def _cast(probes: list[dict[str, Any]], now: int) -> Everything:
    """Cast this Region's ballot; all that is known, the new ballot included."""
    seen, own_works = _beat(now)
    known = ballots.everything()
    ballot = cast(
        settings.region,
        [Probe.from_dict(probe) for probe in probes],
        alarms.states(),
        lags(seen, now),
        own_works,
        known.ballots.get(settings.region),
        policy,
        now,
    )
    ballots.cast(ballot)
    _register(known, now)
    return replace(known, ballots={**known.ballots, settings.region: ballot})


def _correct_marks(known: Everything, now: int) -> None:
    """Marks that are kept here, or about here; when that cannot be done, deciding goes on."""
    for correct in (drain_marks.reconcile, drain_marks.come_back):
        try:
            correct(known.control, now)
        except SidestepError as error:
            logger.warning("drain marks are not in line", reason=str(error))


def _beat(now: int) -> tuple[dict[str, int], bool]:
    """Write this Region's heartbeat and read everybody's back; whether that worked."""
    try:
        heartbeats.beat(settings.region, now)
        seen = heartbeats.newest()
    except SidestepError as error:
        logger.warning("own replica does not work", reason=str(error))
        return {}, False
    return seen, seen.get(settings.region, 0) >= now - BESIDE_MS


def _register(known: Everything, now: int) -> None:
    """Tell what others need to know of this Region, when it changed."""
    mine = known.registry.get(settings.region)
    entry = Registered(
        region=settings.region,
        check_id=settings.check_id,
        api_id=settings.api_id,
        client_subnet=settings.client_subnet,
        at=mine.at if mine else now,
    )
    if mine != entry:
        ballots.register(replace(entry, at=now))
