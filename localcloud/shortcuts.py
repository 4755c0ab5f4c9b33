"""Work that moto and botocore do for every call and that changes no answer here, done once.

Signatures and user agents are for somebody who checks them: nobody does in the local cloud.
Where a member of an answer may be found in moto's objects depends on types alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import botocore
from botocore.useragent import UserAgentString
from moto.core import responses
from moto.core.serialize import XFormedAttributePicker

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


class Shortcuts:
    """Takes the short ways while a local cloud is open."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def open(self) -> None:
        """From now on."""
        self._replace(UserAgentString, "to_string", lambda _: _USER_AGENT)
        self._replace(responses, "XFormedAttributePicker", _RememberingPicker)

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
