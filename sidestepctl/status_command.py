"""`sidestep status`: what is known of a deployed application and decided on it, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sidestep.core.control import CLOCK_SKEW_MS, SERVING, Pause
from sidestep.core.maintenance import utc
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY
from sidestepctl.moments import length, moment
from sidestepctl.policy_command import load_or_say
from sidestepctl.where import NOTHING_TOLD, Where, answered, located, look

if TYPE_CHECKING:  # its adapters take a second to import
    from sidestepctl.status import RegionStatus, Status, Verdict


@click.command("status")
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The policy that was deployed, as YAML or JSON. Default: every number's default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the status as one JSON object.")
@located
def status_command(where: Where, policy_file: str | None, as_json: bool) -> str:
    """Tell what is known of every Region, and what is decided on it right now.

    Reads the coordination table and changes nothing.
    """
    given = load_or_say(policy_file) if policy_file is not None else {}  # before AWS is asked
    from sidestepctl.status import guarded, status_of

    found = look(where, NOTHING_TOLD)
    policy = Policy.parse(given, guarded(found.known))
    with answered(where, NOTHING_TOLD):
        status = status_of(
            *(where.application, found.known, policy, found.now_ms, found.table.incident),
            *(found.behind_ms, policy_file),
        )
    return status.to_json() if as_json else in_words(status)


def in_words(status: Status) -> str:
    """The whole status, a paragraph a Region."""
    return "\n".join([*_head(status), *(line for one in status.regions for line in _region(one))])


def _head(status: Status) -> Iterator[str]:
    yield f"{status.application} at {moment(status.at_ms)}"
    yield _line("serving", f"{status.serving} of {len(status.regions)} guarded Regions")
    drains = f"{status.drains_left} of {status.drains_a_day} left in 24 hours"
    yield _line("drains", drains)
    assumed = "the defaults (assumed: the one that was deployed is not read; --policy FILE says it)"
    yield _line("policy", status.policy_file or assumed)
    for window in status.maintenance:
        yield _line("window", window)
    if status.paused:
        yield _line("paused", f"everything, {_pause(status.paused)}")
    if status.behind_ms > CLOCK_SKEW_MS:
        behind = length(status.behind_ms / 1000)
        yield _line("clock", f"this one is {behind} behind the newest ballot's, which is taken")
    if status.not_guarded:
        others = ", ".join(status.not_guarded)
        yield _line("besides", f"{others}: known from earlier, and in no list of Regions now")


def _region(one: RegionStatus) -> Iterator[str]:
    ago = f" since {moment(one.since_ms)}" if one.since_ms else " from the beginning"
    yield ""
    yield f"{one.region}: {one.state}{ago}"
    made = one.decision
    yield _line("diagnosis", f"{made.diagnosis}, {'impaired' if made.impaired else 'not impaired'}")
    yield _line("decision", f"{made.action}: {made.reasons[0]}")
    for reason in made.reasons[1:]:
        yield _line("", reason)
    yield _line("", f"would change with: {made.would_change}")
    if made.page:
        yield _line("", "a person should look at it: people are told")
    if one.incident:
        yield _line("incident", _incident(one))
    if one.acknowledged:
        given = one.acknowledged
        yield _line("", f"acknowledged by {given.owner} at {moment(given.at_ms)}")
    yield _line("toggle", _toggle(one))
    if one.paused:
        yield _line("paused", _pause(one.paused))
    if one.window:
        yield _line("window", one.window)
    if one.held:
        what = "drain" if one.state == SERVING else "return"
        yield _line("held", f"no {what} by itself: {one.held.words}")
        yield _line("", f"ends with: {one.held.change}")
    for number, verdict in enumerate(one.verdicts):
        yield from _verdict("" if number else "votes", verdict, one.region)
    for number, by_hand in enumerate(one.by_hand):
        yield _line("" if number else "by hand", f"to {by_hand.purpose}:")
        yield _line("", f"  {by_hand.command}")


def _incident(one: RegionStatus) -> str:
    what = f"{one.incident} ({one.kind}, {one.mode})"
    if one.lease_left_s is None:
        return f"{what}, put down" if one.state == SERVING else f"{what}, open, in nobody's hands"
    if one.lease_left_s < 0:
        return f"{what}, left by {one.holder}: its lease ran out {length(-one.lease_left_s)} ago"
    return f"{what}, in the hands of {one.holder} for another {length(one.lease_left_s)}"


def _toggle(one: RegionStatus) -> str:
    stands = one.toggle or "never touched"
    if one.toggle_wanted in ("", one.toggle):
        return stands
    return f"{stands}, and should be {one.toggle_wanted}"


def _verdict(label: str, one: Verdict, region: str) -> Iterator[str]:
    told = one.verdict
    if one.since_ms is not None:
        told += f" since {moment(one.since_ms)}"
    if one.looked_s is not None:
        told += f", looked {length(one.looked_s)} ago"
    elif one.cast_s is not None:
        told += f", cast {length(one.cast_s)} ago"
    own = " (its own)" if one.observer == region else ""
    yield _line(label, f"{one.observer}{own}: {told}")
    if one.does_not_count:
        yield _line("", f"  does not count: {one.does_not_count}")
    # Of what is well, the look says enough; --json tells the rest.
    for words in one.words[:1] if one.verdict == HEALTHY else one.words:
        yield _line("", f"  {words}")


def _pause(pause: Pause) -> str:
    return f"by {pause.owner} until {utc(pause.until_ms)}: {pause.reason}"


def _line(label: str, words: str) -> str:
    return f"  {label:<9} {words}"
