"""Steps of a drill: may it run, break, watch, heal. The fault expires by itself in any case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidestep.aws.ballots import Ballots
from sidestep.aws.regional import FAULT_KEY, DrillFault
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.core.drill import MAX_MINUTES, elsewhere, obstacles, unseen
from sidestep.core.errors import InvalidInput, NotYet, Refused
from sidestep.core.incidents import command_to_heal

settings = Settings.from_environment()
policy = _parts.policy(settings)
table = _parts.coordination(settings)
ballots = Ballots(table, settings.regions)
tables = {region: _parts.regional(settings, region) for region in settings.regions}


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"action": preflight|inject|watch|heal, "drill": {"region", "minutes", "id", "started"}}`.

    `started` (epoch ms) is when the drill began: its fault ends `minutes` after that, however
    often it is injected. Raises InvalidInput, Refused, NotYet, and what the tables raise.
    """
    steps = {"preflight": _preflight, "inject": _inject, "watch": _watch, "heal": _heal}
    step = steps.get(event["action"])
    if step is None:
        raise InvalidInput(f"no drill action {event['action']!r}: {', '.join(steps)}")
    drill = event["drill"]
    if drill.get("region") not in settings.regions:
        guarded = ", ".join(settings.regions)
        raise InvalidInput(f"region is {drill.get('region')!r}: name a guarded one, {guarded}")
    return step(drill, _parts.now_ms())


def _preflight(drill: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Raises Refused, naming all that is in the way; NotYet while some observer is silent.

    `command` is for a person, should the fault have to be removed by hand.
    """
    _ends(drill)
    view = ballots.view_item_by_item(settings.application)
    blocked = (*obstacles(drill["region"], view, policy, now), *_other_drills(drill, now))
    if blocked:
        raise Refused(f"no drill on {drill['region']} now: {'; '.join(blocked)}")
    silent = unseen(view, policy, now)
    if silent:
        raise NotYet(f"no drill before every observer votes: {', '.join(silent)} does not")
    return {
        "ok": True,
        "epoch": view.control.of(drill["region"]).epoch,
        "command": command_to_heal(drill["region"], settings.regional_table, FAULT_KEY),
        "at": now,
    }


def _inject(drill: Mapping[str, Any], now: int) -> dict[str, Any]:
    until = _ends(drill)
    tables[drill["region"]].inject(DrillFault(until, str(drill["id"])))
    # Looked for after our own stands: of two drills that begin together each sees the other.
    others = _other_drills(drill, now)
    if others:
        raise Refused(f"no drill on {drill['region']} now: {'; '.join(others)}")
    return {"injected": True, "until": until, "at": now}


def _other_drills(drill: Mapping[str, Any], now: int) -> tuple[str, ...]:
    """Other Regions in which a drill's fault stands, in words: two would leave no Region well."""
    found = []
    for region, table in tables.items():
        fault = table.fault() if region != drill["region"] else None
        if fault is not None and fault.until > now:
            left = (fault.until - now) / 1000
            found.append(f"a drill's fault stands in {region} for another {left:.0f} s")
    return tuple(found)


def _heal(drill: Mapping[str, Any], now: int) -> dict[str, Any]:
    tables[drill["region"]].heal()
    return {"healed": True, "at": now}


def _watch(drill: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Where the Region stands, and whether another is in trouble: then the drill must end."""
    view = ballots.view_item_by_item(settings.application)
    mine = view.control.of(drill["region"])
    return {
        "state": mine.state,
        "settled": not mine.unfinished,
        "incident": mine.incident,
        "epoch": mine.epoch,
        "real_incident": list(elsewhere(drill["region"], view, policy, now)),
        "at": now,
    }


def _ends(drill: Mapping[str, Any]) -> int:
    minutes = drill.get("minutes")
    number = isinstance(minutes, int | float) and not isinstance(minutes, bool)
    if not number or not 1 <= float(minutes or 0) <= MAX_MINUTES:
        raise InvalidInput(f"minutes is {minutes!r}: it may be 1 to {MAX_MINUTES}")
    return int(drill["started"]) + int(float(minutes or 0) * 60_000)
