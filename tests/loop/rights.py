"""Takes rights from roles of a running local cloud, by IAM's own API, and gives them back."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from localcloud.cloud import TEMPLATE, LocalCloud
from localcloud.template.translate import read

REFUSED = "not authorized"
"""In every refusal of IAM's."""


def statements(kind: str) -> list[tuple[str, str]]:
    """(logical id, Sid) of every statement that template.yaml writes for resources of a type."""
    return [
        (name, statement["Sid"])
        for name, resource in read(TEMPLATE)["Resources"].items()
        if resource["Type"] == kind
        for policy in resource["Properties"].get("Policies", [])
        for statement in policy["Statement"]
    ]


@contextmanager
def without_right(cloud: LocalCloud, region: str, role: str, *sids: str) -> Iterator[None]:
    """A Region's role, by its logical id, without its statements of these names (none: any)."""
    iam = cloud.client("iam")
    name = cloud.stacks[region].resources[role].physical_id
    kept = {
        policy: _document(iam.get_role_policy(RoleName=name, PolicyName=policy))
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }
    taken = 0
    try:
        for policy, document in kept.items():
            left = [one for one in document["Statement"] if sids and one.get("Sid") not in sids]
            if len(left) == len(document["Statement"]):
                continue
            taken += len(document["Statement"]) - len(left)
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
            if left:
                _put(iam, name, policy, document | {"Statement": left})
        assert taken >= max(len(sids), 1), f"{role} has no statements {sids}"
        yield
    finally:
        for policy, document in kept.items():
            _put(iam, name, policy, document)


def _put(iam: Any, role: str, policy: str, document: dict[str, Any]) -> None:
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))


def _document(answer: dict[str, Any]) -> dict[str, Any]:
    document = answer["PolicyDocument"]
    read_back: dict[str, Any] = (
        document if isinstance(document, dict) else json.loads(urllib.parse.unquote(document))
    )
    return read_back
