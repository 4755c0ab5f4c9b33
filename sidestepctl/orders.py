"""`sidestep pause`, `resume` and `acknowledge`: what operators order, in the coordination table."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager

import click

from sidestep.core.control import Pause
from sidestep.core.errors import InvalidInput, Refused
from sidestep.core.maintenance import utc
from sidestepctl.where import Where, answered, located, look

LONGEST_S = 30 * 86_400
"""A pause that is meant to last longer is `observe_only`."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


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
        from sidestep.aws.orders import Orders

        found = look(where, "the order was not given, and automation goes on as before")
        self._where, self._now_ms = where, found.now_ms
        self._orders = Orders(found.table)
        self._guarded = sorted({*found.known.registry, *found.known.control.regions})
        self._everything = f"the application {where.application}"

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
        words = "it is not known whether the order was given; give it again"
        return answered(self._where, words)

    def _name(self, region: str | None) -> str:
        """What an order is about. One about what is not there would be kept, and do nothing."""
        if region is not None and region not in self._guarded:
            raise Refused(f"{region} is not guarded: choose one of {', '.join(self._guarded)}")
        return region or self._everything


# -- the commands ----------------------------------------------------------------------------------


@click.command("pause")
@click.argument("region", required=False)
@click.option("--for", "length", required=True, metavar="2h", help="How long: 90s, 30m, 2h, 1d.")
@click.option("--owner", required=True, help="Who: told wherever the pause holds something.")
@click.option("--reason", required=True, help="Why: told with it.")
@located
def pause_command(where: Where, region: str | None, length: str, owner: str, reason: str) -> str:
    """Hold automation for REGION, or for all Regions, for a while.

    Detection goes on; what has begun comes to its end; operators' own orders are not held.
    """
    for_s = seconds(length)  # before AWS is asked anything
    return Desk(where).pause(region, for_s, owner, reason)


@click.command("resume")
@click.argument("region", required=False)
@located
def resume_command(where: Where, region: str | None) -> str:
    """Take back the pause of REGION, or the one of all Regions."""
    return Desk(where).resume(region)


@click.command("acknowledge")
@click.argument("region")
@click.option("--owner", required=True, help="Who has seen it.")
@located
def acknowledge_command(where: Where, region: str, owner: str) -> str:
    """Say that REGION's last incident has been seen: waiting after it ends."""
    return Desk(where).acknowledge(region, owner)
