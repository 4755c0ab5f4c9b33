"""Step: cast this Region's ballot, decide on everybody's, and say what is due."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sidestep.aws.alarms import OwnAlarms
from sidestep.aws.ballots import Ballots, Everything, Registered
from sidestep.aws.clients import client
from sidestep.aws.heartbeats import ReplicaHeartbeats
from sidestep.aws.settings import Settings
from sidestep.aws.telemetry import logger as make_logger
from sidestep.control import _parts
from sidestep.control._marks import reconcile
from sidestep.core.decide import decide, due
from sidestep.core.errors import SidestepError
from sidestep.core.replication import lags
from sidestep.core.votes import Probe, cast

settings = Settings.from_environment("SIDESTEP_TOGGLE_CHECK_ID", "SIDESTEP_CHECK_ID")
policy = _parts.policy(settings)
logger = make_logger()
table = _parts.coordination(settings)
ballots = Ballots(table, settings.regions)
heartbeats = ReplicaHeartbeats(client("dynamodb"), settings.data_table)
alarms = OwnAlarms(client("cloudwatch"), settings.application, settings.region)
own_marks = _parts.regional(settings, settings.region)
gate = _parts.gate(settings)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"trigger", "probes"}` → `{"decisions", "due"}`. Raises CoordinationUnavailable."""
    now = _parts.now_ms()
    seen, own_works = _beat(now)
    known = ballots.everything()
    ballot = cast(
        settings.region,
        [Probe.from_dict(probe) for probe in event["probes"]],
        alarms.states(),
        lags(seen, now),
        own_works,
        known.ballots.get(settings.region),
        policy,
        now,
    )
    ballots.cast(ballot)
    known = replace(known, ballots={**known.ballots, settings.region: ballot})
    _register(known, now)
    reconcile(known.control, settings, own_marks, gate, now)
    view = known.view(settings.application, settings.regions)
    decisions = decide(view, policy, now)
    for decision in decisions:
        if decision.action != "none":
            logger.info(decision.reasons[0], **decision.to_dict())
    return {
        "decisions": [decision.to_dict() for decision in decisions],
        "due": [
            {"workflow": d.workflow, "name": d.name, "input": dict(d.input)}
            for d in due(view, decisions)
        ],
    }


def _beat(now: int) -> tuple[dict[str, int], bool]:
    """Write this Region's heartbeat and read everybody's back; whether that worked."""
    try:
        heartbeats.beat(settings.region, now)
        seen = heartbeats.newest()
    except SidestepError as error:
        logger.warning("own replica does not work", reason=str(error))
        return {}, False
    return seen, seen.get(settings.region) == now


def _register(known: Everything, now: int) -> None:
    """Tell what others need to know of this Region, when it changed."""
    mine = known.registry.get(settings.region)
    entry = Registered(
        region=settings.region,
        toggle_check_id=settings.toggle_check_id,
        check_id=settings.check_id,
        api_id=settings.api_id,
        client_subnet=settings.client_subnet,
        at=mine.at if mine else now,
    )
    if mine != entry:
        ballots.register(replace(entry, at=now))
