"""What a run came to, measured by what clients saw: as JSON and in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from localcloud import client_report
from localcloud.run import Outcome, back_after_s, left_after_s
from localcloud.scenario import BACK_OUT, HELD, MOVED, PAGE, TAKE_OVER
from sidestep.core.incidents import seen


@dataclass(frozen=True)
class ClientFigures:
    """What clients saw. `by_region` is the share (0 to 1) of answers that each Region gave."""

    requests: int
    errors: int
    by_region: Mapping[str, float]


@dataclass(frozen=True)
class WriteFigures:
    """What became of acknowledged writes, by looking into every replica.

    `at_risk`: in no surviving replica when the Region was drained. `repaired`: put back from
    the ledger. `lost`: not readable, or not as written, in every Region in the end.
    """

    acknowledged: int
    at_risk: int
    repaired: int
    lost: int


@dataclass(frozen=True)
class Report:
    """A drill's report: docs/drill.md tells each figure. Seconds are simulated, from the fault."""

    scenario: str
    seed: int
    ok: bool
    why: Sequence[str]
    regions: Sequence[str]
    detected_s: float | None
    mitigated_s: float | None
    recovered_s: float | None
    moves: Sequence[Mapping[str, Any]]
    wrong_moves: int
    clients: ClientFigures
    writes: WriteFigures
    decisions: Sequence[Mapping[str, Any]]
    incidents: Sequence[Mapping[str, Any]]

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), indent=2, default=_number)


def report_of(outcome: Outcome) -> Report:
    """Judge a run: did the loop close, and what did it cost the clients?"""
    assert outcome.clients is not None
    assert outcome.audit is not None
    began = outcome.fault_at_s
    samples = outcome.clients.samples
    shares = client_report.share_by_region(samples)
    why = _why_not(outcome)
    return Report(
        scenario=outcome.scenario.name,
        seed=outcome.seed,
        ok=not why,
        why=why,
        regions=outcome.regions,
        detected_s=_after(began, next((s["t"] for s in outcome.starts), None)),
        mitigated_s=_mitigated_s(outcome),
        recovered_s=_recovered_s(outcome),
        moves=[_move(move, began) for move in outcome.moves],
        wrong_moves=len(_wrong_moves(outcome)),
        clients=ClientFigures(
            client_report.requests(samples),
            client_report.errors(samples),
            {r: round(shares.get(r, 0.0), 4) for r in outcome.regions},
        ),
        writes=WriteFigures(
            len(outcome.clients.acknowledged),
            outcome.at_risk,
            outcome.audit.repaired,
            outcome.audit.not_everywhere,
        ),
        decisions=[_decision(d, began) for d in outcome.decisions if d["action"] != "none"],
        incidents=[_incident(record) for record in outcome.incidents],
    )


def _why_not(outcome: Outcome) -> list[str]:
    """Every reason why the loop did not close; none when it did."""
    scenario, reasons = outcome.scenario, _why_drill_failed(outcome)
    if outcome.fault_at_s is None:
        reasons.append("no fault struck")
    for region in scenario.regions if scenario.expect != HELD else ():
        reasons += _why_not_there_and_back(outcome, region)
    wrong = sorted({move["region"] for move in _wrong_moves(outcome)})
    if wrong:
        reasons.append(f"moved without need: {', '.join(wrong)}")
    if scenario.most_moves is not None and len(outcome.moves) > scenario.most_moves:
        reasons.append(f"{len(outcome.moves)} moves, at most {scenario.most_moves} were right")
    reasons += [_why_lacking(one, scenario.regions) for one in outcome.lacking]
    if not outcome.well:
        reasons.append("not all was well again before the run's deadline")
    lost = outcome.audit.not_everywhere if outcome.audit is not None else 0
    if lost:
        reasons.append(f"{lost} acknowledged writes are not in every Region")
    return reasons


def _why_lacking(what: str, regions: Sequence[str]) -> str:
    """That something which the scenario requires did not come about."""
    whose = " or ".join(regions) or "any Region"
    return {
        PAGE: "no page: no message asked for a person",
        TAKE_OVER: f"no take-over: no incident of {whose} was taken over from a dead holder",
        BACK_OUT: f"no back-out: no return of {whose} was undone by itself",
    }[what]


_DOWN = frozenset({"region-down", "region-lost"})
_LATE_S = 60.0
"""How long after a Region is up again its drain may begin that was decided before: a round of every
observer that sees it well, or the age at which a silent one's vote is void."""


def _wrong_moves(outcome: Outcome) -> list[Mapping[str, Any]]:
    """Moves of Regions that should have stayed. A drill's own Region may be drained too, even
    where a real failure ends the drill, and one that was down just then, whichever Region the
    scenario is about; and what was drained for that may come back."""
    scenario, drained_down = outcome.scenario, set()
    right = {*scenario.regions} if scenario.expect != HELD else set()
    for move in outcome.moves if scenario.expect != HELD else ():
        region, at_s = move["region"], move["t"]
        down = (f for f in scenario.faults if f.kind in _DOWN and f.region == region)
        if move["what"] == "drain" and any(f.in_force(at_s - _LATE_S, at_s) for f in down):
            drained_down.add(move["incident"])
    return [
        move
        for move in outcome.moves
        if move["region"] not in {*right, scenario.drill_region}
        and move["incident"] not in drained_down
    ]


def _why_drill_failed(outcome: Outcome) -> list[str]:
    drill, wanted = outcome.drill, outcome.scenario.drill_ends
    if drill is None or drill["status"] == wanted:
        return []
    why = "".join(f": {words}" for words in (drill["error"], drill["cause"]) if words)
    return [f"the drill ended {drill['status']}, not {wanted}{why}"]


def _why_not_there_and_back(outcome: Outcome, region: str) -> list[str]:
    drained = any(m["what"] == "drain" and m["region"] == region for m in outcome.moves)
    if outcome.scenario.expect == MOVED and not drained:
        return [f"nothing drained {region}"]
    if left_after_s(outcome, region) is None:
        return [f"clients went on going to {region}"]
    if back_after_s(outcome, region) is None:
        return [f"no client was answered by {region} again"]
    return []


def _mitigated_s(outcome: Outcome) -> float | None:
    """When the last client had left the last of the Regions."""
    if outcome.scenario.expect == HELD:
        return None
    left = [left_after_s(outcome, region) for region in outcome.scenario.regions]
    return (
        _rounded(max(known))
        if len(known := [s for s in left if s is not None]) == len(left)
        else None
    )


def _recovered_s(outcome: Outcome) -> float | None:
    """When clients were back everywhere and everything was put down, whichever came later."""
    if outcome.scenario.expect == HELD or not outcome.well or outcome.fault_at_s is None:
        return None
    back = [back_after_s(outcome, region) for region in outcome.scenario.regions]
    closed = [_milliseconds(i.get("closed_at")) for i in outcome.incidents]
    if None in back or None in closed:
        return None
    ends = [at / 1000 - outcome.epoch - outcome.fault_at_s for at in closed if at is not None]
    return _rounded(max([*(s for s in back if s is not None), *ends]))


def _move(move: Mapping[str, Any], began: float | None) -> dict[str, Any]:
    return {
        "what": move["what"],
        "region": move["region"],
        "at_s": _after(began, move["t"]),
        "by": move["by"],
        "incident": move["incident"],
    }


def _decision(decision: Mapping[str, Any], began: float | None) -> dict[str, Any]:
    kept = ("observer", "region", "action", "diagnosis", "reasons", "would_change", "page")
    return {"at_s": _after(began, decision["t"])} | {name: decision[name] for name in kept}


def _incident(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in ("pk", "last")}


def _after(began: float | None, at: float | None) -> float | None:
    return _rounded(at - began) if at is not None and began is not None else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _milliseconds(value: Any) -> float | None:
    return None if value is None else float(value)


def _number(value: Any) -> int | float:
    """DynamoDB's numbers are Decimal."""
    whole = int(value)
    return whole if whole == value else float(value)


def in_words(report: Report) -> str:
    """The report for people."""
    writes, clients = report.writes, report.clients
    shares = ", ".join(f"{region} {share:.0%}" for region, share in clients.by_region.items())
    lines = [
        "",
        f"scenario {report.scenario}, seed {report.seed} (all times simulated, from the fault)",
        f"  detected   {_seconds(report.detected_s)}   a failover was started",
        f"  mitigated  {_seconds(report.mitigated_s)}   the last client had left the Region",
        f"  recovered  {_seconds(report.recovered_s)}   clients were back, the incident was closed",
        f"  clients    {clients.requests} requests, {clients.errors} errors; answered by {shares}",
        f"  writes     {writes.acknowledged} acknowledged, {writes.at_risk} at risk at the drain, "
        f"{writes.repaired} repaired, {writes.lost} lost",
    ]
    lines += [
        f"  move       {_seconds(move['at_s'])}   {move['what']} of {move['region']} "
        f"by {move['by'].rsplit(':', 1)[-1]}"
        for move in report.moves
    ]
    lines += [
        f"  seen       {incident['sk']}, {line}"
        for incident in report.incidents
        for line in seen(incident)
    ]
    verdict = "the loop closed" if report.moves else "nothing moved, as it should be"
    lines += [f"NOT OK: {reason}" for reason in report.why] or [f"ok: {verdict}"]
    return "\n".join(lines)


def _seconds(value: float | None) -> str:
    return f"{'never':>8}" if value is None else f"{value:6.1f} s"
