"""The gate: drain marks in the wardens' own Regional tables, written there, not replicated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from sidestep.aws.failures import calling, code_of
from sidestep.aws.items import from_attributes, to_attributes
from sidestep.aws.regional import Mark, mark_of
from sidestep.core.control import Claim
from sidestep.core.errors import LeaseLost, SidestepError


class _NewerMark(LeaseLost):
    """A warden has a mark with a newer token."""

    def __init__(self, message: str, mark: Mark) -> None:
        super().__init__(message)
        self.mark = mark


class TrafficGate:
    """Sets and clears a Region's mark at its wardens. `clients`: DynamoDB by warden Region.

    A warden answers 200 on /drained/<region> while its mark says drained, which makes the
    inverted child of the Region's calculated check unhealthy. Either warden is enough to
    drain; to restore, both marks must go.
    """

    def __init__(self, clients: Mapping[str, Any], table: str) -> None:
        self._clients, self._table = clients, table

    def mark(
        self,
        claim: Claim,
        wardens: tuple[str, ...],
        drained: bool,
        now_ms: int,
        newest: Callable[[Claim], int],
    ) -> Marks:
        """Write the mark at every warden that answers. Raises LeaseLost at a newer token's.

        `newest` proves the claim and answers the newest token that was ever granted. A mark with
        one above that is of a coordination table before this one (a global table with strong
        consistency cannot be filled but by a new beginning): nobody fences anybody by it any more.
        """
        set_at: dict[str, bool] = {}
        why: dict[str, str] = {}
        for warden in wardens:
            try:
                self.write(warden, claim.region, drained, claim.token, claim.incident, now_ms)
                set_at[warden] = True
            except _NewerMark as newer:
                if newer.mark.token <= newest(claim):
                    raise
                wanted = Mark(claim.region, drained, claim.token, claim.incident, now_ms)
                set_at[warden] = self.correct(warden, newer.mark, wanted)
                if not set_at[warden]:
                    raise  # whoever wrote it meanwhile is of today
            except SidestepError as error:
                set_at[warden], why[warden] = False, str(error)
        return Marks(set_at, why)

    def write(
        self, warden: str, region: str, drained: bool, token: int, incident: str, now_ms: int
    ) -> None:
        """Write one mark, unless a newer token wrote it: then LeaseLost."""
        values = {
            ":drained": drained,
            ":token": token,
            ":incident": incident,
            ":now": now_ms,
        }
        with calling(f"the mark on {region} in {warden}"):
            try:
                self._update(
                    warden,
                    region,
                    "attribute_not_exists(#token) OR #token <= :token",
                    to_attributes(values),
                )
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                found: Mapping[str, Any] = error.response
                raise _NewerMark(
                    f"{incident}: {warden} has a mark on {region} newer than token {token}",
                    mark_of(region, from_attributes(found["Item"])),
                ) from None

    def correct(self, warden: str, seen: Mark | None, wanted: Mark) -> bool:
        """Put `wanted` in place of the mark that was `seen` (None: none); False: it changed since.

        For the reconciler, which holds no lease: by comparing, it cannot undo what a holder
        with the same token marked between the reading and this writing.
        """
        values = to_attributes(
            {
                ":drained": wanted.drained,
                ":token": wanted.token,
                ":incident": wanted.incident,
                ":now": wanted.confirmed_at,
            }
        )
        condition = "attribute_not_exists(pk)"
        if seen is not None:
            condition = "drained = :was AND #token = :by AND confirmed_at = :at"
            values |= to_attributes(
                {":was": seen.drained, ":by": seen.token, ":at": seen.confirmed_at}
            )
        with calling(f"the mark on {wanted.region} in {warden}"):
            try:
                self._update(warden, wanted.region, condition, values)
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True

    def _update(self, warden: str, region: str, condition: str, values: Mapping[str, Any]) -> None:
        self._clients[warden].update_item(
            TableName=self._table,
            Key={"pk": {"S": "drained"}, "sk": {"S": region}},
            UpdateExpression="SET drained = :drained, #token = :token, "
            "incident = :incident, confirmed_at = :now",
            ConditionExpression=condition,
            ExpressionAttributeNames={"#token": "token"},
            ExpressionAttributeValues=values,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )


class Marks:
    """What came of marking: which wardens took it, and why the others did not."""

    def __init__(self, at: Mapping[str, bool], why: Mapping[str, str]) -> None:
        self.at, self.why = at, why

    def enough(self, drained: bool) -> bool:
        """One warden drains; restoring needs every mark gone."""
        return any(self.at.values()) if drained else all(self.at.values())
