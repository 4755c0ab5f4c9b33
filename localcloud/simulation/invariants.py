"""What must hold in every world, whatever goes wrong: watched all along, and judged in the end.

Each is told with its time and what broke it. Nothing here asks the workflows: states and moves
are read off the coordination table as they are written, and clients' writes off the replicas.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.faults.by_hand import BY_HAND, FORCED_BACK
from localcloud.run import Outcome
from localcloud.scenario import Fault
from localcloud.simulation.harm import Harm, Strike
from sidestep.core.control import AUTOMATIC, DRAINED, DRAINING, PROBATION, RESTORING, SERVING
from sidestep.core.policy import Policy

NAMES = {
    "never-the-last": "at least one Region is never drained by us",
    "harmed-only": "a Region is drained by itself only while something harms it, or just after",
    "not-by-a-blip": "a Region is not drained by itself for what no two looks in a row can see",
    "helps": "a Region that fails plainly for long, and nothing else is wrong, is left in time",
    "order-kept": "no failover or recovery starts, and none drains, under an operator's pause",
    "one-holder": "an incident's steps are of one holder at a time: tokens only grow",
    "claimed-first": "nothing is done to a Region under a token that nobody was granted",
    "from-outside": "an automatic failover is not carried out in the Region that it leaves",
    "out-first": "wardens are told that a Region is out only after the control item says so",
    "void-order": "a redriven execution is not granted what others have worked on since its start",
    "one-drill": "no two Regions are under drills' faults for longer than it takes to see it",
    "fenced": "nothing is written under an older token after a newer one was granted",
    "not-overwritten": "a message that is there is never written over, least of all by a repair",
    "returns-well": "a Region comes back only after it has failed plainly for none of its window",
    "caught-up": "a Region comes back with what was written elsewhere before it was stable",
    "probation-kept": "an incident is closed after a whole probation without a plain failure",
    "cool-down": "a Region is not drained twice within its cool-down",
    "budget": "automatic drains in a day are at most as many as the policy allows",
    "nothing-lost": "acknowledged writes are in every Region in the end, as they were written",
    "ledger-complete": "every acknowledged write reached the other Regions' ledgers, or people",
    "no-switch-left": "no switch is left shut without an incident",
    "switch-follows": "a switch at Route 53 that could not be set is put right once it can be",
    "gate-follows": "what wardens answer about a Region is put right once they can",
    "executions-end": "every execution of a failover, recovery or drill ends",
    "record-tells": "an incident's record, told step by step, ends as things are",
    "world-goes-on": "every error is somebody's to deal with: none breaks the world itself",
    "converges": "after the faults stop all Regions serve again within the bound",
}
"""The invariants, by name."""
BOUND_S = 3600.0
"""After the last fault: the longest cool-down and its return fit in."""
_HEARD_S = 20.0
"""An observer's round and its start: what was decided before a pause may begin after it."""
LONG_S = 75.0
"""What it may take until DNS hears: votes that grow stale, a round of every observer, a workflow's
start, or Route 53's own checkers."""
_OVER_S = 1.0
"""A pause that is taken back is so some moments before the person hears of it."""
_SKEW_S = 35.0
"""Where clocks are wrong, one that is ahead takes a pause to be over so much earlier."""
_LOOKED_S = 90.0
"""From the last look at a Region's stability until it is on its way back: its replica is waited for
and its writes are put back in between."""
_STATES_TO_RETURN = 8
"""States in between, each late where executions are slow."""
SLOW = "workflow-slow"
_STATES_TO_START = 3
"""States of observe from its decision to what it starts, each late where executions are slow."""
_PLAIN = frozenset(
    {
        *("region-down", "region-lost", "region-dark", "health-errors"),
        *("write-errors", "table-throttled", "bad-deploy"),
    }
)
"""Kinds that every client can see, where all that they may strike is struck."""
SEEN = _PLAIN - {"region-dark"}
"""Those that observers see, too: they come from other Regions."""
_TOLD = 20
"""Violations of one world that are kept while it runs: the first ones tell the story."""
_STATES_TOLD = {
    "drained": "DRAINED",
    "backed out": "DRAINED",
    "probation": "PROBATION",
    "closed": "SERVING",
}
"""Steps of a record after which the Region's state is another."""
_OUT = frozenset({DRAINING, DRAINED, RESTORING})


@dataclass(frozen=True)
class Violation:
    """An invariant that did not hold."""

    invariant: str
    words: str
    at_s: float | None = None

    def in_words(self) -> str:
        """One line."""
        when = "" if self.at_s is None else f" at {self.at_s:.1f} s"
        return f"{self.invariant}{when}: {self.words} ({NAMES[self.invariant]})"


class Watch:
    """Hears a run's events and finds what must not be while it is going on."""

    def __init__(self, regions: Sequence[str]) -> None:
        self._regions = tuple(regions)
        self._states = dict.fromkeys(regions, SERVING)
        self.harm = Harm()
        self._checks = {f"-{region}-RegionCheck": region for region in regions}
        self.now_s = 0.0
        self.paused: list[tuple[float, float, str]] = []
        """(From when, to when, of which Region; "" of all)."""
        self._starts: list[tuple[float, str]] = []
        self.violations: list[Violation] = []
        self.drains: list[tuple[float, str]] = []
        self.executions: dict[tuple[str, str, str], str] = {}
        """Of failovers, recoveries and drills: (machine, name, Region) → newest status. Every
        observer starts the same name in its own Region, and one of them carries it out."""
        self.redriven: set[tuple[str, str, str]] = set()
        """Those of them that a person had go on after they had ended."""
        self.put_back = 0
        """Writes that repairs have put into replicas."""
        self.returns: list[tuple[float, str]] = []
        """When a Region was on its way back, but by a person's force."""
        self.left_dns: list[tuple[float, str]] = []
        """When DNS heard that a Region's record is unhealthy."""
        self.in_dns = dict.fromkeys(regions, True)
        """Whether the DNS servers hold each Region's record to be healthy."""

    def hear(self, event: Mapping[str, Any]) -> None:
        """One event of the history."""
        self.now_s = event["t"]
        self.harm.hear(event)
        if event["kind"] == "workflow" and event["machine"] != "observe":
            known = (event["machine"], event["execution"], event["region"])
            # A redrive is a person's doing, and no start: its execution was heard of before.
            if known not in self.executions and event["status"] == "RUNNING":
                self._starts.append((event["t"], f"{event['machine']} {event['execution']}"))
            if event["status"] == "RUNNING" and self.executions.get(known, "RUNNING") != "RUNNING":
                self.redriven.add(known)
            self.executions[known] = event["status"]
        if event["kind"] == "pause":
            self.paused.append((event["t"], event["until"], event.get("region") or ""))
        if event["kind"] == "resume":
            over = event.get("region") or ""
            self.paused = [
                (since, min(until, event["t"]) if of == over else until, of)
                for since, until, of in self.paused
            ]
        if event["kind"] == "health_check":
            for ending, region in self._checks.items():
                if event["name"].endswith(ending):
                    self.in_dns[region] = event["healthy"]
                    if not event["healthy"]:
                        self.left_dns.append((event["t"], region))
        if event["kind"] != "state" or event["region"] not in self._states:
            return
        self._changed(event, self._states[event["region"]])
        self._states[event["region"]] = event["state"]
        if all(state in _OUT for state in self._states.values()):
            words = f"{event['region']} became {event['state']} and no Region serves"
            self.violations.append(Violation("never-the-last", words, event["t"]))

    def _changed(self, event: Mapping[str, Any], before: str) -> None:
        """A Region's state was another before. A return that does not hold goes by what is seen
        on probation, and a person's order needs no reason."""
        if event["state"] == RESTORING and before == DRAINED and FORCED_BACK not in event["by"]:
            self.returns.append((event["t"], event["region"]))
        if event["state"] == DRAINING and before == PROBATION and event["mode"] == AUTOMATIC:
            self._backs_out(event["region"], event["t"])
        drains = event["state"] == DRAINING and before == SERVING
        if not drains or event["mode"] != AUTOMATIC:
            return
        region, at_s = event["region"], event["t"]
        self.drains.append((at_s, event["incident"]))
        if not self.harm.excuses(region, self._regions, at_s):
            lately = ", ".join(self.harm.named(at_s)) or "nothing"
            words = f"{event['incident']} drains {region}, and lately there was {lately}"
            self.violations.append(Violation("harmed-only", words, at_s))
        if self.harm.was_a_blip(region, at_s):
            words = f"{event['incident']} drains {region}, which had failed for a moment"
            self.violations.append(Violation("not-by-a-blip", words, at_s))

    def _backs_out(self, region: str, at_s: float) -> None:
        """A return does not hold. It may not go where it is well, and no other has been for so long
        that all who look have seen it."""
        others = [r for r, state in self._states.items() if r != region and state not in _OUT]
        if not self.harm.excuses(region, self._regions, at_s) and all(
            self._has_failed_plainly(other, at_s) for other in others
        ):
            words = f"{region} is drained again, and was the only one that was well"
            self.violations.append(Violation("never-the-last", words, at_s))

    def _has_failed_plainly(self, region: str, at_s: float) -> bool:
        return any(
            strike.region == region
            and strike.kind in SEEN
            and is_plain(strike)
            and strike.since_s < at_s - _LOOKED_S
            and strike.in_force(at_s, at_s)
            for strike in self.harm.strikes
        )

    def started_in_a_pause(self, heard_s: float, over_s: float) -> Iterator[Violation]:
        """Executions that move traffic and began under an order not to; a drill is an order too."""
        for at, name in self._starts:
            for since, until, of in self.paused:
                by_itself = name.startswith(("failover ", "recovery ")) and BY_HAND not in name
                about = not of or f"-{of}-" in name
                if by_itself and about and since + heard_s < at < until - over_s:
                    yield Violation("order-kept", f"{name} began under a pause", at)
        for at, incident in self.drains:
            for since, until, of in self.paused:
                about = not of or f"-{of}-" in incident
                if about and since + heard_s < at < until - over_s:
                    yield Violation("order-kept", f"{incident} drained under a pause", at)

    def saw_put_back(self) -> None:
        """A repair has put a write into a replica."""
        self.put_back += 1

    def broken(self, invariant: str, words: str) -> None:
        """Something that must not be was seen in a table."""
        if len(self.violations) < _TOLD:
            self.violations.append(Violation(invariant, words, self.now_s))


def judge(outcome: Outcome, watch: Watch, policy: Policy) -> Iterator[Violation]:
    """What a run that is over shows."""
    yield from watch.violations
    if not outcome.well:
        yield Violation("converges", f"not all was well {BOUND_S:.0f} s after the last fault")
    lost = outcome.audit.not_everywhere if outcome.audit is not None else 0
    if lost:
        yield Violation("nothing-lost", f"{lost} acknowledged writes are not in every Region")
    yield from _moves(outcome, policy)
    yield from _idle(outcome, watch)
    yield from watch.started_in_a_pause(*_slack_of_pauses(outcome.scenario.faults))
    yield from _returns(watch, policy)
    yield from _records(outcome)
    yield from _repairs(outcome, watch)
    for (machine, name, region), status in watch.executions.items():
        if status == "RUNNING":
            yield Violation("executions-end", f"{machine} {name} is still running in {region}")
    for region, healthy in watch.in_dns.items() if outcome.well else ():
        if not healthy:
            yield Violation("no-switch-left", f"{region} serves and is out of DNS")


def _moves(outcome: Outcome, policy: Policy) -> Iterator[Violation]:
    # The same as holds.before_drain, worked out again from the moves that happened.
    drains: dict[str, list[float]] = defaultdict(list)
    moved: dict[str, float] = {}
    modes = {record["sk"]: record.get("mode", AUTOMATIC) for record in outcome.incidents}
    for move in outcome.moves:
        region, at = move["region"], move["t"]
        before = drains[region]
        returned = any(m["what"] == "restore" and m["region"] == region and m["t"] < at
                       for m in outcome.moves)  # fmt: skip
        failed_return = _is_back_out(outcome, move)
        if move["what"] == "drain":
            wait = patience_s(policy, len(before))
            # Neither holds a person back.
            by_itself = modes.get(move["incident"], AUTOMATIC) == AUTOMATIC
            cooling = before and returned and not failed_return and at - moved[region] < wait - 1.0
            if cooling and by_itself:
                words = f"{region} was drained {at - moved[region]:.0f} s after it had moved"
                yield Violation("cool-down", f"{words} (cool-down {wait:.0f} s)", at)
            before.append(at)
            total = sum(map(len, drains.values()))
            # A return is not begun without a drain left; where a person begins it all the same, a
            # Region that does not hold goes out again (docs/policy.md).
            if total > policy.max_drains_per_day and by_itself and not failed_return:
                words = f"{total} drains, {policy.max_drains_per_day} allowed"
                yield Violation("budget", words, at)
        moved[region] = at


def _slack_of_pauses(faults: Sequence[Fault]) -> tuple[float, float]:
    """From how long after its order until how long before its end a pause surely holds."""
    slow_s = sum(float(f.settings["extra_s"]) for f in faults if f.kind == SLOW)
    skewed = any(fault.kind == "clock-skew" for fault in faults)
    return _HEARD_S + _STATES_TO_START * slow_s, _SKEW_S if skewed else _OVER_S


def _idle(outcome: Outcome, watch: Watch) -> Iterator[Violation]:
    """A Region that failed plainly, and nothing else was wrong, and clients were sent there on, or
    it was left to Route 53's own checkers: they count no writes at risk, and call nobody."""
    for fault in stands_alone(outcome.scenario.faults):
        drains = [(m["t"], m["region"]) for m in outcome.moves if m["what"] == "drain"]
        due = [(watch.left_dns, "was in DNS")]
        if fault.kind in SEEN:
            due.append((drains, "was not drained"))
        until_s = fault.at_s + LONG_S
        for seen, words in due:
            if not any(r == fault.region and fault.at_s <= at_s <= until_s for at_s, r in seen):
                told = f"{fault.region} had {fault.kind} and {words} {LONG_S:.0f} s later"
                yield Violation("helps", told)


def _returns(watch: Watch, policy: Policy) -> Iterator[Violation]:
    """Returns that began though observers had seen a failure within the stability window."""
    slow_s = sum(float(s.settings["extra_s"]) for s in watch.harm.strikes if s.kind == SLOW)
    for at_s, region in watch.returns:
        since_s = at_s - policy.stability_window_s + _OVER_S
        for strike in watch.harm.strikes:
            seen = strike.region == region and strike.kind in SEEN and is_plain(strike)
            known = strike.since_s < at_s - _LOOKED_S - _STATES_TO_RETURN * slow_s
            if seen and known and strike.in_force(since_s, at_s):
                words = f"{region} was on its way back, and had {strike.kind}"
                yield Violation("returns-well", words, at_s)


def stands_alone(faults: Sequence[Fault]) -> Iterator[Fault]:
    """A world's one fault, where it is plain and lasts long enough to be drained for."""
    for fault in faults if len(faults) == 1 else ():
        if is_plain(fault) and fault.for_s >= LONG_S:
            yield fault


def is_plain(fault: Fault | Strike) -> bool:
    """Whether it fails every request that it may strike, from its first moment."""
    settings = fault.settings
    whole = settings.get("share", 1.0) == 1.0 and not settings.get("grows_over_s")
    return fault.kind in _PLAIN and whole


def _is_back_out(outcome: Outcome, move: Mapping[str, Any]) -> bool:
    """Whether a drain is a return that did not hold: of the same incident as the return."""
    return any(
        other["what"] == "restore" and other["incident"] == move["incident"]
        for other in outcome.moves
        if other["t"] < move["t"]
    )


def patience_s(policy: Policy, times: int) -> float:
    """How long a Region is left alone after so many drains; not asked of core/holds.py, which this
    is held against."""
    if not times:
        return 0.0
    return min(
        policy.cooldown_s * policy.cooldown_factor ** (times - 1), float(policy.cooldown_max_s)
    )


def _records(outcome: Outcome) -> Iterator[Violation]:
    states: Mapping[str, Any] = outcome.control.get("regions", {})
    for record in outcome.incidents:
        name = record["sk"]
        tokens = [int(step["token"]) for step in record["steps"]]
        if tokens != sorted(tokens):
            yield Violation("one-holder", f"{name}: tokens {tokens}")
        holders = {int(step["token"]): step["holder"] for step in record["steps"]}
        for step in record["steps"]:
            if holders[int(step["token"])] != step["holder"]:
                yield Violation("one-holder", f"{name}: two holders under token {step['token']}")
        state = states.get(record["region"], {})
        if state.get("incident") != name or state.get("holder"):
            continue
        told = _told_by(record["steps"])
        if told != state["state"]:
            last = record["steps"][-1]["step"]
            words = f"{name}: told, it ends {told} (last: {last}); the Region is {state['state']}"
            yield Violation("record-tells", words)


def _repairs(outcome: Outcome, watch: Watch) -> Iterator[Violation]:
    """A step that ran twice finds its own puts done, so that records may tell of fewer."""
    told = sum(
        int(record.get("repaired") or 0) + int((record.get("put_back") or {}).get("repaired") or 0)
        for record in outcome.incidents
    )
    if told > watch.put_back:
        words = f"{told} writes are told as put back, and {watch.put_back} were"
        yield Violation("record-tells", words)


def _told_by(steps: Sequence[Mapping[str, Any]]) -> str:
    """The state that a record's steps, told one after the other, leave the Region in."""
    state = "SERVING"
    for step in steps:
        state = _STATES_TOLD.get(step["step"], state)
    return state
