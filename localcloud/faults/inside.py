"""Faults inside the control plane's own work: calls, functions, workflows and events gone wrong.

Each lets a share of what it strikes go wrong, by a stream of chance of its own. What a workflow's
crash cut short, and which function was killed at which call, is in the history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud.asl import Execution
from localcloud.calls.endpoint import ApiCall
from localcloud.calls.wire import AwsError
from localcloud.cloud import LocalCloud
from localcloud.compute.lambdas import Function, RuntimeStopped
from localcloud.faults.on_calls import CallFault
from localcloud.iam.judge import refusal_of
from localcloud.scenario import Fault

End = Callable[[], None]
LATE_UP_TO_S = 60.0
"""How long after its caller gave up a late request may be done at most: modelled, AWS tells none.
A request has to reach AWS within five minutes of the time in its signature
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html), so that one of these is
not refused for its age."""
_WORKFLOWS = ("failover", "recovery", "drill", "observe")
# How each service throttles, of botocore's own list of codes that it tries again after
# (botocore/retries/standard.py, ThrottledRetryableChecker).
_THROTTLES = {
    "lambda": "TooManyRequestsException",
    "route53": "Throttling",
    "cloudwatch": "Throttling",
    "sns": "Throttling",
    "sqs": "RequestThrottled",
}


def workflow_crash(cloud: LocalCloud, fault: Fault) -> End:
    """Executions of our workflows end where they stand, at a state's entry or exit."""
    share, chance = _share_of(cloud, fault)
    names = {f"sidestep-{cloud.topology.application}-{name}": name for name in _WORKFLOWS}

    def crash(region: str, execution: Execution, moment: str, state: str) -> None:
        machine = names.get(execution.machine.name)
        if machine is None or execution.status != "RUNNING" or chance() >= share:
            return
        told = {"execution": execution.name, "machine": machine, "region": region}
        cloud.kernel.log("crash", **told, moment=moment, state=state)
        execution.stop("States.Runtime", f"crashed as {state} was {moment}")

    cloud.stepfunctions.on_transition.append(crash)
    return lambda: cloud.stepfunctions.on_transition.remove(crash)


def workflow_slow(cloud: LocalCloud, fault: Fault) -> End:
    """The Region's executions go on late: by a lease's length, if need be."""
    return cloud.stepfunctions.slow_down(fault.region, float(fault.settings["extra_s"]))


def api_errors(cloud: LocalCloud, fault: Fault) -> End:
    """AWS calls from the Region's functions and workflows go wrong."""
    service, how = str(fault.settings["service"]), str(fault.settings["how"])
    share = float(fault.settings["share"])
    services = _SERVICES if service == "any" else (service,)
    struck = [
        cloud.endpoint.faults.add(
            CallFault(
                service=name,
                caller=fault.region,
                share=share,
                error=_error(name, how),
                lose_request=how == "timeout",
                lose_response=how == "lost-answer",
                late_up_to_s=LATE_UP_TO_S if how == "late" else 0.0,
            )
        )
        for name in services
    ]

    def end() -> None:
        for one in struck:
            cloud.endpoint.faults.remove(one)

    return end


_SERVICES = (
    *("cloudwatch", "dynamodb", "events", "lambda"),
    *("route53", "sns", "sqs", "stepfunctions"),
)


def _error(service: str, how: str) -> AwsError | None:
    if how == "throttled":
        return AwsError(_THROTTLES.get(service, "ThrottlingException"), "Rate exceeded", 400)
    if how == "error":
        return AwsError("InternalServerError", "an internal error", 500)
    if how == "denied":
        code, status = refusal_of(service)
        return AwsError(code, "not authorized, for a while", status)
    return None


def lambda_lost(cloud: LocalCloud, fault: Fault) -> End:
    """Functions of the Region do all their work, and who invoked them hears an error."""
    share, chance = _share_of(cloud, fault)

    def lose(function: Function) -> bool:
        return function.region == fault.region and chance() < share

    cloud.lambdas.losses.append(lose)
    return lambda: cloud.lambdas.losses.remove(lose)


def lambda_throttled(cloud: LocalCloud, fault: Fault) -> End:
    """A share of the invocations of the Region's functions is refused."""
    share, chance = _share_of(cloud, fault)

    def refuse(function: Function) -> bool:
        return function.region == fault.region and chance() < share

    cloud.lambdas.throttles.append(refuse)
    return lambda: cloud.lambdas.throttles.remove(refuse)


def lambda_killed(cloud: LocalCloud, fault: Fault) -> End:
    """Functions of the Region are stopped at one of their AWS calls: before or after it is done."""
    share, chance = _share_of(cloud, fault)
    functions = {function.name for function in cloud.lambdas.functions(fault.region)}

    def kill(call: ApiCall, done: bool) -> None:
        # Each call is looked at twice, before and after: half of the share at each.
        if call.caller.region != fault.region or call.caller.name not in functions:
            return
        if chance() < share / 2:
            when = "after" if done else "before"
            told = {"function": call.caller.name, "region": fault.region}
            cloud.kernel.log("killed", **told, when=when, call=f"{call.service}:{call.operation}")
            raise RuntimeStopped(f"killed {when} {call.service} {call.operation}")

    cloud.endpoint.at_calls.append(kill)
    return lambda: cloud.endpoint.at_calls.remove(kill)


def events_late(cloud: LocalCloud, fault: Fault) -> End:
    """Events wait before they are delivered, each for a time of its own: order is lost too."""
    delivery, extra = cloud.services.events.delivery, float(fault.settings["extra_s"])
    delivery.late_s.append(extra)
    return lambda: delivery.late_s.remove(extra)


def _share_of(cloud: LocalCloud, fault: Fault) -> tuple[float, Callable[[], float]]:
    chance: Any = cloud.kernel.fork(f"{fault.kind} {fault.region} {fault.at_s}")
    return float(fault.settings["share"]), chance.random
