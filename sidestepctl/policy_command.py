"""`sidestep policy`: judge a policy file, and tell what every number decides."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

import click

from sidestep.core.policy import Policy, allowed
from sidestep.core.policy_words import WORDS, contradictions, together

WIDTH = 96
_FILE = click.Path(exists=True, dir_okay=False)


@click.group()
def policy() -> None:
    """Judge a policy file, and tell what every number decides."""


@policy.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print what the parameter Policy takes.")
@click.option(
    "--regions", default="", help="The guarded Regions, with commas; FILE may name these."
)
def check(file: str, as_json: bool, regions: str) -> None:
    """Say whether FILE is a policy, and what differs from the defaults.

    Exits 2 when it is none, with each fault on a line: FILE:LINE: what is wrong.
    """
    from sidestepctl.policy_file import as_json as written
    from sidestepctl.policy_file import differing

    given = load_or_say(file, tuple(one.strip() for one in regions.split(",") if one.strip()))
    if as_json:
        click.echo(written(given))
        return
    chosen = Policy.parse(given)
    differs = differing(chosen)
    click.echo(f"ok: {file}: " + ("these differ:" if differs else "everything as by default"))
    wide = max((len(name) for name in differs), default=0)
    for name, (value, default) in differs.items():
        click.echo(f"  {name:<{wide}}  {_told(value)} (default {_told(default)})")
    for words in contradictions(chosen):
        click.echo(f"note: {words}")


@policy.command()
@click.argument("file", type=_FILE, required=False)
def explain(file: str | None) -> None:
    """Tell every number of FILE, or of the defaults: value, range, and what it decides."""
    chosen = Policy.parse(load_or_say(file)) if file is not None else Policy()
    click.echo(in_words(chosen))


def in_words(chosen: Policy) -> str:
    """Every number of a policy, and how they play together."""
    defaults = Policy()
    parts = []
    for name, words in WORDS.items():
        value, default = getattr(chosen, name), getattr(defaults, name)
        was = "default" if value == default else f"default {_told(default)}"
        parts.append(f"{name} = {_told(value)}  ({was}; {allowed(name)})")
        parts.append(_wrapped(words.replace("`", ""), "    "))
    parts += ["", "How they play together"]
    parts += [_wrapped(line, "  ") for line in together(chosen)]
    parts += [_wrapped(f"note: {line}", "  ") for line in contradictions(chosen)]
    return "\n".join(parts)


def load_or_say(file: str, regions: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a policy file gives; where it is none, each of its faults on a line, and exit code 2."""
    from sidestepctl.policy_file import PolicyFileError, load

    try:
        return load(file, regions)
    except PolicyFileError as error:
        for line in error.lines:
            click.echo(line, err=True)
        sys.exit(2)


def _told(value: Any) -> str:
    if isinstance(value, tuple):
        return "; ".join(f"{window.region}: {window.words}" for window in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{region} {share}" for region, share in value.items()) or "none"
    return value if isinstance(value, str) else json.dumps(value)


def _wrapped(words: str, margin: str) -> str:
    return textwrap.fill(words, WIDTH, initial_indent=margin, subsequent_indent=margin)
