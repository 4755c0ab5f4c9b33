"""Loads an Amazon States Language definition, strictly.

What Step Functions would refuse is refused here, and so is every field that this
interpreter does not run: by name, with its place, when the machine is loaded.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.asl import graph, integrations, model
from localcloud.asl.errors import DefinitionError
from localcloud.asl.expressions import Template
from localcloud.asl.fields import Fields
from localcloud.asl.handling import (
    MAX_NAME,
    MAX_SECONDS,
    read_assign,
    read_catch,
    read_retry,
)
from localcloud.asl.resources import Kind, Pattern, parse_resource
from localcloud.asl.screening import INPUT_ONLY, WITH_RESULT, Allowed
from localcloud.asl.timestamps import parse_timestamp

EXPRESS_MAX_SECONDS = 300
"""An Express execution runs for at most five minutes (choosing-workflow-type.html)."""


def load(definition: str | Mapping[str, Any], *, express: bool = False) -> model.Definition:
    """Load a definition, given as JSON or as parsed JSON.

    Raises DefinitionError with the field's place for anything that Step Functions refuses
    or that is not run here.
    """
    if isinstance(definition, str):
        try:
            definition = json.loads(definition, object_pairs_hook=_no_duplicates)
        except json.JSONDecodeError as error:
            raise DefinitionError(f"The definition is not JSON: {error}") from error
    fields = Fields(definition, "")
    comment = fields.optional_text("Comment")
    if "QueryLanguage" not in fields:
        raise DefinitionError(
            "The field 'QueryLanguage' is missing: without it the language is JSONPath, "
            "and the local cloud runs JSONata only"
        )
    fields.one_of("QueryLanguage", ["JSONata"])
    if "Version" in fields:
        fields.one_of("Version", ["1.0"])
    limit = EXPRESS_MAX_SECONDS if express else MAX_SECONDS
    timeout_s = fields.whole("TimeoutSeconds", 0, 1, limit) if "TimeoutSeconds" in fields else None
    flow = _flow(fields, express)
    fields.close()
    graph.check(flow)
    return model.Definition(flow, express, timeout_s, comment)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise DefinitionError(f"The name '{name}' stands twice in one object")
        found[name] = value
    return found


def _flow(fields: Fields, express: bool) -> model.Flow:
    start_at, where = fields.text("StartAt"), fields.at("States")
    states = fields.take("States")
    if not isinstance(states, dict) or not states:
        raise DefinitionError("Expected an object with at least one state", where)
    return model.Flow(
        start_at,
        {name: _state(name, value, f"{where}/{name}", express) for name, value in states.items()},
    )


def _state(name: str, value: Any, location: str, express: bool) -> model.State:
    if not 0 < len(name) <= MAX_NAME:
        raise DefinitionError(f"A state's name has 1 to {MAX_NAME} characters", location)
    fields = Fields(value, location)
    kind = fields.one_of("Type", _READERS)
    fields.optional_text("Comment")
    if "QueryLanguage" in fields:
        fields.one_of("QueryLanguage", ["JSONata"])
    state = _READERS[kind](name, fields, express)
    fields.close()
    return state


def _common(
    name: str, fields: Fields, allowed: Allowed = INPUT_ONLY, assigns: bool = True
) -> dict[str, Any]:
    common: dict[str, Any] = {"name": name, "output": fields.template("Output", allowed)}
    if assigns:
        common["assign"] = read_assign(fields, allowed)
    return common


def _transition(fields: Fields) -> str | None:
    if ("Next" in fields) == ("End" in fields):
        raise DefinitionError("Exactly one of 'Next' and 'End' is needed", fields.location)
    if "Next" in fields:
        return fields.text("Next")
    if fields.take("End") is not True:
        raise fields.wrong("End", "Expected true")
    return None


def _pass(name: str, fields: Fields, _: bool) -> model.State:
    return model.Pass(next=_transition(fields), **_common(name, fields))


def _succeed(name: str, fields: Fields, _: bool) -> model.State:
    return model.Succeed(**_common(name, fields, assigns=False))


def _fail(name: str, fields: Fields, _: bool) -> model.State:
    error, cause = (_text_template(fields, field) for field in ("Error", "Cause"))
    return model.Fail(name=name, error=error, cause=cause)


def _text_template(fields: Fields, name: str) -> Template | None:
    found = fields.template(name, INPUT_ONLY)
    if found is not None and not isinstance(found.source, str):
        raise fields.wrong(name, "Expected a string")
    return found


def _wait(name: str, fields: Fields, _: bool) -> model.State:
    if ("Seconds" in fields) == ("Timestamp" in fields):
        raise DefinitionError("Exactly one of 'Seconds' and 'Timestamp' is needed", fields.location)
    seconds = fields.numeric("Seconds", INPUT_ONLY, 0, MAX_SECONDS)
    timestamp = _text_template(fields, "Timestamp")
    if timestamp is not None and timestamp.is_literal:
        try:
            parse_timestamp(timestamp.source)
        except ValueError as error:
            raise fields.wrong("Timestamp", str(error)) from error
    return model.Wait(
        next=_transition(fields), seconds=seconds, timestamp=timestamp, **_common(name, fields)
    )


def _choice(name: str, fields: Fields, _: bool) -> model.State:
    rules = tuple(
        _rule(rule, f"{fields.at('Choices')}[{index}]", f"Choices[{index}]/")
        for index, rule in enumerate(fields.items("Choices"))
    )
    return model.Choice(next=fields.optional_text("Default"), rules=rules, **_common(name, fields))


def _rule(value: Any, location: str, prefix: str) -> model.Rule:
    fields = Fields(value, location, prefix)
    fields.optional_text("Comment")
    condition = fields.template("Condition", INPUT_ONLY)
    if condition is None:
        raise DefinitionError("The field 'Condition' is missing", location)
    if condition.is_literal and not isinstance(condition.source, bool):
        raise fields.wrong("Condition", "Expected a JSONata expression")
    rule = model.Rule(
        condition,
        fields.text("Next"),
        read_assign(fields, INPUT_ONLY),
        fields.template("Output", INPUT_ONLY),
    )
    fields.close()
    return rule


def _task(name: str, fields: Fields, express: bool) -> model.State:
    arn = fields.text("Resource")
    try:
        resource = parse_resource(arn)
        integrations.check(resource)
    except ValueError as error:
        raise fields.wrong("Resource", str(error)) from error
    if express and resource.pattern is not Pattern.REQUEST_RESPONSE:
        raise fields.wrong(
            "Resource", f"Express workflows do not support '.{resource.pattern.value}'"
        )  # choosing-workflow-type.html
    timeout = fields.numeric("TimeoutSeconds", INPUT_ONLY, 1, MAX_SECONDS)
    heartbeat = fields.numeric("HeartbeatSeconds", INPUT_ONLY, 1, MAX_SECONDS)
    literal = timeout and heartbeat and timeout.is_literal and heartbeat.is_literal
    if literal and timeout and heartbeat and heartbeat.source >= timeout.source:
        raise fields.wrong("HeartbeatSeconds", "Must be smaller than TimeoutSeconds")
    arguments = fields.template("Arguments", INPUT_ONLY)
    if resource.kind is not Kind.FUNCTION and arguments is None:
        raise DefinitionError("The field 'Arguments' is missing", fields.location)
    return model.Task(
        next=_transition(fields),
        resource=resource,
        arguments=arguments,
        timeout_s=timeout,
        heartbeat_s=heartbeat,
        **_working(name, fields),
    )


def _parallel(name: str, fields: Fields, express: bool) -> model.State:
    branches = []
    for index, value in enumerate(fields.items("Branches")):
        branch = Fields(value, f"{fields.at('Branches')}[{index}]")
        branch.optional_text("Comment")
        branches.append(_flow(branch, express))
        branch.close()
    return model.Parallel(
        next=_transition(fields),
        arguments=fields.template("Arguments", INPUT_ONLY),
        branches=tuple(branches),
        **_working(name, fields),
    )


def _map(name: str, fields: Fields, express: bool) -> model.State:
    processor = Fields(fields.take("ItemProcessor"), fields.at("ItemProcessor"))
    processor.optional_text("Comment")
    if "ProcessorConfig" in processor:
        config = Fields(processor.take("ProcessorConfig"), processor.at("ProcessorConfig"))
        mode = config.one_of("Mode", ["INLINE", "DISTRIBUTED"])
        if mode == "DISTRIBUTED":
            raise config.wrong("Mode", "The Map mode 'DISTRIBUTED' is not run by the local cloud")
        config.close()
    flow = _flow(processor, express)
    processor.close()
    items = fields.template("Items", INPUT_ONLY)
    if items is not None and not isinstance(items.source, (list, str)):
        raise fields.wrong("Items", "Expected an array or a JSONata expression")
    return model.Map(
        next=_transition(fields),
        items=items,
        item_selector=fields.template("ItemSelector", INPUT_ONLY),
        processor=flow,
        max_concurrency=fields.numeric("MaxConcurrency", INPUT_ONLY, 0, MAX_SECONDS),
        tolerated_count=fields.numeric("ToleratedFailureCount", INPUT_ONLY, 0, MAX_SECONDS),
        tolerated_percentage=fields.numeric(
            "ToleratedFailurePercentage", INPUT_ONLY, 0, 100, whole=False
        ),
        **_working(name, fields),
    )


def _working(name: str, fields: Fields) -> dict[str, Any]:
    retry, catch = read_retry(fields), read_catch(fields)
    return {**_common(name, fields, WITH_RESULT), "retry": retry, "catch": catch}


_READERS: dict[str, Callable[[str, Fields, bool], model.State]] = {
    "Pass": _pass,
    "Task": _task,
    "Choice": _choice,
    "Wait": _wait,
    "Succeed": _succeed,
    "Fail": _fail,
    "Parallel": _parallel,
    "Map": _map,
}
