"""Steps whose functions are woken before they are needed: a cold start takes longer than they do.

From the first suspicion on, observers invoke what a failover needs until its switches are set, and
do not wait for it: the execution environment is there when the step comes
(docs/decisions/015-woken-by-suspicion.md).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
WAKE = {"wake": True}
"""The whole event. A step's own event always says more, whatever a person gave the workflow."""


def can_be_woken(handler: Handler) -> Handler:
    """Answer WAKE with itself, having done nothing."""

    @wraps(handler)
    def answered(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return dict(WAKE) if event == WAKE else handler(event, context)

    return answered
