"""Step: how long has a Region been healthy, by everybody's votes or, alone, by its own?"""

from __future__ import annotations

from typing import Any

from sidestep.aws.ballots import Ballots
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.core.findings import counting, find, unheard
from sidestep.core.returning import known_able, standing

settings = Settings.from_environment()
policy = _parts.policy(settings)
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
ballots = Ballots(table, settings.regions)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "window_s", "since"? (ms)}`
    → `{"stable", "bad", "healthy_for_s", "why", "would_change", "alone", "others"}`.

    With `since`, the window begins no earlier than then: probation counts from the restore.
    `alone`: by its own observer's word, since nothing else serves. `others`: the other Regions that
    are known to be able to serve in its place.
    """
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    view = ballots.everything().view(settings.application, settings.regions)
    counted, mute = counting(view, policy, now), unheard(view, policy, now)
    finding = find(claim.region, counted, policy, mute)
    well = standing(claim.region, view, policy, float(event["window_s"]), now)
    healthy, why = well.healthy_s, well.why
    if event.get("since") is not None:
        healthy = min(healthy, (now - int(event["since"])) / 1000)
    return {
        "stable": healthy >= float(event["window_s"]) and not finding.impaired,
        "bad": finding.impaired,
        "healthy_for_s": round(healthy, 1),
        "why": finding.reasons[0] if finding.impaired else why,
        "would_change": well.would_change,
        "alone": well.alone,
        "others": list(known_able(claim.region, view, policy, now)),
    }
