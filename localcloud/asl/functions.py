"""The functions Step Functions adds to JSONata, and those of JSONata that ask time or chance.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
(JSONata functions provided by Step Functions)
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from jsonata import Functions, Jsonata, Utils

STEP_FUNCTIONS_EXTRAS = frozenset({"partition", "range", "hash", "random", "uuid", "parse"})

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384",
               "SHA-512": "sha512"}  # fmt: skip


def functions(now: Callable[[], float], chance: random.Random) -> Mapping[str, Any]:
    """The functions as bindings for an evaluation; `now` gives epoch seconds.

    `$now` and `$millis` ask the simulated clock; `$random`, `$shuffle` and `$uuid` draw from
    `chance`, so that one seed gives one history.
    """

    def millis() -> int:
        return int(now() * 1000)

    def now_text(picture: Any = None, zone: Any = None) -> Any:
        return Functions.datetime_from_millis(millis(), picture, zone)

    def draw(seed: Any = None) -> float:
        return chance.random() if seed is None else random.Random(_whole(seed, "random")).random()

    def shuffle(items: Any = None) -> Any:
        if items is None:
            return None
        shuffled = list(_array(items, "shuffle"))
        chance.shuffle(shuffled)
        return Utils.create_sequence_from_iter(shuffled)

    def make_uuid() -> str:
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))

    plain: dict[str, Callable[..., Any]] = {
        "millis": millis,
        "now": now_text,
        "random": draw,
        "shuffle": shuffle,
        "uuid": make_uuid,
        "partition": _partition,
        "range": _range,
        "hash": _hash,
        "parse": _parse,
    }
    return {name: Jsonata.JLambda(function) for name, function in plain.items()}


def _partition(items: Any = None, size: Any = None) -> Any:
    """`items` in chunks of `size`; undefined for nothing to divide or a size below one."""
    if items is None or size is None:
        return None
    whole, chunk = _array(items, "partition"), _whole(size, "partition")
    if chunk < 1 or not whole:
        return None
    return [list(whole[start : start + chunk]) for start in range(0, len(whole), chunk)]


def _range(first: Any = None, last: Any = None, step: Any = None) -> Any:
    """From `first` to `last`, inclusive, by `step`; undefined when the step leads away."""
    if first is None or last is None or step is None:
        return None
    start, end, stride = (_whole(value, "range") for value in (first, last, step))
    if stride == 0:
        return None
    values = list(range(start, end + (1 if stride > 0 else -1), stride))
    return Utils.create_sequence_from_iter(values) if values else None


def _hash(data: Any = None, algorithm: Any = None) -> str | None:
    """Hex digest of a string by MD5, SHA-1, SHA-256, SHA-384 or SHA-512."""
    if data is None or algorithm is None:
        return None
    if not isinstance(data, str):
        raise ValueError("the first argument of $hash must be a string")
    if algorithm not in _ALGORITHMS:
        raise ValueError(f"$hash does not know the algorithm '{algorithm}'")
    return hashlib.new(_ALGORITHMS[algorithm], data.encode(), usedforsecurity=False).hexdigest()


def _parse(text: Any = None) -> Any:
    """The JSON value written in a string."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise ValueError("the argument of $parse must be a string")
    value = json.loads(text)
    return Utils.NULL_VALUE if value is None else value


def _array(value: Any, function: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"the first argument of ${function} must be an array")
    return value


def _whole(value: Any, function: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"${function} takes numbers, not {value!r}")
    return math.trunc(value)
