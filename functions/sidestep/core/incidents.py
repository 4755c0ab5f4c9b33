"""What is told of an incident: announcements in words, and exact commands for a person."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sidestep.core.control import FORCED, MANUAL, Claim


def announcement(claim: Claim, what: str, facts: Mapping[str, Any]) -> str:
    """One paragraph for the bus, the topic and the record: what happened, to what, and why."""
    told = "; ".join(f"{name}: {_plain(value)}" for name, value in facts.items())
    return f"{claim.incident} ({claim.region}, {claim.kind}, {claim.mode}): {what}. {told}".strip()


def commands_for_a_person(
    claim: Claim, machines: Mapping[str, str], region_here: str
) -> tuple[str, ...]:
    """The commands that finish a half-done failover by hand, undo it, and undo it whatever is known
    of the Region (forced), ready to paste.

    `machines` maps `failover` and `recovery` to their ARNs in `region_here`.
    """

    def start(kind: str, mode: str = MANUAL) -> str:
        given = f'{{"region":"{claim.region}","mode":"{mode}"}}'
        return (
            f"aws stepfunctions start-execution --region {region_here} "
            f"--state-machine-arn {machines[kind]} --input '{given}'"
        )

    return start("failover"), start("recovery"), start("recovery", FORCED)


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


def timeline(steps: Sequence[Mapping[str, Any]]) -> str:
    """The steps of a record, one a line."""
    return "\n".join(f"{s['at']} {s['step']}: {s['outcome']}" for s in steps)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(v) for v in value)
    return str(value)
