"""Work that moto and botocore do for every call and that changes no answer here, done once.

Signatures and user agents are for somebody who checks them: nobody does in the local cloud.
Where a member of an answer may be found in moto's objects depends on types alone. And moto
weighs a whole item anew for each attribute that it sets, and copies each value once a level.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import botocore
from botocore.client import BaseClient
from botocore.useragent import UserAgentString
from moto.core import responses
from moto.core.serialize import XFormedAttributePicker
from moto.dynamodb.models.dynamo_type import DynamoType, LimitedSizeDict

from localcloud.direct import Carry, DirectWay

_USER_AGENT = "local cloud"
SCOPE = "AWS4-HMAC-SHA256 Credential=local/20260101/{region}/{service}/aws4_request"
"""What is left of a signature: moto reads the Region from it."""


class _RememberingPicker(XFormedAttributePicker):  # type: ignore[misc]  # moto is not typed for us
    """moto's search for a member's value, with the names to try worked out once a type."""

    _names: dict[tuple[Any, ...], tuple[str, ...]] = {}  # noqa: RUF012  # a cache of pure facts

    def get_possible_keys(self, context: Any) -> Iterator[str]:
        shape = context.shape
        parent = getattr(shape, "parent", None)
        of = (type(context.obj), context.key, getattr(shape, "name", None), parent and parent.name)
        names = self._names.get(of)
        if names is None:
            names = self._names[of] = tuple(dict.fromkeys(super().get_possible_keys(context)))
        return iter(names)


_HEAVY = 200_000
"""Bytes of an item from which on moto's own weighing is asked (its limit is 405,000)."""
_weigh_all = LimitedSizeDict.__setitem__
_binary_json = DynamoType.to_regular_json


def _set_attribute(item: Any, key: str, value: Any) -> None:
    """Set an attribute of an item, weighing only what is new while the item is light."""
    weight = len(key) + (value.size() if isinstance(value, DynamoType) else len(str(value)))
    known = getattr(item, "weighed", None)
    if known is None:
        known = sum(
            len(k) + (v.size() if isinstance(v, DynamoType) else 0) for k, v in item.items()
        )
    item.weighed = known + weight
    if item.weighed > _HEAVY:
        _weigh_all(item, key, value)
    else:
        dict.__setitem__(item, key, value)


def _regular_json(value: Any) -> dict[str, Any]:
    """A typed value as JSON of its own, copied once."""
    if value.is_binary():
        return dict(_binary_json(value))
    return {value.type: _copied(value.value)}


def _copied(value: Any) -> Any:
    if isinstance(value, DynamoType):
        return _regular_json(value)
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_copied(one) for one in value]
    return copy.deepcopy(value)


class Shortcuts:
    """Takes the short ways while a local cloud is open."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def open(self) -> None:
        """From now on."""
        self._replace(UserAgentString, "to_string", lambda _: _USER_AGENT)
        self._replace(responses, "XFormedAttributePicker", _RememberingPicker)
        self._replace(LimitedSizeDict, "__setitem__", _set_attribute)
        self._replace(DynamoType, "to_regular_json", _regular_json)

    def replace_call(self, carry: Carry) -> None:
        """Frequent calls of every client skip HTTP: `carry` answers them."""
        ordinary: Any = vars(BaseClient)["_make_api_call"]  # botocore has no hook for it
        way = DirectWay(ordinary, carry)
        self._replace(BaseClient, "_make_api_call", lambda *call: way.call(*call))

    def close(self) -> None:
        """Everything as it was."""
        while self._undo:
            self._undo.pop()()

    def _replace(self, owner: Any, name: str, new: Any) -> None:
        old = getattr(owner, name)
        setattr(owner, name, new)
        self._undo.append(lambda: setattr(owner, name, old))


def unsigned() -> Any:
    """What a `choose-signer` hook answers so that botocore signs nothing."""
    return botocore.UNSIGNED
