"""What workflows bring about, seen where it lands: tables and switches, not what is told.

Every effect on a Region carries the fencing token of the claim that it was done under. Here it
is held against the tokens that were granted, without asking the code that grants them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud.calls.endpoint import ApiCall
from localcloud.cloud import LocalCloud
from localcloud.faults.by_hand import FORCED_BACK
from localcloud.route53.config import HealthCheck
from localcloud.services.tables import Change, plain
from sidestep.core.control import FAILOVER, FORCED, OPEN, RECOVERY, SHUT, UNKNOWN

Broken = Callable[[str, str], None]
"""(invariant, words)."""


class Effects:
    """Watches a world's tables and switches. `broken` hears what must not be, `put_back` of each
    write that a repair puts into a replica."""

    def __init__(
        self, cloud: LocalCloud, broken: Broken, put_back: Callable[[], None] = lambda: None
    ) -> None:
        self._broken, self._put_back, self._kernel = broken, put_back, cloud.kernel
        self._holders: dict[tuple[str, int], str] = {}
        """(Region, token) → the one execution it was granted to."""
        self._newest: dict[str, int] = {}
        self._entries: dict[str, dict[str, Any]] = {}
        """Region → its entry of the control item as it was written last: a replica of a strongly
        consistent table may trail what was acknowledged."""
        self._hears = {
            cloud.table("coordination"): self._coordinated,
            cloud.table("regional"): self._regional,
            cloud.table("data"): self._stored,
        }
        # As they are made: what replicates is an echo, and comes late.
        cloud.services.dynamodb.on_write.append(self._written)
        self._cloud = cloud
        cloud.endpoint.after("route53", "UpdateHealthCheck")(lambda call, _: self._switched(call))

    def _written(self, region: str, table: str, changes: list[Change]) -> None:
        hear = self._hears.get(table)
        for change in changes:
            if hear is not None and change.new is not None:
                hear(region, plain(change.new), plain(change.old) if change.old else None)

    # -- leases ----------------------------------------------------------------------------------

    def _coordinated(self, _: str, new: dict[str, Any], old: dict[str, Any] | None) -> None:
        if new["sk"] != "control":
            return
        self._entries.update(new.get("regions", {}))
        before = (old or {}).get("regions", {})
        for region, state in new.get("regions", {}).items():
            was = before.get(region)
            if was is not None and state != was:
                self._leased(region, state, was)

    def _leased(self, region: str, state: dict[str, Any], was: dict[str, Any]) -> None:
        token, holder = int(state["token"]), str(state["holder"])
        newest = self._newest.get(region, 0)
        if token < newest:
            self._broken("fenced", f"{region}: written under token {token}, {newest} was granted")
        self._newest[region] = max(newest, token)
        if holder:
            granted = self._holders.setdefault((region, token), holder)
            if granted != holder:
                words = f"{region}: token {token} is {granted}'s and {holder} acts under it"
                self._broken("one-holder", words)
        # Clocks are at most as far apart as leases allow for (CLOCK_SKEW_MS), so that who takes
        # over has waited out the lease by the true time, too. A person who forces a failover or a
        # return does not wait for another return to end (core/control.py).
        kinds, forced = (was.get("kind"), state.get("kind")), state.get("mode") == FORCED
        turned = kinds[0] == RECOVERY and (
            (forced and kinds[1] == FAILOVER) or FORCED_BACK in holder
        )
        now_ms, until_ms = self._kernel.now * 1000, int(was["lease_until_ms"])
        if holder and was["holder"] not in ("", holder) and now_ms < until_ms and not turned:
            left_s = (until_ms - now_ms) / 1000
            words = (
                f"{region}: {holder} took over {left_s:.0f} s before {was['holder']}'s lease ends"
            )
            self._broken("one-holder", words)
        moved = state["state"] != was["state"]
        if moved and (token, holder) != (int(was["token"]), str(was["holder"])):
            words = f"{region}: {was['state']} became {state['state']} as {holder} took it over"
            self._broken("one-holder", words)

    # -- switches --------------------------------------------------------------------------------

    def _switched(self, call: ApiCall) -> None:
        """Route 53 has taken a switch. Who sets one notes `unknown` under its token before, which
        nobody can who was fenced off, and its version is void once another has set it since. Two
        who put the same right at once may find it noted as it is."""
        check = self._cloud.route53.checks.get(str(call.params["HealthCheckId"]))
        if check is None:
            return
        wanted = OPEN if is_open(check) else SHUT
        for region, state in self._entries.items():
            its = check.caller_reference.endswith(f"-{region}-RegionCheck")
            if its and state["toggle"] not in (UNKNOWN, wanted):
                stands = state["toggle"] or "never touched"
                words = f"{region}: its switch was set, and the control item says {stands}"
                self._broken("fenced", words)

    # -- marks -----------------------------------------------------------------------------------

    def _regional(self, warden: str, new: dict[str, Any], old: dict[str, Any] | None) -> None:
        if new["pk"] != "drained":
            return
        region, token = str(new["sk"]), int(new["token"])
        if old is not None and token < int(old["token"]):
            words = f"{warden} was told of {region} under token {token} after {old['token']}"
            self._broken("fenced", words)
        if (region, token) not in self._holders and token != 0:
            words = f"{warden} was told of {region} under token {token}, which nobody was granted"
            self._broken("claimed-first", words)

    # -- messages --------------------------------------------------------------------------------

    def _stored(self, region: str, new: dict[str, Any], old: dict[str, Any] | None) -> None:
        if not str(new["pk"]).startswith("message#"):
            return
        if "repaired_at" in new:
            self._put_back()
        if old is None:
            return
        told = ("author", "text", "written_at", "region")
        differs = [name for name in told if new.get(name) != old.get(name)]
        if differs or ("repaired_at" in new and "repaired_at" not in old):
            what = ", ".join(differs) or "what was there"
            self._broken("not-overwritten", f"{new['pk']} in {region}: a write replaced {what}")


def is_open(check: HealthCheck) -> bool:
    """A switch is the threshold of the Region's check: shut when above its children."""
    return int(check.settings["HealthThreshold"]) <= len(check.children)
