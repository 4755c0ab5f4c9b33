"""Step: how long has a Region been healthy, by everybody's votes?"""

from __future__ import annotations

from typing import Any

from sidestep.aws.ballots import Ballots
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.core.findings import counting, find, healthy_for_s

settings = Settings.from_environment()
policy = _parts.policy(settings)
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
ballots = Ballots(table, settings.regions)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "window_s", "since"? (ms)}` → `{"stable", "bad", "healthy_for_s", "why"}`.

    With `since`, the window begins no earlier than then: probation counts from the restore.
    """
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    known = ballots.everything()
    view = known.view(settings.application, settings.regions)
    finding = find(claim.region, counting(view, policy, now), policy)
    healthy, why = healthy_for_s(finding, now)
    if event.get("since") is not None:
        healthy = min(healthy, (now - int(event["since"])) / 1000)
    return {
        "stable": healthy >= float(event["window_s"]) and not finding.impaired,
        "bad": finding.impaired,
        "healthy_for_s": round(healthy, 1),
        "why": finding.reasons[0] if finding.impaired else why,
    }
