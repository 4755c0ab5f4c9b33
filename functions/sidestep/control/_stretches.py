"""Goes through a Region's writes stretch by stretch, for as long as one invocation may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sidestep.aws.incident_lease import IncidentLease
from sidestep.aws.telemetry import logger as make_logger
from sidestep.aws.write_ledger import Span, Stretch, WriteLedger
from sidestep.control import _parts
from sidestep.core.control import Claim

logger = make_logger()


def stretches(
    ledger: WriteLedger, lease: IncidentLease, claim: Claim, span: Span, size: int, until_ms: int
) -> Iterator[tuple[Claim, Stretch]]:
    """What is known of the claimed Region's writes, `size` at a time, each stretch with the claim
    renewed for it, until the end or until a time (epoch ms); the last one's `end` says which.

    What could not be read is not asked again, and is `unread` in every later stretch. Raises
    LeaseLost.
    """
    said = 0
    for part in ledger.stretches(claim.region, span, size):
        for one in part.unread[said:]:
            say_unread(one.what, {one.region: one.why})
        said = len(part.unread)
        yield claim, part
        if part.end is None or _parts.now_ms() >= until_ms:
            return
        claim = lease.renew(claim, _parts.now_ms())


def say_unread(what: str, away: Mapping[str, str]) -> None:
    """Tell the log which Regions' ledger, history or replica could not be read, and why."""
    for region, why in away.items():
        logger.warning(f"a {what} could not be read", region=region, reason=why)
