"""Answers say that they are the first of their execution environment.

What is new is slow: the answer waited for the environment and its imports. That is no sign of a
slow Region, and who looks at the Region has to know one from the other (core/canaries.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sidestep.core.canaries import COLD_START

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def tells_cold_start(handler: Handler) -> Handler:
    """The handler, whose first answer has the header COLD_START; later ones do not have it.

    The handler's module keeps what this returns, so each environment has a first answer of its own.
    Powertools knows a cold start too, by a global of its shared module: in one process, as in the
    local cloud, only the first environment of all functions would be new.
    """
    new = True

    @wraps(handler)
    def told(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        nonlocal new
        first, new = new, False  # an invocation that raises has made the environment as well
        answer = handler(event, context)
        if first:
            answer["headers"] = {**answer["headers"], COLD_START: "true"}
        return answer

    return told
