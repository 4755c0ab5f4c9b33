"""Where a deployed application's coordination table is, and what is known there: for commands that
people give to what runs, at AWS or in `sidestep up`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from sidestep.core.errors import CoordinationUnavailable, InvalidInput, Refused

if TYPE_CHECKING:  # boto3 takes a second to import: only for commands that need it
    from sidestep.aws.ballots import Everything
    from sidestep.aws.coordination import CoordinationTable

NOTHING_TOLD = "nothing can be told, and automation goes on as it can"
"""What follows for who only reads, where nobody answers."""


@dataclass(frozen=True)
class Where:
    """Which application, through which Regions of its coordination table, at which endpoint."""

    application: str
    coordination: tuple[str, ...]
    endpoint_url: str | None

    @property
    def table(self) -> str:
        """The coordination table's name."""
        return f"sidestep-{self.application}-coordination"


@dataclass(frozen=True)
class Found:
    """What the coordination table holds of an application, and what time it is there (epoch ms)."""

    table: CoordinationTable
    known: Everything
    now_ms: int
    behind_ms: int
    """How far this machine's clock is behind the newest ballot's; 0 where it is not."""


def look(where: Where, else_words: str) -> Found:
    """All that is known of an application. `else_words` say what follows where nobody answers.

    Raises InvalidInput, Refused and CoordinationUnavailable.
    """
    from sidestep.aws.ballots import Ballots

    table = _connected(where)
    with answered(where, else_words):
        known = Ballots(table, ()).everything()
    if not (known.registry or known.control.regions):
        raise Refused(f"nothing is known of the application {where.application}: does it run?")
    # An observer's clock may be ahead of this one: that of a local cloud runs faster.
    here = int(time.time() * 1000)
    now_ms = max([here, *(ballot.at_ms for ballot in known.ballots.values())])
    return Found(table, known, now_ms, now_ms - here)


@contextmanager
def answered(where: Where, else_words: str) -> Iterator[None]:
    """Tells an operator, not a workflow, that the table does not answer, and what follows."""
    try:
        yield
    except CoordinationUnavailable as error:
        why = dict.fromkeys(
            one.removeprefix(where.table).split(": ", 1)[-1] for one in error.silent
        )
        raise CoordinationUnavailable(
            f"{else_words}: no Region of {where.table} answers ({'; '.join(why)}); check your AWS "
            "credentials (AWS_PROFILE), --application, --coordination and --endpoint-url",
            error.silent,
        ) from None


def located(command: Callable[..., str]) -> Callable[..., None]:
    """Adds the options that say where the coordination table is; prints what the command says."""

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


def _connected(where: Where) -> CoordinationTable:
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
    return CoordinationTable(clients, where.table, where.application)
