"""Step: write down what was done, and change the Region's state or put the incident down."""

from __future__ import annotations

from typing import Any

from sidestep.aws.incident_record import IncidentRecord
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.core.control import DRAINING, FAILOVER, SERVING
from sidestep.core.errors import LeaseLost
from sidestep.core.incidents import announcement
from sidestep.core.returning import comes_back_when

settings = Settings.from_environment()
policy = _parts.policy(settings)
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
record = IncidentRecord(table)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "step", "outcome", "facts"?, "state"?, "hold_s"?, "release"?, "close"?,
    "evidence"?}`
    → `{"recorded", "words", "at"}`.

    A failover that puts a drained Region down notes when it comes back (`comes_back`).
    `state` is where the Region is brought; `hold_s` how long the lease is held from now;
    `release` puts the incident down, last of all, so that a second try of a step that was
    done finds it put down and changes nothing; a drain that has only begun is called off with it.
    `evidence` is what became known after that: it
    needs no lease, and is noted as long as nobody has claimed the incident since. Raises
    LeaseLost, LastServingRegion, Refused.
    """
    now = _parts.now_ms()
    claim = _parts.claim_from(event)
    facts = dict(event.get("facts") or {})
    if event.get("release"):
        facts |= {"status": event["step"]} | ({"closed_at": now} if event.get("close") else {})
        if claim.kind == FAILOVER and not event.get("close"):
            facts["comes_back"] = comes_back_when(claim.mode, policy)
    done = {"recorded": True, "words": announcement(claim, event["outcome"], facts), "at": now}
    if event.get("evidence"):
        lease.prove_put_down(claim)
        record.note(claim, event["step"], event["outcome"], now, facts)
        return done
    try:
        lease.renew(claim, now, event.get("hold_s"))
    except LeaseLost:
        if event.get("release") and lease.is_put_down(claim):
            return done
        raise
    state = event.get("state")
    if event.get("release") and not state and lease.read().of(claim.region).state == DRAINING:
        # Counted out, and no switch is known to be set: nobody would finish it. Observers open
        # what was set after all.
        state = SERVING
    if state:
        lease.advance(claim, state, now, policy.min_serving_regions)
    record.note(claim, event["step"], event["outcome"], now, facts)
    if event.get("release"):
        lease.release(claim, now)
    return done
