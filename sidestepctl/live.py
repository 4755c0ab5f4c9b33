"""The live view: what happens while it happens, one line an event, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import click

_COLOURS = {
    "fault": "red",
    "decision": "yellow",
    "move": "cyan",
}
_QUIET_MACHINES = frozenset({"observe"})


class Live:
    """Hears the history's events and says them. `say` prints one line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._answered: Counter[str] = Counter()
        self._failed = 0
        self._verdicts: dict[tuple[str, str], str] = {}
        self._steps: set[tuple[str, str]] = set()
        self._checks: dict[str, bool] = {}

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Hear an event; most are of no interest to people."""
        words = getattr(self, f"_on_{event['kind']}", None)
        if words is not None:
            words(event)

    def _line(self, at: float, what: str, words: str) -> None:
        minutes, seconds = divmod(int(at), 60)
        label = click.style(f"{what:<12}", fg=_COLOURS.get(what), bold=what in _COLOURS)
        self._say(f"{minutes:3d}:{seconds:02d}  {label} {words}")

    # -- one method a kind of event --------------------------------------------------------------

    def _on_request(self, event: Mapping[str, Any]) -> None:
        if event["status"] is None or event["status"] >= 500:
            self._failed += 1
        else:
            self._answered[event["region"]] += 1

    def _on_lag(self, event: Mapping[str, Any]) -> None:
        """Comes every ten seconds: time to sum up."""
        total = self._answered.total()
        shares = "  ".join(
            f"{region} {count / total:4.0%}" for region, count in sorted(self._answered.items())
        )
        waiting = sum(link["unreplicated"] for link in event["links"])
        ages = [a for link in event["links"] if (a := link["heartbeat_age_s"]) is not None]
        oldest = f"{max(ages):.0f} s" if ages else "unknown"
        self._line(
            event["t"],
            "clients",
            f"{shares or 'none yet'}  errors {self._failed}  |  replication: "
            f"{waiting} writes on their way, oldest heartbeat {oldest}",
        )
        self._answered.clear()
        self._failed = 0

    def _on_fault(self, event: Mapping[str, Any]) -> None:
        self._line(event["t"], "fault", f"{event['what']} strikes {event['region']}")

    def _on_fault_over(self, event: Mapping[str, Any]) -> None:
        self._line(event["t"], "fault", f"{event['what']} of {event['region']} is over")

    def _on_drill_fault(self, event: Mapping[str, Any]) -> None:
        now = "answers 503 from now on" if event["injected"] else "answers the truth again"
        self._line(event["t"], "fault", f"{event['region']}: /health {now}")

    def _on_health_check(self, event: Mapping[str, Any]) -> None:
        before = self._checks.get(event["id"], True)
        self._checks[event["id"]] = event["healthy"]
        if before != event["healthy"]:
            state = "healthy" if event["healthy"] else "unhealthy"
            self._line(event["t"], "health check", f"{event['name']} is {state} in DNS")

    def _on_vote(self, event: Mapping[str, Any]) -> None:
        of = (event["observer"], event["region"])
        if event["verdict"] != self._verdicts.get(of, "healthy"):
            why = event["why"][0] if event["why"] else "no evidence"
            words = f"{event['observer']} calls {event['region']} {event['verdict']}: {why}"
            self._line(event["t"], "vote", words)
        self._verdicts[of] = event["verdict"]

    def _on_decision(self, event: Mapping[str, Any]) -> None:
        if event["action"] != "none":
            reasons = "; ".join(event["reasons"])
            self._line(
                event["t"],
                "decision",
                f"{event['observer']}: {event['action']} {event['region']} "
                f"({event['diagnosis']}): {reasons}; would change it: {event['would_change']}",
            )

    def _on_workflow(self, event: Mapping[str, Any]) -> None:
        if event["machine"] in _QUIET_MACHINES:
            return
        ended = {
            "RUNNING": "started",
            "SUCCEEDED": "succeeded",
        }.get(event["status"], f"{event['status']}: {event['error']}: {event['cause']}")
        self._line(
            event["t"], event["machine"], f"{event['execution']} in {event['region']} {ended}"
        )

    def _on_step(self, event: Mapping[str, Any]) -> None:
        # A loop's states are said once: what it waits for is in the ten-second line.
        dull = event["state"].startswith(("Decide ", "See whether it is ours", "Finish"))
        known = (event["execution"], event["state"])
        if event["machine"] not in _QUIET_MACHINES and not dull and known not in self._steps:
            self._steps.add(known)
            self._line(event["t"], event["machine"], f"  {event['state']}")

    def _on_mark(self, event: Mapping[str, Any]) -> None:
        state = "is drained" if event["drained"] else "is not drained any more"
        self._line(event["t"], "gate", f"{event['warden']} answers that {event['region']} {state}")

    def _on_move(self, event: Mapping[str, Any]) -> None:
        by = event["by"].rsplit(":", 1)[-1]
        self._line(event["t"], "move", f"{event['what']} of {event['region']} by {by}")

    def _on_notification(self, event: Mapping[str, Any]) -> None:
        if not event["subject"].startswith(("ALARM:", "OK:")):
            self._line(event["t"], "message", event["subject"])
