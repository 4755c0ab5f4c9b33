"""The Resource of a Task: which service does what, and what Step Functions waits for.

https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Pattern(Enum):
    """What the Task waits for after its call."""

    REQUEST_RESPONSE = ""
    SYNC = "sync"
    SYNC_2 = "sync:2"
    WAIT_FOR_TASK_TOKEN = "waitForTaskToken"


class Kind(Enum):
    """How the call is made: which rules its parameters, result and errors follow."""

    FUNCTION = "function"
    OPTIMIZED = "optimized"
    AWS_SDK = "aws-sdk"


@dataclass(frozen=True)
class Resource:
    """A Task's Resource. `service` as the ARN names it (`lambda`, `sfn`); `action` lowerCamel."""

    arn: str
    kind: Kind
    service: str
    action: str
    pattern: Pattern = Pattern.REQUEST_RESPONSE

    @property
    def history_type(self) -> str:
        """`resourceType` in history events: `lambda`, `aws-sdk:dynamodb`."""
        return f"aws-sdk:{self.service}" if self.kind is Kind.AWS_SDK else self.service

    @property
    def history_resource(self) -> str:
        """`resource` in history events: `invoke`, `startExecution.sync:2`."""
        return f"{self.action}.{self.pattern.value}" if self.pattern.value else self.action


_PLAIN, _TOKEN = Pattern.REQUEST_RESPONSE, Pattern.WAIT_FOR_TASK_TOKEN
OPTIMIZED: dict[tuple[str, str], frozenset[Pattern]] = {
    ("lambda", "invoke"): frozenset({_PLAIN, _TOKEN}),
    ("dynamodb", "getItem"): frozenset({_PLAIN}),
    ("dynamodb", "putItem"): frozenset({_PLAIN}),
    ("dynamodb", "updateItem"): frozenset({_PLAIN}),
    ("dynamodb", "deleteItem"): frozenset({_PLAIN}),
    ("events", "putEvents"): frozenset({_PLAIN, _TOKEN}),
    ("sns", "publish"): frozenset({_PLAIN, _TOKEN}),
    ("sqs", "sendMessage"): frozenset({_PLAIN, _TOKEN}),
    ("states", "startExecution"): frozenset(Pattern),
}
"""The optimized integrations this interpreter runs, and the patterns each has
(integrate-optimized.html)."""

AWS_SDK_PATTERNS = frozenset({_PLAIN, _TOKEN})
"""supported-services-awssdk.html: no .sync for AWS SDK integrations."""

_FUNCTION = re.compile(r"arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:[\w-]+(:[\w$-]+)?")
_INTEGRATION = re.compile(
    r"arn:aws[\w-]*:states:::(?P<sdk>aws-sdk:)?(?P<service>\w+):(?P<action>\w+)"
    r"(\.(?P<pattern>.+))?"
)


def parse_resource(arn: str) -> Resource:
    """Raises ValueError for a resource this interpreter does not run, with its name."""
    if _FUNCTION.fullmatch(arn):
        return Resource(arn, Kind.FUNCTION, "lambda", "invoke")
    match = _INTEGRATION.fullmatch(arn)
    if match is None:
        raise ValueError(f"The resource '{arn}' is not supported")
    kind = Kind.AWS_SDK if match["sdk"] else Kind.OPTIMIZED
    service, action = match["service"], match["action"]
    try:
        pattern = Pattern(match["pattern"] or "")
    except ValueError:
        raise ValueError(f"The pattern '.{match['pattern']}' of '{arn}' does not exist") from None
    if kind is Kind.AWS_SDK:
        patterns = AWS_SDK_PATTERNS
    else:
        known = OPTIMIZED.get((service, action))
        if known is None:
            raise ValueError(f"The optimized integration '{service}:{action}' is not supported")
        patterns = known
    if pattern not in patterns:
        raise ValueError(f"The integration '{service}:{action}' has no '.{pattern.value}'")
    return Resource(arn, kind, service, action, pattern)
