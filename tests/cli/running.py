"""`sidestep up` as people run it: a process of its own, at ports of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PATIENCE_S = 90.0
"""Wall seconds after which waiting for something has failed; a loaded machine is slow."""
SPEED = 6

T = TypeVar("T")


@dataclass(frozen=True)
class Up:
    """A local cloud that runs: its addresses."""

    process: subprocess.Popen[str]
    health: dict[str, str]
    """Region → the URL of its /health."""
    dns_port: int
    aws: str

    def aws_cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The stock AWS CLI against it."""
        return self._run("aws", *arguments)

    def sidestep(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The installed command against it."""
        return self._run("sidestep", *arguments)

    def _run(self, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BIN / tool), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a user exports."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        return kept | {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_DEFAULT_REGION": "eu-west-2",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_PAGER": "",
        }

    def client(self, service: str, region: str) -> Any:
        """A stock boto3 client."""
        make: Any = boto3.client
        return make(
            service,
            region_name=region,
            endpoint_url=self.aws,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )


@contextmanager
def up() -> Iterator[Up]:
    """Start it on free ports, and stop it as Ctrl-C does."""
    command = [str(BIN / "sidestep"), "up", "--speed", str(SPEED), "--no-clients"]
    ports = ["--api-port", "0", "--dns-port", "0", "--aws-port", "0"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command + ports, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    )
    assert process.stdout is not None
    greeting = ""
    try:
        while "aws stepfunctions" not in greeting:
            line = process.stdout.readline()
            assert line, f"sidestep up ended: {process.wait()}: {greeting}"
            greeting += line
        yield Up(
            process,
            dict(re.findall(r"^  (\S+-\d) +(http\S+/health)$", greeting, re.M)),
            int(found(r"dig @127\.0\.0\.1 -p (\d+)", greeting)),
            found(r"AWS_ENDPOINT_URL=(\S+)", greeting),
        )
    finally:
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        process.wait(PATIENCE_S)


def found(pattern: str, text: str) -> str:
    """The first group of a pattern that has to be there."""
    match = re.search(pattern, text)
    assert match is not None, f"no {pattern} in {text}"
    return match[1]


def until(look: Callable[[], T | None]) -> T:
    """What `look` sees once it sees something; an error when patience ends."""
    limit = time.monotonic() + PATIENCE_S
    while time.monotonic() < limit:
        seen = look()
        if seen:
            return seen
    raise AssertionError("waited in vain")
