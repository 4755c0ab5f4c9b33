"""Reads the commands out of a message to a person, as their shell and the AWS CLI would."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.validate import ParamValidator

from tests.control.control_plane import MODELS

OPTION = {("stepfunctions", "output"): "--task-output"}
"""Options that the AWS CLI calls otherwise than the API does (awscli/customizations/argrename.py):
--output is its own."""


@dataclass(frozen=True)
class Command:
    """One `aws SERVICE OPERATION …`, checked against the service's model."""

    operation: str
    """As the SDK names it: `start_execution`."""
    region: str
    given: dict[str, Any]


def commands_in(message: str) -> list[Command]:
    """Every command of a message, one a line, in order."""
    return [read(line[line.index("aws ") :]) for line in message.splitlines() if "aws " in line]


def read(line: str) -> Command:
    """A command line; fails for what the AWS CLI would not take."""
    program, service, verb, *rest = shlex.split(line)
    assert program == "aws"
    assert len(rest) % 2 == 0, f"an option without its value: {line}"
    options = dict(zip(rest[::2], rest[1::2], strict=True))
    region = options.pop("--region")
    core: Any = botocore.session.Session()
    core.register_component("data_loader", MODELS)
    model = core.get_service_model(service)
    (operation,) = [name for name in model.operation_names if xform_name(name, "-") == verb]
    shape = model.operation_model(operation).input_shape
    given = {
        member: _value(shape.members[member], options.pop(option))
        for member in shape.members
        if (option := OPTION.get((service, member), f"--{xform_name(member, '-')}")) in options
    }
    assert options == {}, f"{verb} has no such options"
    problems = ParamValidator().validate(given, shape)
    assert not problems.has_errors(), problems.generate_report()
    return Command(xform_name(operation), region, given)


def _value(shape: Any, text: str) -> Any:
    """An option's value: text as it is, anything else from JSON."""
    return text if shape.type_name == "string" else json.loads(text)
