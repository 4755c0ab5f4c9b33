"""An empty account of moto's, and a way to deploy a few resources in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from localcloud.template.deploy import deploy
from localcloud.template.stack import Stack
from localcloud.template.translate import Translated
from tests.localcloud.template.stacks import REGION, Deploy


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto alone: deploying needs no local cloud around it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with mock_aws():
        yield


@pytest.fixture
def stack_of(account: None, tmp_path: Path) -> Deploy:  # noqa: ARG001  # moto must be on
    """Deploys plain CloudFormation; every function's code is an empty folder."""

    def made(
        resources: Mapping[str, Any],
        region: str = REGION,
        parameters: Mapping[str, str] | None = None,
        **sections: Any,
    ) -> Stack:
        code = dict.fromkeys(resources, tmp_path)
        translated = Translated({"Resources": resources, **sections}, code)
        return deploy(translated, "demo", region, parameters or {})

    return made
