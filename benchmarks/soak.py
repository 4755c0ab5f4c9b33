"""`make soak`: random worlds that nobody has seen, and what of them has held, of which code.

Thousands of worlds take hours. Each stretch of seeds is kept with the code as it ends, so that
the next soak goes on where this one was, on whatever machine; a stretch says which code it is of.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import click

from benchmarks.fingerprints import ROOT, worlds
from benchmarks.table import put_into
from localcloud.simulation.simulate import Result
from sidestepctl.one_line import INTERRUPTED, OneLine
from sidestepctl.simulate import Asked, Progress, Simulated, simulate_all

KEPT = ROOT / "benchmarks" / "results" / "soaks.jsonl"
PAGE = ROOT / "docs" / "simulation.md"
BEGIN, END = "<!-- soaks: written by make soak -->", "<!-- soaks: end -->"
FIRST = 1_000_000
"""Far from the seeds that CI and people begin with."""
STRETCH = 20
"""So many seeds are kept together: what a crash of the machine may cost."""
GO_ON = "run it again with fewer --workers: it goes on after the last seed that was kept"


@dataclass(frozen=True)
class Stretch:
    """Seeds one after the other, of one code, and what they came to."""

    code: str
    first: int
    seeds: int
    failed: tuple[int, ...]
    simulated_s: float
    faults: int
    moves: int
    acknowledged: int
    day: str

    @classmethod
    def of(cls, code: str, results: Sequence[Result], day: str) -> Stretch:
        """Results of seeds in a row, in their order."""
        return cls(
            code=code,
            first=results[0].seed,
            seeds=len(results),
            failed=tuple(result.seed for result in results if not result.ok),
            simulated_s=round(sum(result.simulated_s for result in results), 1),
            faults=sum(result.faults.total() for result in results),
            moves=sum(result.moves for result in results),
            acknowledged=sum(result.acknowledged for result in results),
            day=day,
        )

    @property
    def end(self) -> int:
        """The seed after its last."""
        return self.first + self.seeds

    def with_next(self, other: Stretch) -> Stretch:
        """Both as one."""
        return replace(
            other,
            first=self.first,
            seeds=self.seeds + other.seeds,
            failed=(*self.failed, *other.failed),
            simulated_s=self.simulated_s + other.simulated_s,
            faults=self.faults + other.faults,
            moves=self.moves + other.moves,
            acknowledged=self.acknowledged + other.acknowledged,
        )


class InOrder:
    """Worlds end in any order; what may be kept are those in a row."""

    def __init__(self, first: int) -> None:
        self._next, self._early = first, dict[int, Result]()

    def add(self, result: Result) -> list[Result]:
        """The results that are in a row now, this one among them or not."""
        self._early[result.seed] = result
        row = []
        while self._next in self._early:
            row.append(self._early.pop(self._next))
            self._next += 1
        return row


def kept(path: Path = KEPT) -> list[Stretch]:
    """All stretches, as they were kept."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [
        Stretch(**(told | {"failed": tuple(told["failed"])})) for told in map(json.loads, lines)
    ]


def in_a_row(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Those of one code that follow on each other, as one."""
    whole: Stretch | None = None
    for stretch in stretches:
        if whole is not None and (whole.code, whole.end) == (stretch.code, stretch.first):
            whole = whole.with_next(stretch)
            continue
        if whole is not None:
            yield whole
        whole = stretch
    if whole is not None:
        yield whole


def keep(stretch: Stretch, path: Path = KEPT, page: Path = PAGE) -> None:
    """Write it down, and into the page."""
    stretches = list(in_a_row([*kept(path), stretch]))
    path.write_text("".join(json.dumps(asdict(one)) + "\n" for one in stretches))
    put_into(page, table_of(stretches), BEGIN, END)


def table_of(stretches: Iterable[Stretch]) -> str:
    """As Markdown."""
    lines = ["| code | seeds in a row | simulated | faults | moves | writes | failed |"]
    lines.append("|---|---|---|---|---|---|---|")
    for one in stretches:
        failed = ", ".join(map(str, one.failed)) or "none"
        lines.append(
            f"| `{one.code}`, {one.day} | {one.seeds} ({one.first} to {one.end - 1}) | "
            f"{one.simulated_s / 3600:.1f} hours | {one.faults} | {one.moves} | "
            f"{one.acknowledged} | {failed} |"
        )
    return "\n".join(lines)


@click.command(cls=OneLine)
@click.option("--seeds", type=click.IntRange(1), help="How many; without it until Ctrl-C.")
@click.option("--workers", type=click.IntRange(1), help="Processes at once. Default: one a core.")
def main(seeds: int | None, workers: int | None) -> None:
    """Go on with the seed after the last one kept.

    Exits 1 when one failed, 130 at Ctrl-C, 2 where a process of its own was ended from outside.
    """
    code, first = worlds(), max((one.end for one in kept()), default=FIRST)
    order, row, whole = InOrder(first), list[Result](), Simulated()
    progress = Progress(whole, click.echo, time.monotonic)

    def keep_row() -> None:
        if row:
            keep(Stretch.of(code, row, datetime.now(UTC).date().isoformat()))
            row.clear()

    def tell(result: Result) -> None:
        progress(result)
        row.extend(order.add(result))
        if len(row) >= STRETCH:
            keep_row()

    stop = 0
    wanted = range(first, first + seeds) if seeds else count(first)
    try:
        simulate_all(wanted, Asked(workers=workers), whole, tell, GO_ON)
    except KeyboardInterrupt:
        stop = INTERRUPTED
    finally:
        keep_row()
    for line in (*whole.again(), whole.in_words(), whole.verdict()):
        click.echo(line)
    sys.exit(stop or int(bool(whole.failed)))


if __name__ == "__main__":
    main()
