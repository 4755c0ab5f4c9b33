"""Every command in the README and the docs works as it is written there."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import urllib.request
from collections.abc import Iterator

import dns.resolver
import pytest

from tests.cli.running import BIN, ROOT, Up, until, up

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN_ELSEWHERE = {
    "make drill": "a fresh clone's first command: it is `sidestep drill`, see below",
    "make test": "this very run",
    "sidestep drill --seed 1 --json --history history.jsonl": "tests/loop/test_the_loop.py",
    "sidestep drill --seed 1 --json": "the same, without its history",
    "sidestep up --speed 10": "test_up.py",
    "sidestep acknowledge eu-west-2 --owner ada": "test_orders.py: it needs an incident",
    "sidestep history demo-eu-west-2-1": "test_looking.py: so does this",
}


def documented() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.M | re.S):
            for line in re.sub(r"\\\n\s*", "", block).splitlines():
                if line.strip():
                    yield page.name, line.strip()


COMMANDS = list(documented())
BY_TOOL = {
    tool: [line for _, line in COMMANDS if shlex.split(line)[0] == tool]
    for tool in ("sidestep", "aws", "curl", "dig", "make", "export")
}
ORDERS = [line for line in BY_TOOL["sidestep"] if shlex.split(line)[1] in ("pause", "resume")]
"""Of an operator's, to a cloud that runs."""
LOOKS = [line for line in BY_TOOL["sidestep"] if shlex.split(line)[1] in ("status", "history")]
"""Of an operator's, at a cloud that runs."""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Up]:
    with up() as running:
        yield running


def test_every_command_is_of_a_tool_that_is_run_here() -> None:
    assert {shlex.split(line)[0] for _, line in COMMANDS} <= set(BY_TOOL)
    assert {line for _, line in COMMANDS} >= set(RUN_ELSEWHERE)


@pytest.mark.parametrize(
    "line", sorted({*BY_TOOL["sidestep"]} - {*RUN_ELSEWHERE} - {*ORDERS, *LOOKS})
)
def test_a_sidestep_command_succeeds(line: str) -> None:
    run = subprocess.run(
        [BIN / "sidestep", *shlex.split(line)[1:]],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")
    if "--json" in line:
        assert json.loads(run.stdout)


def test_an_operators_orders_succeed_one_after_the_other(cloud: Up) -> None:
    until(lambda: cloud.sidestep("resume", "eu-west-2").returncode == 0)  # it is known

    runs = [cloud.sidestep(*shlex.split(line)[1:]) for line in ORDERS]

    assert [(run.returncode, run.stderr) for run in runs] == [(0, "")] * len(ORDERS)
    assert not [run.stdout for run in runs if "was not paused" in run.stdout]


@pytest.mark.parametrize("line", sorted({*LOOKS} - {*RUN_ELSEWHERE}))
def test_an_operator_is_told_what_is_known(cloud: Up, line: str) -> None:
    until(lambda: cloud.sidestep("status").returncode == 0)  # it is known

    run = cloud.sidestep(*shlex.split(line)[1:])

    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout) if "--json" in line else run.stdout


@pytest.mark.parametrize("line", sorted(set(BY_TOOL["make"])))
def test_a_make_target_is_there_and_runs_what_it_is_named_for(line: str) -> None:
    target = shlex.split(line)[1]
    would = subprocess.run(
        ["make", "-n", *shlex.split(line)[1:]], capture_output=True, text=True, cwd=ROOT, check=True
    )

    runs = {
        "test": "-m pytest",
        "bench-scenarios": "-m benchmarks.bench_scenarios",
        "bench-loss": "-m benchmarks.bench_loss",
        "bench-detection": "-m benchmarks.bench_detection",
        "bench-start": "-m benchmarks.bench_start",
        "mutations": "-m benchmarks.mutations.run",
        "soak": "-m benchmarks.soak",
    }
    assert runs.get(target, f"sidestep {target}") in would.stdout


def test_the_exported_variables_are_those_of_these_runs(cloud: Up) -> None:
    for line in BY_TOOL["export"]:
        for word in shlex.split(line)[1:]:
            name, value = word.split("=", 1)
            given = cloud.environment[name]
            assert value == ("http://127.0.0.1:4566" if name == "AWS_ENDPOINT_URL" else given)


@pytest.mark.parametrize("line", sorted(set(BY_TOOL["curl"])))
def test_a_curl_command_is_answered(cloud: Up, line: str) -> None:
    """Sent by the standard library, which is always there, as curl would send it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    given = parser.parse_args(shlex.split(line)[1:])
    path = given.url.split("/", 3)[3]
    request = urllib.request.Request(
        cloud.health["eu-west-2"].replace("health", path),
        given.d.encode() if given.d else None,
        dict(header.split(": ", 1) for header in given.H),
    )

    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status < 300
        assert json.load(answer)


@pytest.mark.parametrize("line", sorted(set(BY_TOOL["dig"])))
def test_a_dig_command_asks_a_name_that_is_answered(cloud: Up, line: str) -> None:
    _, server, flag, port, name = shlex.split(line)[:5]
    assert (server, flag, port) == ("@127.0.0.1", "-p", "5353")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], cloud.dns_port

    assert len(resolver.resolve(name)) == 1


@pytest.mark.parametrize("line", sorted(set(BY_TOOL["aws"])))
def test_an_aws_command_succeeds_against_the_local_cloud(cloud: Up, line: str) -> None:
    # Last: one of them starts a drill, and then /health answers 503.
    run = cloud.aws_cli(*shlex.split(line)[1:])

    assert (run.returncode, run.stderr) == (0, "")
