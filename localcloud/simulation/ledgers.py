"""Whether every acknowledged write came into the ledgers that it was promised to.

What is promised (docs/trust.md, "Write ledger"; template.yaml, "Events"): the Region that answers
2xx has put the write's event on its own bus, or in its queue UnsentEvents, from which it is put
there later. A Region's bus forwards events of its own writes to the bus of every other guarded
Region; at each bus the events of other Regions' writes are entered in that Region's ledger.
What is delivered nowhere, however often it is tried, is a dead letter: the forward's in the
Region that forwards, the entry's in the Region of the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.clients import AckedWrite
from localcloud.cloud import LocalCloud
from localcloud.services.tables import plain

WITHIN_S = 900.0
"""How long after all was well an event may be on its way. An event in UnsentEvents that was looked
at just before the bus came back is not seen again for 360 s (VisibilityTimeout in template.yaml),
and the last pause between EventBridge's tries is as long as the trouble was, or twice that
(`modelled.RETRY_S`); at the ledger's function Lambda adds 60 s and 120 s (`async_invoke`)."""

Told = tuple[str, str, str]
"""What is the write's own in a ledger entry or an event: id, author, text."""


@dataclass(frozen=True)
class Unledgered:
    """A write that a Region's ledger should hold and does not, and that is no dead letter."""

    write: AckedWrite
    region: str

    def in_words(self) -> str:
        """One line."""
        write = self.write
        return (
            f"{self.region}'s ledger lacks {write.id} of {write.origin}, "
            f"acknowledged by {write.region} at {write.at_s:.1f} s, and it is no dead letter"
        )


def promised(write: AckedWrite, regions: Iterable[str]) -> tuple[str, ...]:
    """The Regions whose ledgers an acknowledged write was promised to.

    A Region that answers with what it had of another emits that one's event on its own bus,
    which forwards no writes but its own: it is entered there, and the Region that wrote it
    never gave its word to anybody.
    """
    if write.origin != write.region:
        return (write.region,)
    return tuple(region for region in regions if region != write.region)


def unledgered(
    cloud: LocalCloud,
    writes: Iterable[AckedWrite],
    excused: Callable[[AckedWrite, str], bool] = lambda _, __: False,
) -> list[Unledgered]:
    """The writes that are missing in a ledger, now, and are not `excused` there. Nothing has
    expired: an entry is kept for seven days (`regional.LEDGER_DAYS`), and no world is so long."""
    regions = cloud.topology.regions
    lacking = [
        Unledgered(write, region)
        for write in writes
        for region in promised(write, regions)
        if not _is_entered(cloud, region, write) and not excused(write, region)
    ]
    if not lacking:
        return []
    dead = set(_dead_letters(cloud, regions))
    return [one for one in lacking if (told_of(one.write), one.region) not in dead]


def _is_entered(cloud: LocalCloud, region: str, write: AckedWrite) -> bool:
    table = cloud.services.dynamodb.table(region, cloud.table("regional"))
    at = f"{write.written_at:013d}#{write.id}"
    found = table.find((("S", f"ledger#{write.origin}"), ("S", at)))
    if found is None:
        return False
    item = plain(found)["item"]
    return (item["id"], item["author"], item["text"]) == told_of(write)


def told_of(write: AckedWrite) -> Told:
    """What is the write's own, as its client sent it."""
    return write.id, write.author, write.text


def _dead_letters(cloud: LocalCloud, regions: Sequence[str]) -> Iterator[tuple[Told, str]]:
    """Each write that people find among the dead letters, and whose ledger lacks it."""
    for region in regions:
        arn = cloud.stacks[region].resources["DeadLetters"].attributes["Arn"]
        for letter in cloud.services.queues.queue(arn)._messages:
            told = event_in(json.loads(letter.body))
            if told is None:
                continue
            attributes: Mapping[str, Any] = letter.message_attributes or {}
            for where in _undelivered(region, attributes, regions):
                yield told, where


def _undelivered(
    region: str, attributes: Mapping[str, Any], regions: Sequence[str]
) -> Sequence[str]:
    """Whose ledgers a dead letter in a Region's queue is about."""
    target = str(attributes.get("TARGET_ARN", {}).get("StringValue", ""))
    if ":event-bus/" in target:
        return [target.split(":")[3]]
    if target or "ErrorMessage" in attributes:  # of the rule, or of the function, that enters it
        return [region]
    return [other for other in regions if other != region]  # of UnsentEvents: it was never emitted


def event_in(body: Mapping[str, Any]) -> Told | None:
    """The write in an event or in what UnsentEvents keeps of it; None for other dead letters."""
    item = body.get("detail", body).get("item")
    return (item["id"], item["author"], item["text"]) if isinstance(item, Mapping) else None
