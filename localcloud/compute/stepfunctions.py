"""The Step Functions API over our interpreter: moto keeps the machines, we run the executions."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from localcloud.asl import (
    Execution,
    ExecutionAlreadyExists,
    Executions,
    NotRedrivable,
    StateMachine,
    TaskRunner,
    TokenError,
    World,
    why_not,
)
from localcloud.calls.endpoint import ACCOUNT, ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.faults.overlapping import Overlapping
from localcloud.kernel import Kernel
from localcloud.network.reach import Network

MAX_NAME = 80
"""Characters of an execution's name (API_StartExecution)."""
_FORBIDDEN = frozenset(' <>{}[]?*"#%\\^|~`$&,;:/')
"""Characters that API_StartExecution forbids in a name, besides control characters."""

FREEZES = 0.5
"""Of the losses of a Region: those after which its executions go on where they stood."""

TOKEN_VALID_S = 15 * 60
TOKENS_KEPT = 10
"""A redrive's client token is remembered so long, and so many of them (API_RedriveExecution)."""

Transitioned = Callable[[str, Execution, str, str], None]
"""(Region, execution, "entered" or "exited", state)."""


class StepFunctions:
    """Executions of every Region's state machines.

    `on_status` hears (Region, execution) at its start and at its end; `on_transition` each
    state entered and left.
    """

    def __init__(
        self,
        kernel: Kernel,
        network: Network,
        endpoint: Endpoint,
        runner: Callable[[str], TaskRunner],
    ) -> None:
        self.kernel, self.network = kernel, network
        self.on_status: list[Callable[[str, Execution], None]] = []
        self._slow: dict[str, list[float]] = {}
        self.on_transition: list[Transitioned] = []
        self.unavailable = Overlapping[str]()
        """Regions whose Step Functions API answers errors (a fault)."""
        self._chance = kernel.fork("lost executions")
        self._runner = runner
        self._machines: dict[str, StateMachine] = {}
        self._regions: dict[str, Executions] = {}
        self._worlds: dict[str, World] = {}
        self._redrives: dict[str, dict[str, float]] = {}
        """By an execution's ARN, its redrives' client tokens and when each was."""
        self._ids = itertools.count(1)
        for operation, answer in {
            "StartExecution": self._start,
            "StartSyncExecution": self._start_sync,
            "DescribeExecution": self._describe,
            "ListExecutions": self._list,
            "GetExecutionHistory": self._history,
            "StopExecution": self._stop,
            "RedriveExecution": self._redrive,
            "SendTaskSuccess": self._success,
            "SendTaskFailure": self._failure,
            "SendTaskHeartbeat": self._heartbeat,
        }.items():
            endpoint.answers("stepfunctions", operation)(self._when_available(answer))

    # -- for the local cloud ---------------------------------------------------------------

    def add(self, machine: StateMachine) -> None:
        """Make a state machine ready to be started."""
        self._machines[machine.arn] = machine

    def start(self, machine_arn: str, given: Any, name: str | None = None) -> Execution:
        """Start an execution. Raises AwsError as the API would."""
        machine = self._machine(machine_arn)
        region = _region_of(machine_arn)
        if name is not None and (not 1 <= len(name) <= MAX_NAME or _FORBIDDEN & set(name)):
            raise AwsError("InvalidName", f"Invalid Name: {name!r}")
        executions = self._executions(region)
        known = len(executions.all(machine_arn))
        try:
            execution = executions.start(machine, given, name)
        except ExecutionAlreadyExists as taken:
            raise AwsError("ExecutionAlreadyExists", str(taken)) from None
        if len(executions.all(machine_arn)) > known:
            self._begun(region, execution)
        return execution

    def executions(self, machine_arn: str | None = None) -> list[Execution]:
        """All executions, of one machine or of all, newest first within a Region."""
        return [e for known in self._regions.values() for e in known.all(machine_arn)]

    def lose(self, region: str, for_good: bool = False) -> None:
        """The Region is lost with its executions; `for_good`: they have ended, whatever happens.

        What happens to them when it comes back is not documented (Step Functions keeps state
        across Availability Zones, not Regions). So each loss draws one of two: they have ended
        where they stood, which is hard on a failover that counts on its own end; or they stand
        still and go on then, which is hard on fencing, since another has taken over. Express
        executions, kept in memory, end in any case.
        """
        freezes = not for_good and self._chance.random() < FREEZES
        executions = self._executions(region).all()
        world = self._worlds[region]
        for execution in executions:
            if not freezes or execution.machine.definition.express:
                execution.stop("States.Runtime", f"{region} is lost")
        if freezes and world.frozen is None:
            world.frozen = self.kernel.env.event()
        self.kernel.log("executions", region=region, freeze=freezes)

    def regain(self, region: str) -> None:
        """The Region is back: what stood still goes on."""
        self._executions(region)
        world = self._worlds[region]
        frozen, world.frozen = world.frozen, None
        if frozen is not None:
            frozen.succeed()

    def slow_down(self, region: str, extra_s: float) -> Callable[[], None]:
        """A fault: each state transition of the Region's executions takes so many seconds more.

        What is returned ends it.
        """
        self._executions(region)
        world, slow = self._worlds[region], self._slow.setdefault(region, [])

        def become() -> None:
            world.transition_s = sum(slow)

        def end() -> None:
            slow.remove(extra_s)
            become()

        slow.append(extra_s)
        become()
        return end

    def _begun(self, region: str, execution: Execution) -> None:
        self._tell(region, execution)
        self.kernel.process(self._follow(region, execution))

    def _follow(self, region: str, execution: Execution) -> Any:
        yield execution.done
        self._tell(region, execution)

    def _tell(self, region: str, execution: Execution) -> None:
        for listener in self.on_status:
            listener(region, execution)

    def _executions(self, region: str) -> Executions:
        if region not in self._regions:
            self._worlds[region] = self._world(region)
            self._regions[region] = Executions(self._worlds[region])
        return self._regions[region]

    def _world(self, region: str) -> World:
        def heard(execution: Execution, transition: Any) -> None:
            for listener in self.on_transition:
                listener(region, execution, transition.moment, transition.state)

        return World(
            env=self.kernel.env,
            runner=self._runner(region),
            now=lambda: self.kernel.now,
            random=self.kernel.fork(f"stepfunctions {region}"),
            new_id=lambda: f"{next(self._ids):08x}-0000-4000-8000-{self.kernel.seed:012x}",
            on_transition=heard,
        )

    # -- the API ---------------------------------------------------------------------------

    def _when_available(
        self, answer: Callable[[ApiCall], Mapping[str, Any]]
    ) -> Callable[[ApiCall], Mapping[str, Any]]:
        def guarded(call: ApiCall) -> Mapping[str, Any]:
            if call.region in self.unavailable:
                raise AwsError("ServiceUnavailable", "Step Functions is unavailable", 503)
            return answer(call)

        return guarded

    def _start(self, call: ApiCall) -> Mapping[str, Any]:
        given = _json_input(call.params.get("input", "{}"))
        execution = self.start(call.params["stateMachineArn"], given, call.params.get("name"))
        return {"executionArn": execution.arn, "startDate": _date(execution.start_date)}

    def _start_sync(self, call: ApiCall) -> Mapping[str, Any]:
        machine = self._machine(call.params["stateMachineArn"])
        if not machine.definition.express:
            raise AwsError("StateMachineTypeNotSupported", "only Express machines run in sync")
        given = _json_input(call.params.get("input", "{}"))
        execution = self.start(machine.arn, given, call.params.get("name"))
        self.kernel.finish(_until(execution))
        return {
            **self._described(execution),
            "billingDetails": {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 100},
        }

    def _describe(self, call: ApiCall) -> Mapping[str, Any]:
        return self._described(self._execution(call))

    def _described(self, execution: Execution) -> dict[str, Any]:
        described = {
            "executionArn": execution.arn,
            "stateMachineArn": execution.machine.arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": _date(execution.start_date),
            "input": json.dumps(execution.input),
        }
        if not execution.machine.definition.express:
            described |= _redrive_status(execution)
        if execution.stop_date is not None:
            described["stopDate"] = _date(execution.stop_date)
        if execution.status == "SUCCEEDED":
            described["output"] = json.dumps(execution.output)
        if execution.error is not None:
            described["error"] = execution.error
        if execution.cause is not None:
            described["cause"] = execution.cause
        return described

    def _list(self, call: ApiCall) -> Mapping[str, Any]:
        machine = self._machine(call.params["stateMachineArn"])
        if machine.definition.express:
            # API_ListExecutions: "not supported by EXPRESS state machines".
            raise AwsError("StateMachineTypeNotSupported", "Express executions are not listed")
        wanted = call.params.get("statusFilter")
        listed = [
            {
                "executionArn": e.arn,
                "stateMachineArn": machine.arn,
                "name": e.name,
                "status": e.status,
                "startDate": _date(e.start_date),
                **({"stopDate": _date(e.stop_date)} if e.stop_date is not None else {}),
                **_redrives_of(e),
            }
            for e in self._executions(call.region).all(machine.arn)
            if wanted in (None, e.status)
        ]
        page, token = _page(listed, call.params)
        return {"executions": page, **token}

    def _history(self, call: ApiCall) -> Mapping[str, Any]:
        events = list(self._execution(call).history.events)
        if call.params.get("reverseOrder"):
            events.reverse()
        page, token = _page(events, call.params)
        return {"events": page, **token}

    def _stop(self, call: ApiCall) -> Mapping[str, Any]:
        execution = self._execution(call)
        execution.stop(call.params.get("error"), call.params.get("cause"))
        return {"stopDate": _date(execution.stop_date or self.kernel.now)}

    def _redrive(self, call: ApiCall) -> Mapping[str, Any]:
        execution, now = self._execution(call), self.kernel.now
        known = self._redrives.setdefault(execution.arn, {})
        token = call.params.get("clientToken")
        if token in known and now - known[token] <= TOKEN_VALID_S:
            return {"redriveDate": _date(known[token])}
        try:
            execution.redrive()
        except NotRedrivable as refused:
            raise AwsError("ExecutionNotRedrivable", str(refused)) from None
        if token is not None:
            known[token] = now
            for oldest in list(known)[:-TOKENS_KEPT]:
                del known[oldest]
        self._begun(call.region, execution)
        return {"redriveDate": _date(now)}

    def _success(self, call: ApiCall) -> Mapping[str, Any]:
        token, output = call.params["taskToken"], call.params["output"]
        return self._callback(call, lambda tokens: tokens.send_task_success(token, output))

    def _failure(self, call: ApiCall) -> Mapping[str, Any]:
        params = call.params
        return self._callback(
            call,
            lambda tokens: tokens.send_task_failure(
                params["taskToken"], params.get("error"), params.get("cause")
            ),
        )

    def _heartbeat(self, call: ApiCall) -> Mapping[str, Any]:
        token = call.params["taskToken"]
        return self._callback(call, lambda tokens: tokens.send_task_heartbeat(token))

    def _callback(self, call: ApiCall, send: Callable[[Any], None]) -> Mapping[str, Any]:
        self._executions(call.region)
        try:
            send(self._worlds[call.region].tokens)
        except TokenError as refused:
            raise AwsError(refused.code, str(refused)) from None
        return {}

    def _machine(self, arn: str) -> StateMachine:
        machine = self._machines.get(arn)
        if machine is None:
            raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return machine

    def _execution(self, call: ApiCall) -> Execution:
        arn = call.params["executionArn"]
        execution = self._executions(call.region).find(arn)
        if execution is None or execution.machine.definition.express:
            raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return execution


def machine_arn(region: str, name: str) -> str:
    """The ARN of a state machine of the local cloud."""
    return f"arn:aws:states:{region}:{ACCOUNT}:stateMachine:{name}"


def _region_of(arn: str) -> str:
    return arn.split(":")[3]


def _json_input(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise AwsError(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: {error}"
        ) from None


def _date(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _redrives_of(execution: Execution) -> dict[str, Any]:
    at = execution.redrive_date
    return {
        "redriveCount": execution.redrive_count,
        **({"redriveDate": _date(at)} if at is not None else {}),
    }


def _redrive_status(execution: Execution) -> dict[str, Any]:
    reason = why_not(execution)
    if reason is None:
        return {**_redrives_of(execution), "redriveStatus": "REDRIVABLE"}
    told = {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
    return {**_redrives_of(execution), **told}


def _until(execution: Execution) -> Any:
    if execution.status == "RUNNING":
        yield execution.done


def _page(rows: list[Any], params: Mapping[str, Any]) -> tuple[list[Any], dict[str, str]]:
    """A page of rows; the token is the place to go on from (opaque to callers)."""
    size = int(params.get("maxResults") or 100)
    token = params.get("nextToken") or "0"
    if not str(token).isdigit():
        raise AwsError("InvalidToken", f"Invalid Token: '{token}'")
    first = int(token)
    rest = first + size
    return rows[first:rest], ({"nextToken": str(rest)} if rest < len(rows) else {})
