"""Work that moto and botocore do for every call and that changes no answer here, done once.

Signatures and user agents are for somebody who checks them: nobody does in the local cloud, nor
does anybody read a trace.
Where a member of an answer may be found in moto's objects depends on types alone. The models
that botocore reads are the same for every world of a process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import aws_xray_sdk
import boto3
import botocore
import botocore.session
from aws_xray_sdk.core import AWSXRayRecorder
from botocore.client import BaseClient
from botocore.loaders import Loader
from botocore.useragent import UserAgentString
from moto.core import responses
from moto.core.common_models import BaseModel
from moto.core.model_instances import reset_model_data
from moto.core.serialize import XFormedAttributePicker

from localcloud.calls import moto_shortcuts
from localcloud.calls.direct import Carry, Destination, DirectWay
from localcloud.calls.lazy_client import LazyClient, may_be_lazy

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


class _Untraced:
    """A subsegment of a trace that nobody keeps."""

    def __enter__(self) -> _Untraced:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def put_annotation(self, key: str, value: Any) -> None:
        """Into nothing."""

    def put_metadata(self, key: str, value: Any, namespace: str = "default") -> None:
        """Into nothing."""

    def add_exception(self, exception: Any, stack: Any, remote: bool = False) -> None:
        """Into nothing."""


_UNTRACED = _Untraced()
_traced = AWSXRayRecorder.in_subsegment


def _in_subsegment(self: Any, name: str | None = None, **given: Any) -> Any:
    """With tracing off, one subsegment for all: X-Ray's SDK makes a trace and drops it."""
    if aws_xray_sdk.global_sdk_config.sdk_enabled():
        return _traced(self, name, **given)
    return _UNTRACED


def _untracked(cls: type, *_: Any, **__: Any) -> Any:
    """A model of moto's that moto does not keep for good in a list of all of its kind.

    The list is read for S3 and for moto's own pages alone; it kept every item that was ever
    written in any world, and the collector looked at them all again and again.
    """
    return object.__new__(cls)


_LOADER = Loader()
"""Reads botocore's models, once a process."""


def session() -> boto3.Session:
    """A new session on models that are read already."""
    return boto3.Session(botocore_session=_botocore_session())


def _botocore_session() -> Any:
    made = botocore.session.Session()
    made.register_component("data_loader", _LOADER)
    return made


class _LazySession(boto3.Session):
    """Makes a client when it is needed, if all of its calls may be such that skip HTTP."""

    def __init__(self, way: DirectWay, **given: Any) -> None:
        super().__init__(**given)
        self._way = way

    def client(
        self,
        service_name: str,
        region_name: str | None = None,
        *more: Any,
        config: Any = None,
        **named: Any,
    ) -> Any:
        ordinary: Any = super().client

        def make() -> Any:
            return ordinary(service_name, region_name, *more, config=config, **named)

        if more or named or region_name is None or not may_be_lazy(service_name):
            return make()
        return LazyClient(Destination(service_name, region_name, config), make, self._way)


class Shortcuts:
    """Takes the short ways while a local cloud is open."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def open(self) -> None:
        """From now on."""
        self._replace(UserAgentString, "to_string", lambda _: _USER_AGENT)
        self._replace(responses, "XFormedAttributePicker", _RememberingPicker)
        self._replace(AWSXRayRecorder, "in_subsegment", _in_subsegment)
        self._replace(
            responses, "method_names_from_class", cache(responses.method_names_from_class)
        )
        reset_model_data()  # of what was made outside of a world
        self._replace(BaseModel, "__new__", staticmethod(_untracked))
        for owner, name, ours in moto_shortcuts.REPLACED:
            self._replace(owner, name, ours)

    def go_direct(self, carry: Carry) -> boto3.Session:
        """Frequent calls of every client skip HTTP: `carry` answers them. A session for that."""
        ordinary: Any = vars(BaseClient)["_make_api_call"]  # botocore has no hook for it
        way = DirectWay(ordinary, carry)
        self._replace(BaseClient, "_make_api_call", lambda *call: way.call(*call))
        return _LazySession(way, botocore_session=_botocore_session())

    def close(self) -> None:
        """Everything as it was."""
        while self._undo:
            self._undo.pop()()

    def _replace(self, owner: Any, name: str, new: Any) -> None:
        old = vars(owner)[name]  # a static method as such, not the function in it
        setattr(owner, name, new)
        self._undo.append(lambda: setattr(owner, name, old))


def unsigned() -> Any:
    """What a `choose-signer` hook answers so that botocore signs nothing."""
    return botocore.UNSIGNED
