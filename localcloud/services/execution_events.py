"""The event that a Standard execution puts on the default bus when its status changes.

https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localcloud.asl import Execution


def execution_status_change(execution: Execution) -> Mapping[str, Any]:
    """The event, without what the bus adds (id, account, time, Region)."""
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "resources": [execution.arn],
        "detail": {
            "executionArn": execution.arn,
            "stateMachineArn": execution.machine.arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": int(execution.start_date * 1000),
            "stopDate": None if execution.stop_date is None else int(execution.stop_date * 1000),
            "input": json.dumps(execution.input),
            "output": json.dumps(execution.output) if execution.status == "SUCCEEDED" else None,
            "inputDetails": {"included": True},
            "outputDetails": {"included": True} if execution.status == "SUCCEEDED" else None,
            "error": execution.error,
            "cause": execution.cause,
        },
    }
