"""The Lambda service: real handlers, run from their sources in simulated time.

An execution environment is one fresh execution of the handler's module with the
function's own environment variables; it serves one invocation at a time, stays warm
until it has been idle for some minutes, and is made anew when none is free. That
isolates module-level state exactly as far as Lambda does, on one condition that the
contract page sets and a test holds: shared modules (`sidestep.core`, `sidestep.aws`)
keep no state.
"""

from __future__ import annotations

import contextvars
import importlib.util
import itertools
import json
import os
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from io import StringIO
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import simpy

from localcloud.calls.endpoint import Caller, current_caller
from localcloud.faults.overlapping import Newest
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network

COLD_START_S = 1.0, 2.5
"""Modelled, drawn for each environment: what a function needs before its first line runs. Importing
a handler was measured at 1.08 to 1.23 s of CPU, on a whole processor of this project's machine
(docs/deploy.md); the environment's making and a share of a processor come on top, and were not."""
WARM_START_S = 0.003
"""Modelled: what the service adds to each warm invocation."""
IDLE_KEPT_S = 300.0, 900.0
"""Chosen, drawn for each environment: so long it is kept idle. AWS says no more than "a
non-deterministic period of time"
(https://docs.aws.amazon.com/lambda/latest/operatorguide/execution-environments.html)."""
ACCOUNT_CONCURRENCY = 1000
"""Concurrent executions a Region by default
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""


class RuntimeStopped(BaseException):
    """Raised in a function's code to stop its runtime there; no `except Exception` outlives it."""


@dataclass(frozen=True)
class Function:
    """A deployed function: where its code is, as whom and with what it runs."""

    name: str
    region: str
    arn: str
    handler: str
    code: Path
    role_arn: str
    environ: Mapping[str, str]
    timeout_s: float = 3.0
    memory_mb: int = 128


@dataclass(frozen=True)
class Invocation:
    """What came of an invocation. `error` is None or Lambda's error object."""

    payload: Any
    error: dict[str, Any] | None
    duration_s: float
    output: str = ""
    untyped: bool = False
    """Whether who invoked it is told no errorType: of a runtime that was ended Lambda does not
    always say one, and Step Functions calls the error Lambda.Unknown then
    (https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html)."""


@dataclass
class LambdaContext:
    """The context object that a handler gets."""

    function_name: str
    memory_limit_in_mb: int
    invoked_function_arn: str
    aws_request_id: str
    deadline: float
    now: Callable[[], float]
    function_version: str = "$LATEST"
    log_group_name: str = ""
    log_stream_name: str = "local"

    def get_remaining_time_in_millis(self) -> int:
        """Simulated milliseconds until the function's time-out."""
        return max(0, int((self.deadline - self.now()) * 1000))


@dataclass
class _Environment:
    """An execution environment, from when it is asked for. `handle` is None until it is made."""

    cold_start_s: float
    kept_s: float
    handle: Callable[[Any, Any], Any] | None = None
    idle_since: float = 0.0


@dataclass
class _Deployed:
    function: Function
    chance: random.Random
    """The function's own, so that no other's invocations change its environments."""
    idle: list[_Environment] = field(default_factory=list)
    throttled: bool = False

    def environment(self, now: float) -> _Environment:
        """One that is idle, the last used first, or a new one. An environment is one invocation's
        from its arrival on: each of a burst needs its own."""
        self.idle = [kept for kept in self.idle if now - kept.idle_since < kept.kept_s]
        if self.idle:
            return self.idle.pop()
        return _Environment(self.chance.uniform(*COLD_START_S), self.chance.uniform(*IDLE_KEPT_S))


class Lambdas:
    """All functions of all Regions.

    `on_invocation(function, invocation)` hears each one's end: metrics and logs start there.
    """

    def __init__(self, kernel: Kernel, network: Network) -> None:
        self.kernel, self.network = kernel, network
        self.on_invocation: list[Callable[[Function, Invocation], None]] = []
        self.crashes: list[Callable[[Function], str | None]] = []
        """Faults: each may name the error type with which an invocation ends at once."""
        self.throttles: list[Callable[[Function], bool]] = []
        """Faults: each may refuse an invocation, as if the Region's concurrency were used up."""
        self.losses: list[Callable[[Function], bool]] = []
        """Faults: each may lose the answer of an invocation that is over."""
        self.clock_ahead_s: defaultdict[str, Newest[float]] = defaultdict(Newest)
        """Faults: Region → how far the clocks that its functions see are ahead."""
        self._functions: dict[tuple[str, str], _Deployed] = {}
        self._untyped = kernel.fork("errors without a type")
        self._requests = itertools.count(1)
        self._environments = itertools.count(1)
        self._concurrent: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        """How often a Region was lost: with it goes what was only starting."""
        self._running: dict[str, dict[simpy.Process, None]] = {}
        """No sets: those go by address, and so would the order in which a lost Region stops all."""

    def add(self, function: Function) -> None:
        """Deploy a function (again: a new deployment starts cold)."""
        chance = self.kernel.fork(f"environments of {function.name} in {function.region}")
        self._functions[function.region, function.name] = _Deployed(function, chance)

    def functions(self, region: str) -> list[Function]:
        """The functions of a Region."""
        return [d.function for (where, _), d in self._functions.items() if where == region]

    def throttle(self, region: str, name: str, on: bool = True) -> None:
        """As if the function's concurrency were used up."""
        self._functions[region, name].throttled = on

    def kill_all(self, region: str) -> None:
        """The Region is lost: whatever runs there stops where it stands, and nothing that was
        only starting comes to run."""
        self._lost[region] += 1
        for process in list(self._running.get(region, ())):
            if process.is_alive:
                process.interrupt("region lost")
        for (where, _), deployed in self._functions.items():
            if where == region:
                deployed.idle.clear()

    def invoke(self, region: str, name: str, payload: Any) -> Steps[Invocation]:
        """Invoke a function by name or ARN and wait for its end. Never raises for its errors."""
        short = name.rsplit(":function:", 1)[-1].split(":")[0]
        deployed = self._functions.get((region, short))
        started = float(self.kernel.env.now)
        if deployed is None:
            return _failed("ResourceNotFoundException", f"Function not found: {name}", 0.0)
        if region in self.network.down:
            return _failed("ServiceException", f"Lambda in {region} does not answer", 0.0)
        refuses = any(refuses(deployed.function) for refuses in self.throttles)
        if deployed.throttled or refuses or self._concurrent[region] >= ACCOUNT_CONCURRENCY:
            refused = _failed("TooManyRequestsException", "Rate Exceeded.", 0.0)
            self._tell(deployed.function, refused)
            return refused
        crash = next(
            (kind for crashes in self.crashes if (kind := crashes(deployed.function))), None
        )
        if crash is not None:
            yield self.kernel.env.timeout(WARM_START_S)
            broken = _failed(crash, "the function crashes", WARM_START_S)
            self._tell(deployed.function, broken)
            return broken
        self._concurrent[region] += 1
        try:
            invocation = yield from self._run(deployed, payload, started)
        finally:
            self._concurrent[region] -= 1
        self._tell(deployed.function, invocation)
        if any(lost(deployed.function) for lost in self.losses):
            # The service's own failure: the function's work is done all the same.
            return _failed("ServiceException", "the answer was lost", invocation.duration_s)
        return invocation

    def _tell(self, function: Function, invocation: Invocation) -> None:
        for listener in self.on_invocation:
            listener(function, invocation)

    def _run(self, deployed: _Deployed, payload: Any, started: float) -> Steps[Invocation]:
        function, env = deployed.function, self.kernel.env
        sent = json.loads(json.dumps(payload))
        environment = deployed.environment(float(env.now))
        handle, lost = environment.handle, self._lost[function.region]
        yield env.timeout(environment.cold_start_s if handle is None else WARM_START_S)
        if lost != self._lost[function.region]:
            stopped = _error("Runtime.ExitError", "the runtime was stopped: region lost")
            return self._cut_short(stopped, float(env.now) - started, StringIO())
        try:
            handle = environment.handle = handle or self._cold_start(function)
        except Exception as error:  # noqa: BLE001  # a broken module is an answer, as on Lambda
            return _failed("Runtime.ImportModuleError", f"{type(error).__name__}: {error}", 0.0)
        output = StringIO()
        context = LambdaContext(
            function_name=function.name,
            memory_limit_in_mb=function.memory_mb,
            invoked_function_arn=function.arn,
            aws_request_id=f"{next(self._requests):08x}-0000-4000-8000-000000000000",
            deadline=self.kernel.now + function.timeout_s,
            now=lambda: self.kernel.now,
            log_group_name=f"/aws/lambda/{function.name}",
        )
        work = env.process(self._work(function, handle, sent, context, output))
        running = self._running.setdefault(function.region, {})
        running[work] = None
        try:
            yield work | env.timeout(function.timeout_s)
        except simpy.Interrupt:
            if work.is_alive:
                work.interrupt("caller stopped")
            raise
        finally:
            running.pop(work, None)
        took = float(self.kernel.env.now) - started
        if not work.triggered:
            work.interrupt("time-out")
            words = f"Error: Task timed out after {function.timeout_s:.2f} seconds"
            failure = _error("Sandbox.Timedout", f"RequestId: {context.aws_request_id} {words}")
            return self._cut_short(failure, took, output)
        ended: Any = work.value
        result, failure = ended
        if failure is not None and failure["errorType"] == "Runtime.ExitError":
            return self._cut_short(failure, took, output)
        environment.idle_since = float(env.now)
        deployed.idle.append(environment)
        return Invocation(result, failure, took, output.getvalue())

    def _cut_short(self, failure: dict[str, Any], took: float, output: StringIO) -> Invocation:
        """The end of a runtime that did not come to its own. How often its type is told is not
        documented: half of the time here."""
        untyped = self._untyped.random() < 0.5
        return Invocation(None, failure, took, output.getvalue(), untyped)

    def _work(
        self,
        function: Function,
        entry: Callable[[Any, Any], Any],
        payload: Any,
        context: LambdaContext,
        output: StringIO,
    ) -> Steps[tuple[Any, dict[str, Any] | None]]:
        scope = contextvars.copy_context()
        scope.run(current_caller.set, Caller(function.region, function.role_arn, function.name))
        try:
            result = yield from self.kernel.call(
                entry,
                payload,
                context,
                environ=function.environ,
                stdout=output,
                context=scope,
                ahead_s=self.clock_ahead_s[function.region].value(0.0),
            )
            return json.loads(json.dumps(result)), None
        except RuntimeStopped as stopped:
            return None, _error("Runtime.ExitError", str(stopped))
        except simpy.Interrupt as cut:
            return None, _error("Runtime.ExitError", f"the runtime was stopped: {cut.cause}")
        except Exception as error:  # noqa: BLE001  # a handler's error is Lambda's answer
            return None, _error(type(error).__name__, str(error))

    def _cold_start(self, function: Function) -> Callable[[Any, Any], Any]:
        """A new execution environment: the handler's module, executed afresh."""
        module_name, _, attribute = function.handler.rpartition(".")
        source = function.code.joinpath(*module_name.split(".")).with_suffix(".py")
        unique = f"{module_name}__environment_{next(self._environments)}"
        spec = importlib.util.spec_from_file_location(unique, source)
        if spec is None or spec.loader is None or not source.exists():
            raise ImportError(f"no module {module_name} under the function's code")
        module = importlib.util.module_from_spec(spec)
        module.__package__ = module_name.rpartition(".")[0]
        code = _compiled(source, source.stat().st_mtime_ns)
        self._execute(lambda made: exec(code, vars(made)), module, function)
        entry: Callable[[Any, Any], Any] = getattr(module, attribute)
        return entry

    @staticmethod
    def _execute(run: Callable[[ModuleType], None], module: ModuleType, function: Function) -> None:
        environ, stdout = os.environ, sys.stdout
        sys.modules[module.__name__] = module  # dataclasses look their module up while it runs
        os.environ = dict(function.environ)  # type: ignore[assignment]  # noqa: B003  # the function's own
        sys.stdout = StringIO()
        try:
            run(module)
        finally:
            os.environ, sys.stdout = environ, stdout
            del sys.modules[module.__name__]


@lru_cache(maxsize=256)
def _compiled(source: Path, _modified_ns: int) -> CodeType:
    """A module's code, compiled once for all environments that execute it."""
    return compile(source.read_bytes(), str(source), "exec", dont_inherit=True)


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"errorType": kind, "errorMessage": message}


def _failed(kind: str, message: str, took: float, output: str = "") -> Invocation:
    return Invocation(None, _error(kind, message), took, output)
