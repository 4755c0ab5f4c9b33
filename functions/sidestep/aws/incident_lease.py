"""The lease on a Region's incident, and every change of a Region's state: all fenced.

The only place that knows how the control item is written. Each change is one conditional
update that names the token; a holder whose token is no longer there gets LeaseLost and has
changed nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sidestep.aws.coordination import ConditionFailed, CoordinationTable
from sidestep.core.control import (
    COUNTED,
    DRAINED,
    DRAINING,
    FAILOVER,
    MOVES_KEPT,
    PROBATION,
    RESTORING,
    SERVING,
    Acknowledgement,
    Claim,
    ClaimPlan,
    ControlState,
    Move,
    Pause,
    RegionState,
    plan_claim,
)
from sidestep.core.errors import LastServingRegion, LeaseLost, NotYet, Refused
from sidestep.core.holds import drains

CONTROL = "control"
TRIES = 8
"""Conditional updates may meet others' updates of the same item; each try reads it anew."""

TRANSITIONS: Mapping[str, tuple[str, ...]] = {
    DRAINING: (SERVING, PROBATION, RESTORING),
    DRAINED: (DRAINING,),
    RESTORING: (DRAINED,),
    PROBATION: (RESTORING,),
    SERVING: (PROBATION, DRAINING),
}
"""To a state: from which states."""
_MOVES = {DRAINED: "drain", PROBATION: "restore"}


class IncidentLease:
    """Claims, renewals and state changes of one application's Regions."""

    def __init__(
        self, table: CoordinationTable, application: str, regions: tuple[str, ...], lease_s: int
    ) -> None:
        self._table, self._application, self._regions = table, application, regions
        self._lease_ms = lease_s * 1000

    def read(self) -> ControlState:
        """The control item as it is now, strongly consistent; the beginning where there is none."""
        return control_of(self._table.get(CONTROL) or {}, self._regions)

    def claim(
        self,
        region: str,
        kind: str,
        mode: str,
        holder: str,
        incident: str | None,
        now_ms: int,
        ordered_ms: int | None = None,
    ) -> tuple[Claim | None, str, str]:
        """Claim a Region's incident for `holder`: the claim or None, why, and the Region's state.

        `ordered_ms`: how old the order is, where it may be older than what is known of the
        Region (`plan_claim`).

        Of any number of claims at once one succeeds: each is conditional on the token that it
        read, and each that succeeds changes the token. It is conditional on the Region's whole
        entry, too: a holder that was taken for gone may renew its lease, drain, or note where the
        toggle stands, and none of that changes the token or may be written over unread.
        """
        for _ in range(TRIES):
            found = self._table.get(CONTROL)
            if found is None or not _begun(found):
                self._create(found)
                continue
            control = control_of(found, self._regions)
            plan: ClaimPlan = plan_claim(
                control,
                self._application,
                region,
                kind,
                mode,
                holder,
                incident,
                self._lease_ms,
                now_ms,
                ordered_ms,
            )
            if plan.state is None:
                return None, plan.why, control.of(region).state
            if plan.state.token == control.of(region).token and control.of(region).holder == holder:
                claim = self.renew(self._claim_of(region, plan.state), now_ms)
                return claim, plan.why, plan.state.state
            entry = found["regions"].get(region)
            as_read = "regions.#region = :was" if entry else "attribute_not_exists(regions.#region)"
            try:
                self._table.update(
                    CONTROL,
                    "SET #token = :token, regions.#region = :state",
                    f"#token = :seen AND {as_read}",
                    {"#token": "token", "#region": region},
                    {
                        ":token": plan.state.token,
                        ":seen": control.token,
                        ":state": asdict(plan.state),
                        **({":was": entry} if entry else {}),
                    },
                )
            except ConditionFailed:
                continue  # somebody was at it meanwhile, or our own try was done: read again
            return self._claim_of(region, plan.state), plan.why, plan.state.state
        raise NotYet(f"the control item of {self._application} is too busy to claim {region}")

    def renew(self, claim: Claim, now_ms: int, for_s: int | None = None) -> Claim:
        """The claim with its lease from now; for longer than usual while a person is asked.

        Raises LeaseLost when another holds the incident.
        """
        until = now_ms + (self._lease_ms if for_s is None else for_s * 1000)
        try:
            self._table.update(
                CONTROL,
                "SET regions.#region.lease_until_ms = :until",
                _FENCE,
                {"#region": claim.region, "#token": "token"},
                {":until": until, ":mine": claim.token, ":holder": claim.holder},
            )
        except ConditionFailed:
            raise self._lost(claim) from None
        return replace(claim, lease_until=until)

    def advance(
        self,
        claim: Claim,
        to: str,
        now_ms: int,
        min_serving: int = 1,
        max_drains: int | None = None,
    ) -> RegionState:
        """Bring the Region to a state; nothing happens when it is there already.

        `max_drains`: of all Regions in 24 hours, those that others are at among them; None: any.
        Raises LeaseLost, LastServingRegion, or Refused for a state that does not lead there and
        for a drain too many.
        """
        for _ in range(TRIES):
            control = self.read()
            now = control.of(claim.region)
            if now.token != claim.token or now.holder != claim.holder:
                raise self._lost(claim)
            if now.state == to:
                return now
            if now.state not in TRANSITIONS[to]:
                raise Refused(f"{claim.region} is {now.state}: that does not lead to {to}")
            others = len(control.counted([one for one in self._regions if one != claim.region]))
            if to == DRAINING and now.state in COUNTED and others < min_serving:
                raise LastServingRegion(
                    f"draining {claim.region} would leave {others} serving Regions, "
                    f"{min_serving} must remain: bring another back first"
                )
            begun = _drains_begun(control, claim.region, now_ms)
            if to == DRAINING and max_drains is not None and begun >= max_drains:
                raise Refused(
                    f"{begun} drains in 24 hours, as many as max_drains_per_day allows, with those "
                    "that have just begun"
                )
            serving = others + (to in COUNTED)
            try:
                return self._advance(claim, control, now, to, serving, now_ms)
            except ConditionFailed:
                continue
        raise NotYet(f"the control item of {self._application} is too busy to change")

    def note_toggle(self, region: str, token: int, holder: str, stands: str) -> None:
        """Remember where the toggle stands. `holder` is "" where nobody holds the incident.

        Raises LeaseLost when the token or the holder is another: so it proves the lease, too.
        """
        try:
            self._table.update(
                CONTROL,
                "SET regions.#region.toggle = :stands",
                _FENCE,
                {"#region": region, "#token": "token"},
                {":stands": stands, ":mine": token, ":holder": holder},
            )
        except ConditionFailed:
            raise LeaseLost(
                f"the toggle of {region} is no longer in the hands of token {token}; stand aside"
            ) from None

    def is_put_down(self, claim: Claim) -> bool:
        """Whether this claim's holder itself released it and nobody has claimed since."""
        now = self.read().of(claim.region)
        return now.token == claim.token and not now.holder

    def prove_put_down(self, claim: Claim) -> None:
        """Raises LeaseLost once anybody has claimed the incident since it was put down."""
        if not self.is_put_down(claim):
            raise self._lost(claim)

    def newest_token(self, claim: Claim) -> int:
        """The newest token that was ever granted in this table. Raises LeaseLost unless the claim
        still holds: so no newer one is this Region's."""
        control = self.read()
        now = control.of(claim.region)
        if (now.token, now.holder) != (claim.token, claim.holder):
            raise self._lost(claim)
        return control.token

    def release(self, claim: Claim, now_ms: int) -> None:
        """Put the incident down: the Region keeps its state, nobody holds it."""
        try:
            self._table.update(
                CONTROL,
                "SET regions.#region.holder = :nobody, regions.#region.lease_until_ms = :never, "
                "regions.#region.since_ms = :now",
                _FENCE,
                {"#region": claim.region, "#token": "token"},
                {
                    ":nobody": "",
                    ":never": 0,
                    ":now": now_ms,
                    ":mine": claim.token,
                    ":holder": claim.holder,
                },
            )
        except ConditionFailed:
            if self.is_put_down(claim):
                return  # a second try of a release that was done
            raise self._lost(claim) from None

    def _advance(
        self,
        claim: Claim,
        control: ControlState,
        now: RegionState,
        to: str,
        serving: int,
        now_ms: int,
    ) -> RegionState:
        then = replace(
            now,
            state=to,
            since_ms=now_ms,
            drained_at_ms=now_ms if to == DRAINING else now.drained_at_ms,
            restored_at_ms=now_ms if to == PROBATION else now.restored_at_ms,
            lease_until_ms=now_ms + self._lease_ms,
            # What a failover that drained counts from: no return has been tried yet.
            attempts=0 if to == DRAINED and claim.kind == FAILOVER else now.attempts,
        )
        moves = list(control.moves)
        if to in _MOVES:
            moves.append(Move(now_ms, claim.region, _MOVES[to], claim.incident))
        unchanged, names, values = _others_as_read(control, self._regions, claim.region)
        self._table.update(
            CONTROL,
            "SET regions.#region = :then, serving = :serving, moves = :moves",
            " AND ".join((_FENCE, "regions.#region.#state = :from", *unchanged)),
            {"#region": claim.region, "#token": "token", "#state": "state", **names},
            {
                ":then": asdict(then),
                ":serving": serving,
                ":moves": [asdict(move) for move in moves[-MOVES_KEPT:]],
                ":from": now.state,
                ":mine": claim.token,
                ":holder": claim.holder,
                **values,
            },
        )
        return then

    def _create(self, found: Mapping[str, Any] | None) -> None:
        """Begin the control item, beside what an operator may have ordered before."""
        beginning = _item(control_of({}, self._regions))
        try:
            if found is None:
                self._table.create(CONTROL, beginning)
                return
            self._table.update(
                CONTROL,
                "SET " + ", ".join(f"#{name} = :{name}" for name in beginning),
                "attribute_not_exists(#token)",
                {f"#{name}": name for name in beginning},
                {f":{name}": value for name, value in beginning.items()},
            )
        except ConditionFailed:
            return  # somebody else made it

    def _claim_of(self, region: str, state: RegionState) -> Claim:
        return Claim(
            application=self._application,
            region=region,
            incident=state.incident,
            kind=state.kind,
            mode=state.mode,
            token=state.token,
            holder=state.holder,
            lease_until=state.lease_until_ms,
        )

    def _lost(self, claim: Claim) -> LeaseLost:
        now = self.read().of(claim.region)
        return LeaseLost(
            f"{claim.incident}: token {claim.token} of {claim.holder} is fenced off by token "
            f"{now.token} of {now.holder or 'nobody'}; stand aside"
        )


_FENCE = "regions.#region.#token = :mine AND regions.#region.holder = :holder"


def _others_as_read(
    control: ControlState, regions: Sequence[str], but: str
) -> tuple[list[str], dict[str, str], dict[str, Any]]:
    """Conditions, with their names and values, that all other Regions are in the states in which
    they were read: of two drains at once each counts the other, and no move is written over.

    The number `serving` would not do. A list of Regions that has grown by one meanwhile makes a
    drain write the number that was there, and the other drain's condition on it would hold.
    """
    conditions, names, values = [], {}, dict[str, Any]()
    for n, region in enumerate(sorted({*regions, *control.regions} - {but})):
        names[f"#other{n}"] = region
        if region not in control.regions:
            conditions.append(f"attribute_not_exists(regions.#other{n})")
            continue
        was = control.of(region)
        values |= {f":state{n}": was.state, f":since{n}": was.since_ms}
        conditions.append(f"regions.#other{n}.#state = :state{n}")
        conditions.append(f"regions.#other{n}.since_ms = :since{n}")
    return conditions, names, values


def _drains_begun(control: ControlState, but: str, now_ms: int) -> int:
    """The drains of the last 24 hours and those of other Regions that are under way."""
    going = sum(one.state == DRAINING for region, one in control.regions.items() if region != but)
    return len(drains(control, now_ms)) + going


def _begun(item: Mapping[str, Any]) -> bool:
    """Whether the item holds the Regions' states; orders may be there before any claim."""
    return "token" in item


def control_of(item: Mapping[str, Any], regions: Sequence[str] = ()) -> ControlState:
    """The control item as a value. `regions` are the guarded ones, for an item that is empty or
    holds nothing but orders yet: all of them serve."""
    state: dict[str, Any] = {
        "serving": len(regions),
        "regions": {region: RegionState() for region in regions},
    }
    if _begun(item):
        state = {
            "token": item["token"],
            "serving": item["serving"],
            "regions": {region: RegionState(**one) for region, one in item["regions"].items()},
            "moves": tuple(Move(**move) for move in item["moves"]),
        }
    pause, pauses = item.get("paused"), item.get("paused_regions", {})
    acknowledged = item.get("acknowledged", {})
    return ControlState(
        **state,
        paused=Pause(**pause) if pause else None,
        paused_regions={region: Pause(**one) for region, one in pauses.items()},
        acknowledged={region: Acknowledgement(**one) for region, one in acknowledged.items()},
    )


def _item(control: ControlState) -> dict[str, Any]:
    return {
        "token": control.token,
        "serving": control.serving,
        "regions": {region: asdict(state) for region, state in control.regions.items()},
        "moves": [asdict(move) for move in control.moves],
    }
