"""`sidestep pause`, `resume` and `acknowledge`: what operators order, in the coordination table."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from sidestep.core.control import Pause
from sidestep.core.errors import CoordinationUnavailable, InvalidInput, Refused
from sidestep.core.maintenance import utc

if TYPE_CHECKING:  # boto3 takes a second to import: only for commands that need it
    from sidestep.aws.coordination import CoordinationTable

LONGEST_S = 30 * 86_400
"""A pause that is meant to last longer is `observe_only`."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Where:
    """Which application, through which Regions of its coordination table, at which endpoint."""

    application: str
    coordination: tuple[str, ...]
    endpoint_url: str | None


def seconds(text: str) -> int:
    """A duration as people write it (`90s`, `30m`, `2h`, `1d`). Raises InvalidInput."""
    found = re.fullmatch(r"(\d+)([smhd])", text)
    length = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 1 <= length <= LONGEST_S:
        raise InvalidInput(f"--for {text}: say how long, like 90s, 30m, 2h, at most 30d")
    return length


class Desk:
    """Where an operator's orders are taken: the application's control item, and who is guarded.

    Raises InvalidInput, Refused and CoordinationUnavailable, at the start and of each order.
    """

    def __init__(self, where: Where) -> None:
        from sidestep.aws.ballots import Ballots
        from sidestep.aws.orders import Orders

        table = _table(where)
        self._table_name = table_of(where)
        with _answered(
            self._table_name, "the order was not given, and automation goes on as before"
        ):
            known = Ballots(table, ()).everything()
        self._orders = Orders(table)
        self._guarded = sorted({*known.registry, *known.control.regions})
        self._everything = f"the application {where.application}"
        # An observer's clock may be ahead of this one: that of a local cloud runs faster.
        clocks = [int(time.time() * 1000), *(b.at_ms for b in known.ballots.values())]
        self._now_ms = max(clocks)
        if not self._guarded:
            raise Refused(f"nothing is known of {self._everything}: does it run?")

    def pause(self, region: str | None, for_s: int, owner: str, reason: str) -> str:
        """Hold automation for a Region, or for all; what was done, in words."""
        what, until_ms = self._name(region), self._now_ms + for_s * 1000
        with self._written():
            self._orders.pause(Pause(owner, reason, until_ms), self._now_ms, region)
        return f"{what} is paused by {owner} until {utc(until_ms)}: {reason}"

    def resume(self, region: str | None) -> str:
        """Take a pause back; what was done, in words."""
        what = self._name(region)
        with self._written():
            was = self._orders.resume(region)
        return f"{what} is not paused any more" if was else f"{what} was not paused"

    def acknowledge(self, region: str, owner: str) -> str:
        """Say that a Region's last incident has been seen; what was done, in words."""
        self._name(region)
        with self._written():
            given = self._orders.acknowledge(region, owner, self._now_ms)
        return f"{given.incident} of {region} is acknowledged by {owner}"

    def _written(self) -> AbstractContextManager[None]:
        # What was asked for in time may have been done, though no answer came.
        return _answered(
            self._table_name, "it is not known whether the order was given; give it again"
        )

    def _name(self, region: str | None) -> str:
        """What an order is about. One about what is not there would be kept, and do nothing."""
        if region is not None and region not in self._guarded:
            raise Refused(f"{region} is not guarded: choose one of {', '.join(self._guarded)}")
        return region or self._everything


@contextmanager
def _answered(table: str, else_words: str) -> Iterator[None]:
    """Tells an operator, not a workflow, that the table does not answer, and what follows."""
    try:
        yield
    except CoordinationUnavailable as error:
        why = dict.fromkeys(one.removeprefix(table).split(": ", 1)[-1] for one in error.silent)
        raise CoordinationUnavailable(
            f"{else_words}: no Region of {table} answers ({'; '.join(why)}); check your AWS "
            "credentials (AWS_PROFILE), --application, --coordination and --endpoint-url",
            error.silent,
        ) from None


def table_of(where: Where) -> str:
    """The name of an application's coordination table."""
    return f"sidestep-{where.application}-coordination"


def _table(where: Where) -> CoordinationTable:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    from sidestep.aws.coordination import CoordinationTable

    make: Any = boto3.client
    # A Region that does not answer is no reason to keep an operator waiting: there are others.
    config = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})
    try:
        clients = {
            region: make(
                "dynamodb", region_name=region, endpoint_url=where.endpoint_url, config=config
            )
            for region in where.coordination
        }
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise InvalidInput(str(error)) from None
    return CoordinationTable(clients, table_of(where), where.application)


# -- the commands ----------------------------------------------------------------------------------


def _located(command: Callable[..., str]) -> Callable[..., None]:
    """Adds the options that say where the coordination table is; prints what was done."""

    @click.option("--application", envvar="SIDESTEP_APPLICATION", default="demo", show_default=True)
    @click.option(
        "--coordination",
        envvar="SIDESTEP_COORDINATION_REGIONS",
        default="eu-west-1,eu-west-2,eu-central-1",
        show_default=True,
        help="The coordination table's Regions, with commas.",
    )
    @click.option(
        "--endpoint-url",
        default=None,
        help="Where AWS is, if not at AWS: of `sidestep up`, http://127.0.0.1:4566. "
        "AWS_ENDPOINT_URL says the same.",
    )
    @wraps(command)
    def located(application: str, coordination: str, endpoint_url: str | None, **own: Any) -> None:
        regions = tuple(one.strip() for one in coordination.split(",") if one.strip())
        if not regions:
            raise InvalidInput("--coordination names no Region")
        click.echo(command(Where(application, regions, endpoint_url), **own))

    return located


@click.command("pause")
@click.argument("region", required=False)
@click.option("--for", "length", required=True, metavar="2h", help="How long: 90s, 30m, 2h, 1d.")
@click.option("--owner", required=True, help="Who: told wherever the pause holds something.")
@click.option("--reason", required=True, help="Why: told with it.")
@_located
def pause_command(where: Where, region: str | None, length: str, owner: str, reason: str) -> str:
    """Hold automation for REGION, or for all Regions, for a while.

    Detection goes on; what has begun comes to its end; operators' own orders are not held.
    """
    for_s = seconds(length)  # before AWS is asked anything
    return Desk(where).pause(region, for_s, owner, reason)


@click.command("resume")
@click.argument("region", required=False)
@_located
def resume_command(where: Where, region: str | None) -> str:
    """Take back the pause of REGION, or the one of all Regions."""
    return Desk(where).resume(region)


@click.command("acknowledge")
@click.argument("region")
@click.option("--owner", required=True, help="Who has seen it.")
@_located
def acknowledge_command(where: Where, region: str, owner: str) -> str:
    """Say that REGION's last incident has been seen: waiting after it ends."""
    return Desk(where).acknowledge(region, owner)
