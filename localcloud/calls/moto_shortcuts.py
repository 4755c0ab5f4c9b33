"""moto's DynamoDB values with less work a value: the same values, sizes and copies.

moto asks each value several questions through methods and wrappers of its own, weighs a whole
item anew for each attribute that it sets, and copies each value once a level. Values are many.
Nor does it need a lock and a search through all its services to find one that is there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.dynamodb import responses
from moto.dynamodb.models import utilities
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

_HEAVY = 200_000
"""Bytes of an item from which on moto's own weighing is asked (its limit is 405,000)."""
_weigh_all = LimitedSizeDict.__setitem__
_binary_json = DynamoType.to_regular_json
_to_dict = utilities.dynamo_to_dict
_cast_any: Callable[[Any], Any] = vars(DynamoType)["cast_value"].fget
_first_asked = BackendDict.__getitem__
_PLAIN = frozenset({"S", "N", "BOOL", "NULL"})
"""Types whose value is one immutable thing, the same in JSON."""


def _init(self: Any, given: Any) -> None:
    """A value from its JSON or from another; what is in lists and maps becomes values too."""
    if type(given) is DynamoType:
        kind, value = given.type, given.value
    else:
        kind, value = next(iter(given.items()))
    if kind == "L":
        value = [DynamoType(one) for one in value]
    elif kind == "M":
        value = {key: DynamoType(one) for key, one in value.items()}
    self.type, self.value = kind, value


def _size(self: Any) -> int:
    """Bytes, as moto counts them."""
    kind, value = self.type, self.value
    if kind == "N":
        return len(str(value))
    if kind == "L":
        return sum(one.size() for one in value)
    if kind == "M":
        return sum(
            len(key.encode()) + (one if type(one) is DynamoType else DynamoType(one)).size()
            for key, one in value.items()
        )
    if kind in ("SS", "NS", "BS"):
        return sum(DynamoType({kind[0]: one}).size() for one in value)
    if isinstance(value, bool):
        return 1
    return len(value if isinstance(value, bytes) else value.encode())


def _cast_value(self: Any) -> Any:
    """The value as Python compares it."""
    kind = self.type
    if kind == "S":
        return self.value
    return Decimal(self.value) if kind == "N" else _cast_any(self)


def _backend(self: Any, account: str) -> Any:
    """A service of an account; the first time on moto's own way, which makes it."""
    known = self.get(account)
    return _first_asked(self, account) if known is None else known


@cache
def _regions(service: str) -> tuple[str, ...]:
    sessions: Any = AccountSpecificBackend.get_session()
    return tuple(
        region
        for partition in sessions.get_available_partitions()
        for region in sessions.get_available_regions(service, partition_name=partition)
    )


def _generate_regions(_: Any, service: str) -> list[str]:
    """A service's Regions. moto's own cache keeps every world's services, and all their data."""
    return list(_regions(service))


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
    kind = type(value)
    if kind is DynamoType:
        return _regular_json(value)
    if kind is dict:
        return {key: _copied(one) for key, one in value.items()}
    if kind is list:
        return [_copied(one) for one in value]
    return value


def _copy_value(self: Any, memo: dict[int, Any]) -> Any:
    """A value of its own."""
    made = DynamoType.__new__(DynamoType)
    made.type, value = self.type, self.value
    if self.type == "L":
        value = [_copy_of(one, memo) for one in value]
    elif self.type == "M":
        value = {key: _copy_of(one, memo) for key, one in value.items()}
    elif type(value) is list:
        value = list(value)
    made.value = value
    return made


def _copy_of(value: Any, memo: dict[int, Any]) -> Any:
    return _copy_value(value, memo) if type(value) is DynamoType else _copied(value)


def _copy_item(self: Any, memo: dict[int, Any]) -> Any:
    """An item of its own."""
    made = Item.__new__(Item)
    made.hash_key = _copy_value(self.hash_key, memo)
    made.range_key = None if self.range_key is None else _copy_value(self.range_key, memo)
    attrs: Any = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(attrs, {key: _copy_of(value, memo) for key, value in self.attrs.items()})
    made.attrs = attrs
    return made


def _plain(value: Any) -> Any:
    """moto's objects as plain data of one's own, binary values as bytes."""
    kind = type(value)
    if kind is DynamoType:
        if value.type in _PLAIN:
            return {value.type: value.value}
        if value.type in ("B", "BS"):
            return _to_dict(value)
        return {value.type: _plain(value.value)}
    if kind is dict or kind is LimitedSizeDict:
        return {key: _plain(one) for key, one in value.items()}
    if kind is list:
        return [_plain(one) for one in value]
    if kind in (str, int, float, bool, bytes, type(None), datetime):
        return value
    return _plain(value.to_json()) if hasattr(value, "to_json") else _to_dict(value)


REPLACED: tuple[tuple[Any, str, Any], ...] = (
    (DynamoType, "__init__", _init),
    (DynamoType, "size", _size),
    (DynamoType, "cast_value", property(_cast_value)),
    (BackendDict, "__getitem__", _backend),
    (AccountSpecificBackend, "_generate_regions", _generate_regions),
    (DynamoType, "__deepcopy__", _copy_value),
    (DynamoType, "to_regular_json", _regular_json),
    (Item, "__deepcopy__", _copy_item),
    (LimitedSizeDict, "__setitem__", _set_attribute),
    (responses, "dynamo_to_dict", _plain),
)
"""What stands in for what of moto's: owner, name, ours."""
