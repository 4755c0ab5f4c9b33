"""What is told of an incident: announcements in words, and exact commands for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sidestep.core.control import FAILOVER, FORCED, MANUAL, RECOVERY, Claim

_STORY = ("why", "diagnosis", "reasons", "would_change", "taken_over", "returning", "comes_back")
"""Facts that are sentences, told as such."""
_SEEN = {
    "at the drain": ("replication", "traffic"),
    "at the return": ("replication_back", "traffic_back"),
}
"""What was seen of replication and of clients: a return has names of its own, so that it writes
over nothing that the drain left."""
_MOMENTS = ("closed_at", "moved_at", "oldest_ms", "since", "began")
"""Facts that are moments, in epoch milliseconds."""


def announcement(claim: Claim, what: str, facts: Mapping[str, Any]) -> str:
    """One paragraph for the bus and the topic: what happened, to what, why, and what would change
    it; then what else is known. The sentences are those of the decision, as the record has them."""
    told = "; ".join(
        f"{name}: {_plain(value, name)}" for name, value in facts.items() if name not in _STORY
    )
    head = f"{claim.incident} ({claim.region}, {claim.kind}, {claim.mode}): {what}"
    return ". ".join([head, *_story(facts), told]).strip()


def _story(facts: Mapping[str, Any]) -> Iterator[str]:
    # What is missing is left out: an execution that began before a deployment knows less, and no
    # incident may fail to be put down for its words.
    if facts.get("reasons"):
        yield f"Why ({facts.get('diagnosis')}): {'; '.join(facts['reasons'])}"
    if facts.get("would_change"):
        yield f"What would have changed that: {facts['would_change']}"
    if facts.get("taken_over"):
        yield facts["taken_over"]
    returning = facts.get("returning") or {}
    if returning.get("why"):
        yield f"Why it may return: {returning['why']}"
    if returning.get("would_change"):
        yield f"What would have changed that: {returning['would_change']}"
    if facts.get("comes_back"):
        yield f"It comes back when {facts['comes_back']}"


def commands_for_a_person(claim: Claim, region_here: str) -> tuple[str, ...]:
    """The commands that finish a half-done failover by hand, undo it, and undo it whatever is known
    of the Region (forced), ready to paste: for the workflows of `region_here`, in the account of
    the claim's holder."""
    partition, account = claim.holder.split(":")[1::3][:2]

    def start(kind: str, mode: str = MANUAL) -> str:
        machine = f"sidestep-{claim.application}-{kind}"
        given = f'{{"region":"{claim.region}","mode":"{mode}"}}'
        return (
            f"aws stepfunctions start-execution --region {region_here} --state-machine-arn "
            f"arn:{partition}:states:{region_here}:{account}:stateMachine:{machine} "
            f"--input '{given}'"
        )

    return start(FAILOVER), start(RECOVERY), start(RECOVERY, FORCED)


def command_to_heal(region: str, table: str, key: Mapping[str, Any]) -> str:
    """The command that removes a drill's fault by hand, ready to paste. `key` is the fault's in
    the Region's own `table`, as DynamoDB types it."""
    return (
        f"aws dynamodb delete-item --region {region} --table-name {table} "
        f"--key '{json.dumps(key, separators=(',', ':'))}'"
    )


def in_doubt(at_risk: Mapping[str, Any] | None, caught_up: bool | None) -> bool:
    """Whether data is in doubt, so that a careful policy asks a person before restoring."""
    if at_risk is None or not at_risk.get("complete", False):
        return True
    return caught_up is not True


def seen(record: Mapping[str, Any]) -> list[str]:
    """A record's evidence of the drain, and of the return: what was known of replication and of
    clients, a line each."""
    told = {
        when: [*_of_replication(record.get(data) or {}), *_of_clients(record.get(clients) or {})]
        for when, (data, clients) in _SEEN.items()
    }
    return [f"{when}: {', '.join(facts)}" for when, facts in told.items() if facts]


def _of_replication(found: Mapping[str, Any]) -> Iterator[str]:
    if "caught_up" in found:
        why = f" ({found['why']})" if found.get("why") else ""
        yield f"replication caught up: {_known(found['caught_up'])}{why}"


def _of_clients(found: Mapping[str, Any]) -> Iterator[str]:
    names = {"dns_moved": "DNS moved", "traffic_moved": "traffic moved", "requests": "requests"}
    yield from (f"{words}: {_known(found[name])}" for name, words in names.items() if name in found)


def _known(value: bool | int | None) -> str:
    if value is None:
        return "not known"
    return str(value) if not isinstance(value, bool) else "yes" if value else "no"


def timeline(steps: Sequence[Mapping[str, Any]]) -> str:
    """The steps of a record, one a line."""
    return "\n".join(f"{s['at']} {s['step']}: {s['outcome']}" for s in steps)


def _plain(value: Any, name: str = "") -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_plain(v, k)}" for k, v in value.items())
    if name in _MOMENTS and isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(value, list | tuple):
        return ", ".join(_plain(v) for v in value)
    return str(value)
