"""The command line, `sidestep`. One clear line for every error."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import TextIO

import click

from sidestepctl.history import history_command
from sidestepctl.one_line import INTERRUPTED, OneLineGroup, UnwrittenError, UserError
from sidestepctl.orders import acknowledge_command, pause_command, resume_command
from sidestepctl.policy_command import policy
from sidestepctl.status_command import status_command
from sidestepctl.workers import WorkerLostError

_SEEDS = click.IntRange(1)
_WORKERS = click.IntRange(1, 1000)
"""More than a machine has use for, and fewer than its limits."""
_PORT = click.IntRange(0, 65_535)
"""0: one that is free."""


@click.group(cls=OneLineGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sidestep")
def cli() -> None:
    """Keep a serverless API on AWS answering when a whole Region goes bad."""


@cli.command()
@click.option("--scenario", default="health-errors", show_default=True, metavar="NAME|FILE")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same history.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@click.option(
    "--history",
    type=click.Path(dir_okay=False, writable=True),
    metavar="FILE",
    help="Write every simulated event to FILE, one JSON object a line.",
)
def drill(scenario: str, seed: int, as_json: bool, history: str | None) -> None:
    """Break a Region in the local cloud and watch the system heal itself.

    Exits 0 when the loop closed (traffic left, came back, nothing lost), 1 when it did not, 130
    at Ctrl-C.
    """
    from localcloud.scenario import ScenarioError, load
    from sidestepctl.drill import run
    from sidestepctl.live import Live
    from sidestepctl.report import in_words

    try:
        chosen = load(scenario)
    except ScenarioError as error:
        raise UserError(str(error)) from None
    live = None if as_json else Live(click.echo)
    # Opened before the run, which would be for nothing where it cannot be written.
    file = _opened(history) if history is not None else None
    report, transcript = run(chosen, seed, live)
    click.echo(report.to_json() if as_json else in_words(report))
    if file is not None:
        _written(file, transcript)
    sys.exit(0 if report.ok else 1)


def _written(file: TextIO, transcript: str) -> None:
    """The file holds this transcript instead of what it held."""
    try:
        with file:
            if Path(file.name).is_file():
                file.truncate(0)
            file.write(transcript)
    except OSError as error:
        words = f"--history {file.name}: cannot be written: {error.strerror}"
        raise UnwrittenError(words) from None


def _opened(history: str) -> TextIO:
    """The file, to be written at the end: what it holds stays until then."""
    try:
        return Path(history).open("a", encoding="utf-8")
    except OSError as error:
        raise UserError(f"--history {history}: cannot be written: {error.strerror}") from None


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME|FILE]...")
@click.option("--seeds", default=1, type=_SEEDS, show_default=True, help="How many seeds of each.")
@click.option("--seed", "first", default=1, show_default=True, help="The first of them.")
@click.option(
    "--workers", default=None, type=_WORKERS, help="Processes at once. Default: one a core."
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON array.")
def scenarios(
    names: tuple[str, ...], seeds: int, first: int, workers: int | None, as_json: bool
) -> None:
    """Run the whole catalogue of scenarios, or those named, each with several seeds.

    Exits 0 when every run came out as its scenario expects, 1 when one did not. Ctrl-C ends it
    with what it came to so far, and 130.
    """
    from localcloud.scenario import ScenarioError
    from localcloud.scenario import names as catalogue
    from sidestepctl.scenarios import Done, Summary, loaded, run_all

    try:
        chosen = loaded(names or catalogue())
    except ScenarioError as error:
        raise UserError(str(error)) from None
    done, ended = Done(chosen), None
    try:
        if not as_json:
            click.echo(f"runs to make: {len(chosen) * seeds}")
        run_all(done, range(first, first + seeds), workers, None if as_json else click.echo)
    except (KeyboardInterrupt, WorkerLostError) as error:
        ended = error
    summaries = done.summaries()
    if as_json:
        click.echo(Summary.all_to_json(summaries))
    else:
        for given in done.parts(seeds):
            some = len(done.reports[given])
            click.echo(f"{done.summary(given).in_words(given)} ({some} of {seeds} runs)")
    if ended is not None:
        raise ended
    sys.exit(0 if all(summary.ok for summary in summaries) else 1)


@cli.command()
@click.option("--seeds", default=20, type=_SEEDS, show_default=True, help="How many random worlds.")
@click.option("--seed", "first", default=1, show_default=True, help="The first of them.")
@click.option("--faults", default=None, help="Only these kinds, divided by commas.")
@click.option("--shrink", is_flag=True, help="Leave out the faults that a failure does not need.")
@click.option("--until-failed", is_flag=True, help="Stop at the first seed that fails.")
@click.option("--soak", is_flag=True, help="Tell progress, and every failing seed, no others.")
@click.option(
    "--workers", default=None, type=_WORKERS, help="Processes at once. Default: one a core."
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON object.")
def simulate(
    seeds: int,
    first: int,
    faults: str | None,
    shrink: bool,
    until_failed: bool,
    soak: bool,
    workers: int | None,
    as_json: bool,
) -> None:
    """Run random worlds with random faults, and hold every invariant in each.

    Exits 0 when all held, 1 when one did not: with its history and how to see it again. Ctrl-C
    ends it with what it came to so far, and 130.
    """
    from localcloud.faults.kinds import KINDS
    from localcloud.simulation.simulate import Result
    from sidestepctl.simulate import Asked, Progress, Simulated, simulate_all, told

    kinds = None
    if faults is not None:
        kinds = tuple(one.strip() for one in faults.split(",") if one.strip())
        unknown = ", ".join(sorted(set(kinds) - set(KINDS)))
        if unknown or not kinds:
            wrong = f"no fault {unknown}" if unknown else f"--faults {faults!r} names none"
            raise UserError(f"{wrong}: choose of {', '.join(sorted(KINDS))}")
    whole = Simulated()
    asked = Asked(kinds, workers, shrink, until_failed)

    def say(line: str) -> None:
        if not as_json:
            click.echo(line)

    progress = Progress(whole, say, time.monotonic)

    def tell(result: Result) -> None:
        if soak:
            progress(result, kinds)
        else:
            say(told(result, kinds))

    code, lost = 0, None
    try:
        say(f"seeds {first} to {first + seeds - 1}")
        simulate_all(range(first, first + seeds), asked, whole, tell)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except WorkerLostError as error:
        lost = error
    for line in [whole.to_json()] if as_json else [*whole.again(kinds), whole.in_words()]:
        click.echo(line)
    if not as_json:
        click.echo(whole.verdict())
    if lost is not None:
        raise lost
    sys.exit(code or (1 if whole.failed else 0))


@cli.command()
@click.option("--speed", default=1.0, show_default=True, help="Simulated seconds a wall second.")
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--api-port", type=_PORT, default=8080, show_default=True, help="Port of each Region's API."
)
@click.option("--dns-port", type=_PORT, default=5353, show_default=True)
@click.option("--aws-port", type=_PORT, default=4566, show_default=True)
@click.option(
    "--clients/--no-clients",
    default=True,
    show_default=True,
    help="Simulated clients beside your own.",
)
def up(speed: float, seed: int, api_port: int, dns_port: int, aws_port: int, clients: bool) -> None:
    """Run the local cloud in real time until Ctrl-C."""
    from localcloud.servers import ListenError
    from sidestepctl.up import Ports, serve

    if not (speed > 0 and math.isfinite(speed)):
        raise UserError(f"--speed {speed:g} must be a number greater than 0")
    try:
        serve(Ports(api_port, dns_port, aws_port), speed, seed, clients, click.echo)
    except ListenError as error:
        raise UserError(str(error)) from None


@cli.command()
@click.argument("event_file", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--region", default=None, help="The Region that it happens in. Default: the home Region."
)
@click.option("--seed", default=1, show_default=True)
def invoke(event_file: str, region: str | None, seed: int) -> None:
    """Feed one sample event through the local cloud and print what came out."""
    from sidestepctl.invoke import InvokeError, feed

    try:
        click.echo(feed(event_file, region, seed))
    except InvokeError as error:
        raise UserError(str(error)) from None


for command in (
    policy,
    status_command,
    history_command,
    pause_command,
    resume_command,
    acknowledge_command,
):
    cli.add_command(command)


def main() -> None:
    """The console script."""
    cli(prog_name="sidestep")


if __name__ == "__main__":
    main()
