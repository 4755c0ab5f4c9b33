"""Steps of a drill: may it run, break, watch, heal. The fault expires by itself in any case."""

from __future__ import annotations

from typing import Any

from sidestep.aws.regional import DrillFault
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.core.control import SERVING
from sidestep.core.errors import InvalidInput, Refused

settings = Settings.from_environment()
policy = _parts.policy(settings)
lease = _parts.lease(settings, _parts.coordination(settings))
tables = {region: _parts.regional(settings, region) for region in settings.regions}
MAX_MINUTES = 60


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"action": preflight|inject|watch|heal, "drill": {"region", "minutes"?, "id"}}`."""
    drill = event["drill"]
    region = drill.get("region")
    if region not in settings.regions:
        guarded = ", ".join(settings.regions)
        raise InvalidInput(f"region is {region!r}: name one of the guarded Regions, {guarded}")
    action = event["action"]
    if action == "preflight":
        return _preflight(region)
    if action == "inject":
        minutes = min(float(drill.get("minutes", 15)), MAX_MINUTES)
        until = _parts.now_ms() + int(minutes * 60_000)
        tables[region].inject(DrillFault(until, str(drill["id"])))
        return {"injected": True, "until": until, "at": _parts.now_ms()}
    if action == "heal":
        tables[region].heal()
        return {"healed": True, "at": _parts.now_ms()}
    if action == "watch":
        return _watch(region)
    raise InvalidInput(f"no drill action {action!r}")


def _preflight(region: str) -> dict[str, Any]:
    """Raises Refused, naming all that is in the way."""
    control, now = lease.read(), _parts.now_ms()
    blocked = [
        f"{other} is {control.of(other).state}"
        for other in settings.regions
        if control.of(other).state != SERVING or control.of(other).unfinished
    ]
    if control.paused and now < control.paused.until_ms:
        blocked.append(f"paused by {control.paused.owner}: {control.paused.reason}")
    if policy.observe_only:
        blocked.append("observe_only is on: nothing would move")
    if len(settings.regions) - 1 < policy.min_serving_regions:
        blocked.append(f"{policy.min_serving_regions} Regions must go on serving")
    if blocked:
        raise Refused(f"no drill on {region} now: {'; '.join(blocked)}")
    return {"ok": True, "epoch": control.of(region).epoch, "at": now}


def _watch(region: str) -> dict[str, Any]:
    """Where the Region stands, and whether another is in trouble: then the drill must end."""
    control = lease.read()
    mine = control.of(region)
    real = [
        other
        for other in settings.regions
        if other != region and (control.of(other).state != SERVING or control.of(other).unfinished)
    ]
    return {
        "state": mine.state,
        "settled": not mine.unfinished,
        "incident": mine.incident,
        "epoch": mine.epoch,
        "real_incident": real,
        "at": _parts.now_ms(),
    }
