"""A client that is made only when it is needed: most functions' clients never leave this process.

botocore takes milliseconds to make one, and a world's functions make hundreds. Operations that
skip HTTP need none of it. Whatever else is asked of the client (another operation, `exceptions`,
`meta`) makes it, and goes on there; its capacity for retries is whole then, as it would have
been: successes alone never change a whole one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from botocore import xform_name

from localcloud.calls.direct import SERVED, Destination, DirectWay

_OPERATIONS = {(service, xform_name(operation)): operation for service, operation in SERVED}


class LazyClient:
    """Stands for a boto3 client of a service in a Region. `make` makes the real one."""

    def __init__(self, to: Destination, make: Callable[[], Any], way: DirectWay) -> None:
        self._to, self._make, self._way = to, make, way

    @cached_property
    def _real(self) -> Any:
        return self._make()

    def __getattr__(self, name: str) -> Any:
        operation = _OPERATIONS.get((self._to.service, name))
        if operation is None:
            return getattr(self._real, name)

        def call(**params: Any) -> Any:
            if "_real" in self.__dict__:
                return getattr(self._real, name)(**params)
            answer = self._way.attempt(self._to, operation, params)
            if isinstance(answer, dict):
                return answer
            return self._way.go_on(self._real, operation, params, answer)

        self.__dict__[name] = call
        return call


def may_be_lazy(service: str) -> bool:
    """Whether a client of the service may be made later."""
    return any(service == known for known, _ in SERVED)
