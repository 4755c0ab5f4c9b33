"""Step Functions on one machine: JSONata state machines interpreted in simulated time.

`load` a definition, put it in a `StateMachine`, and `Executions.start` it in a `World`.
"""

from localcloud.asl.definition import load
from localcloud.asl.errors import DefinitionError, StatesError
from localcloud.asl.execution import Execution, StateMachine, World
from localcloud.asl.executions import ExecutionAlreadyExists, Executions
from localcloud.asl.model import Definition
from localcloud.asl.redrive import NotRedrivable, why_not
from localcloud.asl.tasks import Pattern, TaskRequest, TaskRunner, TaskTokens, TokenError

__all__ = [
    "Definition",
    "DefinitionError",
    "Execution",
    "ExecutionAlreadyExists",
    "Executions",
    "NotRedrivable",
    "Pattern",
    "StateMachine",
    "StatesError",
    "TaskRequest",
    "TaskRunner",
    "TaskTokens",
    "TokenError",
    "World",
    "load",
    "why_not",
]
