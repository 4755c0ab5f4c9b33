"""Task arguments as botocore parameters, and botocore's answers as Task results.

https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html:
parameters and results are PascalCase, timestamps are ISO 8601 strings, blobs are strings.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from botocore.validate import ParamValidator

from localcloud.asl.errors import RUNTIME, StatesError
from localcloud.asl.expressions import to_json
from localcloud.asl.services import pascal
from localcloud.asl.timestamps import format_timestamp


def to_params(shape: Any, arguments: Any, texts: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Arguments as parameters of a botocore operation with the input `shape`.

    `texts` are members that take any JSON and send it as JSON text (optimized integrations).
    Raises StatesError (States.Runtime) for what the operation does not take, by name.
    """
    if not isinstance(arguments, dict):
        raise _refused("Arguments must be an object")
    params = _inward(shape, arguments, "", texts) if shape is not None else dict(arguments)
    assert isinstance(params, dict)
    if shape is not None:
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            raise _refused(report.generate_report())
    return params


def _inward(shape: Any, value: Any, path: str, texts: frozenset[str]) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return _structure(shape, value, path, texts)
    if kind == "list" and isinstance(value, list):
        return [_inward(shape.member, item, f"{path}[]", texts) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {
            key: _inward(shape.value, item, f"{path}/{key}", texts) for key, item in value.items()
        }
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    if kind == "string" and not isinstance(value, str):
        raise _refused(f"The value for the field '{path.rpartition('/')[2]}' must be a STRING")
    return value


def _structure(shape: Any, value: dict[str, Any], path: str, texts: frozenset[str]) -> Any:
    names = {pascal(member): member for member in shape.members}
    found: dict[str, Any] = {}
    for key, item in value.items():
        # The model's own spelling is taken too: optimized integrations use it (`BOOL`, `SSEType`).
        member = key if key in shape.members and key[0].isupper() else names.get(key)
        if member is None:
            raise _refused(f"The field '{key}' is not supported by Step Functions")
        inner = shape.members[member]
        if member in texts and not isinstance(item, str):
            text = to_json(item)
            found[member] = text.encode() if inner.type_name == "blob" else text
        else:
            found[member] = _inward(inner, item, f"{path}/{key}", texts)
    return found


def to_result(shape: Any, output: Any, *, rename: bool, millis: bool = False) -> Any:
    """An operation's output with the output `shape` as a Task's result: plain JSON.

    `rename` writes members as the AWS SDK integration does; otherwise as the model does.
    `millis` writes timestamps as epoch milliseconds instead of ISO 8601.
    """
    if shape is None:
        return {}
    kind = shape.type_name
    if kind == "structure" and isinstance(output, dict):
        return {
            pascal(member) if rename else member: to_result(
                inner, output[member], rename=rename, millis=millis
            )
            for member, inner in shape.members.items()
            if member in output
        }
    if kind == "list" and isinstance(output, (list, tuple, set)):
        return [to_result(shape.member, item, rename=rename, millis=millis) for item in output]
    if kind == "map" and isinstance(output, dict):
        return {
            key: to_result(shape.value, item, rename=rename, millis=millis)
            for key, item in output.items()
        }
    if isinstance(output, datetime):
        epoch_s = output.timestamp()
        return round(epoch_s * 1000) if millis else format_timestamp(epoch_s)
    return text_of(output) if kind == "blob" else output


def text_of(blob: Any) -> str:
    """Bytes, a botocore stream or a string, as text."""
    raw = blob.read() if hasattr(blob, "read") else blob
    return raw.decode() if isinstance(raw, bytes) else str(raw)


def _refused(words: str) -> StatesError:
    return StatesError(RUNTIME, f"The Arguments could not be used to start the Task: [{words}]")
