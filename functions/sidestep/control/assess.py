"""Step: count the acknowledged writes that a drained Region had not replicated."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sidestep.aws.clients import client
from sidestep.aws.heartbeats import ReplicaHeartbeats
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.core.ledger import at_risk

settings = Settings.from_environment()
lease = _parts.lease(settings, _parts.coordination(settings))
ledger = _parts.write_ledger(settings)
replica = _parts.replica(settings, settings.region)
heartbeats = ReplicaHeartbeats(client("dynamodb"), settings.data_table)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim"}` → `{"count", "keys", "oldest_ms", "complete", "since"}`."""
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    since = _parts.ledger_since(
        heartbeats.newest().get(claim.region), lease.read().of(claim.region), now
    )
    entries, complete = ledger.entries(claim.region, since)
    held = replica.held(entry.id for entry in entries)
    found = asdict(at_risk(entries, held, complete))
    return {**found, "keys": list(found["keys"]), "since": since}
