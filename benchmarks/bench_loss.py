"""`make bench-loss`: acknowledged writes that table replication and the ledger can lose together.

Writes go to one Region at a steady rate, while nothing, one path or both are in trouble there.
Twice a second it is asked: were the Region gone for good now, what would no other Region hold,
neither in its replica nor in its ledger? Then the Region really goes, and comes back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import click

from benchmarks import table
from benchmarks.fingerprints import ROOT
from localcloud.cloud import TEMPLATE, LocalCloud
from localcloud.compute.frontdoor import Unreachable
from localcloud.kernel import Steps
from localcloud.services.eventbridge import BusFault
from localcloud.services.links import Disturbance
from localcloud.template.translate import read, without
from sidestep.core.messages import Message
from sidestepctl.one_line import OneLine

RESULTS = ROOT / "benchmarks" / "results" / "loss.json"
PAGE = ROOT / "docs" / "trust.md"
BEGIN, END = "<!-- bench-loss -->", "<!-- /bench-loss -->"
GOES = "eu-west-2"
LATE_S = 5.0
TROUBLES = (
    "none",
    f"replication {LATE_S:.0f} s late",
    "replication paused",
    f"events {LATE_S:.0f} s late",
    f"both {LATE_S:.0f} s late",
    "bus refuses events",
    "paused and refuses",
)
"""Events that are late wait for a time of chance, LATE_S at most, at each bus on their way."""
TROUBLE_S = 30.0
"""How long the trouble stands before the Region goes."""
SETTLE_S = 20.0
"""After the Region went, and again after it came back: what was on its way has arrived."""
ASK_EVERY_S = 0.5
_NOT_NEEDED = (
    ("Resources", "ObserveStateMachine", "Properties", "Events", "EachMinute"),
    ("Resources", "ObserveStateMachine", "Properties", "Events", "AlarmChanged"),
)
"""Nobody watches here: it is about the write paths, which observers have no part in."""


@dataclass(frozen=True)
class Loss:
    """One run. Counts of writes that were acknowledged; seconds are simulated."""

    trouble: str
    writes_per_s: float
    seed: int
    acknowledged: int
    worst_unreplicated: int
    """At the worst moment asked: in no other Region's replica."""
    worst_not_in_ledger: int
    """In no other Region's ledger."""
    worst_in_neither: int
    """In neither: what is lost if the Region is gone for good at that moment."""
    mean_in_neither: float
    oldest_in_neither_s: float
    """Time since the acknowledgement of the oldest such write, at the worst."""
    gone_unreplicated: int
    """With the Region really gone, SETTLE_S later: what recovery would have to put back."""
    gone_in_neither: int
    """And what it could not."""
    back_in_neither: int
    """With the Region and its paths back, SETTLE_S later."""


class Watched:
    """Acknowledged writes of the Region, and where else they have arrived."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.others = [r for r in cloud.topology.regions if r != GOES]
        self.acknowledged = 0
        self.unreplicated: dict[str, tuple[Message, float]] = {}
        self.not_in_ledger: dict[str, tuple[Message, float]] = {}

    def note(self, message: Message) -> None:
        """A client was told that this is stored."""
        self.acknowledged += 1
        now = float(self.cloud.kernel.env.now)
        self.unreplicated[message.id] = self.not_in_ledger[message.id] = message, now

    def look(self) -> None:
        """Take off what has arrived somewhere since the last look."""
        dynamodb = self.cloud.services.dynamodb
        data = [dynamodb.table(r, self.cloud.table("data")) for r in self.others]
        regional = [dynamodb.table(r, self.cloud.table("regional")) for r in self.others]
        for id_ in list(self.unreplicated):
            if any(t.find((("S", f"message#{id_}"), ("S", "message"))) for t in data):
                del self.unreplicated[id_]
        for id_, (message, _) in list(self.not_in_ledger.items()):
            key = (("S", f"ledger#{GOES}"), ("S", message.history_sk))
            if any(t.find(key) for t in regional):
                del self.not_in_ledger[id_]

    def in_neither(self) -> list[float]:
        """Ages in seconds of the writes that nothing outside the Region knows."""
        now = float(self.cloud.kernel.env.now)
        both = self.unreplicated.keys() & self.not_in_ledger.keys()
        return [now - self.unreplicated[id_][1] for id_ in both]


def measure(trouble: str, writes_per_s: float, seed: int) -> Loss:
    """One run of a world of its own."""
    template = read(TEMPLATE)
    for part in _NOT_NEEDED:
        template = without(template, *part)
    with LocalCloud(seed, template=template) as cloud:
        cloud.start()
        watched = Watched(cloud)
        cloud.kernel.process(_writing(cloud, watched, writes_per_s))
        _go_on(cloud, 5.0)
        relieve = _begin(cloud, trouble)
        looks = [(0, 0, [0.0])]
        for _ in range(int(TROUBLE_S / ASK_EVERY_S)):
            _go_on(cloud, ASK_EVERY_S)
            watched.look()
            ages = watched.in_neither()
            looks.append((len(watched.unreplicated), len(watched.not_in_ledger), ages))
        cloud.fail_region(GOES)
        _go_on(cloud, SETTLE_S)
        watched.look()
        gone, lost = len(watched.unreplicated), len(watched.in_neither())
        relieve()
        cloud.restore_region(GOES)
        _go_on(cloud, SETTLE_S)
        watched.look()
        counts = [len(ages) for _, _, ages in looks[1:]]
        return Loss(
            trouble=trouble,
            writes_per_s=writes_per_s,
            seed=seed,
            acknowledged=watched.acknowledged,
            worst_unreplicated=max(one for one, _, _ in looks),
            worst_not_in_ledger=max(one for _, one, _ in looks),
            worst_in_neither=max(counts),
            mean_in_neither=round(sum(counts) / len(counts), 2),
            oldest_in_neither_s=round(max(max(ages, default=0.0) for *_, ages in looks), 2),
            gone_unreplicated=gone,
            gone_in_neither=lost,
            back_in_neither=len(watched.in_neither()),
        )


def _go_on(cloud: LocalCloud, seconds: float) -> None:
    cloud.kernel.run(until=float(cloud.kernel.env.now) + seconds)


def _writing(cloud: LocalCloud, watched: Watched, per_s: float) -> Steps[None]:
    """Clients' writes, at moments of chance, for as long as the Region takes them."""
    chance = cloud.kernel.fork("writes of the bench")
    for number in range(1_000_000):
        yield cloud.kernel.env.timeout(chance.expovariate(per_s))
        if GOES in cloud.network.down:
            return
        cloud.kernel.process(_write(cloud, watched, f"bench-{number}"))


def _write(cloud: LocalCloud, watched: Watched, key: str) -> Steps[None]:
    host = f"{GOES}.{cloud.topology.domain}"
    headers = {"idempotency-key": key, "content-type": "application/json"}
    body = json.dumps({"author": "bench", "text": key}).encode()
    try:
        answer = yield from cloud.door.request(GOES, host, "POST", "/messages", headers, body)
    except Unreachable:
        return  # the Region went meanwhile: not acknowledged
    if answer.status in (200, 201):
        watched.note(Message.from_dict(json.loads(answer.body)["message"]))


def _begin(cloud: LocalCloud, trouble: str) -> Callable[[], None]:
    """Put a trouble in force; what ends it."""
    ends: list[Callable[[], None]] = []
    replication = cloud.services.replication
    if trouble.startswith(("replication", "both", "paused")):
        late = LATE_S if "late" in trouble else 0.0
        disturbed = replication.disturb(
            Disturbance(table=cloud.table("data"), source=GOES, paused=not late, extra_s=late)
        )
        ends.append(lambda: replication.relieve(disturbed))
    if trouble.startswith(("events", "both")):
        delivery = cloud.services.events.delivery
        delivery.late_s.append(LATE_S)
        ends.append(lambda: delivery.late_s.remove(LATE_S))
    if "refuses" in trouble:
        events = cloud.services.events
        fault = events.add_fault(BusFault(GOES, 1.0))
        ends.append(lambda: events.remove_fault(fault))

    def relieve() -> None:
        for end in ends:
            end()

    return relieve


def lines_of(losses: list[Loss]) -> Iterator[str]:
    """The table of the page, line by line."""
    yield (
        f"Simulated: {len(losses)} runs, {GOES} lost after {TROUBLE_S:.0f} s of the trouble; "
        "counts of acknowledged writes."
    )
    yield ""
    yield (
        "| trouble | writes/s | acknowledged | worst moment: unreplicated | not in a ledger "
        "| in neither (mean) | oldest in neither | Region gone: to repair | lost | after return |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for one in losses:
        yield (
            f"| {one.trouble} | {one.writes_per_s:g} | {one.acknowledged} "
            f"| {one.worst_unreplicated} | {one.worst_not_in_ledger} "
            f"| {one.worst_in_neither} ({one.mean_in_neither:g}) | {one.oldest_in_neither_s:g} s "
            f"| {one.gone_unreplicated - one.gone_in_neither} | {one.gone_in_neither} "
            f"| {one.back_in_neither} |"
        )


_RATE = click.FloatRange(0.1, 100.0)


@click.command(cls=OneLine)
@click.option("--rate", "rates", type=_RATE, multiple=True, default=(2.0, 10.0), show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(rates: tuple[float, ...], seed: int) -> None:
    """Make every run, then write the table into docs/trust.md and the figures beside it."""
    losses: list[Loss] = []
    for trouble in TROUBLES:
        for rate in rates:
            began = time.process_time()
            losses.append(measure(trouble, rate, seed))
            click.echo(f"{losses[-1]} in {time.process_time() - began:.0f} s of CPU")
    RESULTS.write_text(json.dumps([asdict(one) for one in losses], indent=2) + "\n")
    table.put_into(PAGE, "\n".join(lines_of(losses)), BEGIN, END)


if __name__ == "__main__":
    main()
