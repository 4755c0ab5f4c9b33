"""Has traffic moved? What DNS answers and what a Region still serves, as two facts.

DNS moves first; resolvers' caches and connections kept alive follow it later, or never.
Either may be unknown, and unknown is never taken for a yes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

ELSEWHERE, GONE, BACK = "elsewhere", "gone", "back"
"""What is looked for: DNS sends clients elsewhere; they have left; they come back."""

LIVES_MS = 60_000
"""How long a resolver may keep an answer that names a Region: what an alias of API Gateway has
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/, "Choosing between alias and non-alias
records"), and what template.yaml gives `served-by.<domain>`."""
SLACK_MS = 15_000
"""What is added to that: not all of Route 53's servers need hear of a move at once, and it is one
of them that is asked. No page says how far apart they hear (inferred)."""

MINUTE_MS = 60_000
WHOLE_AFTER_MS = 120_000
"""So long after its end a minute is taken to be whole. An API's metrics are sent once a minute
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html), of a request
when it has ended, which our functions' time-outs let take 15 s; that leaves 45 s for CloudWatch.
AWS promises no bound (inferred). Readers of CloudWatch say that data come two to three minutes
after the time that they bear, on average (Splunk, "Troubleshoot AWS CloudWatch polling"): three is
this. Netflix, too, found the newest minute incomplete and waits for two (Netflix/atlas #1300)."""

Minutes = Mapping[int, int]
"""A metric's sum in each minute that has any, by the epoch millisecond at which it begins."""


def newest_whole(now_ms: int) -> int:
    """When the newest minute begins whose figures are whole by now."""
    return (now_ms - WHOLE_AFTER_MS) // MINUTE_MS * MINUTE_MS - MINUTE_MS


def came_since(
    since_ms: int, now_ms: int, clients: Collection[Minutes], all_requests: Minutes
) -> int | None:
    """Client requests in the newest whole minute and those after it that are known already.

    Only minutes that began at or after `since_ms` count. Metrics come late, each series for
    itself, and in parts. So a request that is there is certain at once; that there was none is
    known only of a whole minute, and only while data come: of that minute, and of a newer one,
    there are requests of `all_requests`, which is never silent. Else None: unknown.
    """
    whole = newest_whole(now_ms)
    came = sum(
        count
        for series in clients
        for minute, count in series.items()
        if minute >= max(whole, since_ms)
    )
    data_come = whole in all_requests and max(all_requests) > whole
    return came if came or (whole >= since_ms and data_come) else None


@dataclass(frozen=True)
class Answers:
    """What DNS answers one client: the Region that its record chooses, by name.

    Never judged by addresses: those of two API Gateway domain names need not overlap, nor one
    name's stay what they were (https://repost.aws/knowledge-center/api-gateway-manage-ip-changes).
    """

    chosen: tuple[str, ...]
    """Values of `served-by.<domain>`: one Region's name, when all is as the template made it."""
    guarded: Sequence[str]
    """All names that it may be."""


@dataclass(frozen=True)
class Moved:
    """Whether DNS moved, whether traffic did, and whether the workflow may stop watching."""

    dns: bool | None
    traffic: bool | None
    done: bool
    moved_at: int | None = None
    """Since when (ms) DNS has been seen to name only others; None: it has not, or nobody asked."""


def moved(
    expected: str,
    region: str,
    answers: Answers | None,
    served: int | None,
    silent: bool = False,
) -> Moved:
    """Judge what was seen of `region`; `served`: what `came_since` says of its clients.

    Gone for certain is when DNS answers only other Regions' names, and nobody comes any more.
    A Region that is `silent` (nobody can be asked) does not hold the workflow up; one that
    could be asked and has no figure yet is waited for.
    Back is when DNS answers its name: clients come as their caches run out.
    """
    dns = None if answers is None else _dns(expected, region, answers)
    if expected == BACK:
        return Moved(dns, None if served is None else served > 0, dns is True)
    traffic = None if served is None else served == 0
    nobody_comes = traffic is True or (traffic is None and silent)
    return Moved(dns, traffic, dns is True and nobody_comes)


def sent_elsewhere(
    region: str, answers: Answers | None, moved_at: int | None, now_ms: int
) -> Moved:
    """Judge by DNS alone: it names only others, and every answer of before has run out.

    `moved_at` is what the look before came to. A look that could not be made changes nothing
    about it, and is not done; one that finds the Region named begins anew.
    """
    dns = None if answers is None else _dns(GONE, region, answers)
    since = now_ms if dns and moved_at is None else None if dns is False else moved_at
    ran_out = since is not None and now_ms - since >= LIVES_MS + SLACK_MS
    return Moved(dns, None, dns is True and ran_out, since)


def _dns(expected: str, region: str, answers: Answers) -> bool | None:
    """Unknown when DNS names nobody, or somebody whom nobody guards."""
    chosen = set(answers.chosen)
    if not chosen or not chosen <= set(answers.guarded):
        return None
    return (region in chosen) == (expected == BACK)
