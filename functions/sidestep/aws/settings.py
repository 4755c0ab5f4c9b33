"""What a function is told by its environment: read once, at the import of a handler module.

The variables are those of docs/architecture.md, "Environment". A handler names the
optional ones that it cannot do without, so that a deployment that forgets one fails at
the first cold start and says which, not in the middle of an incident.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sidestep.core.topology import wardens_of


class SettingsError(ValueError):
    """The function's environment is incomplete or unreadable: a fault of the deployment."""


@dataclass(frozen=True)
class Settings:
    """One function's settings. An optional one that is not set is empty, never None."""

    application: str
    region: str
    """Where this function runs."""
    regions: tuple[str, ...]
    """The guarded Regions, in the order that makes wardens."""
    coordination_regions: tuple[str, ...]
    data_table: str
    regional_table: str
    coordination_table: str
    bus: str
    domain: str
    policy: Mapping[str, Any]
    """As given; `{}` means the defaults."""
    unsent_queue_url: str = ""
    check_id: str = ""
    api_id: str = ""
    name_servers: tuple[str, ...] = ()
    client_subnet: str = ""

    @classmethod
    def from_environment(cls, *needed: str, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the environment. `needed` names optional variables that this function requires.

        Raises SettingsError, naming every variable that is missing, or the one that is unreadable.
        """
        source = os.environ if environ is None else environ
        missing = [name for name in (*_ALWAYS, *needed) if not source.get(name, "").strip()]
        if missing:
            raise SettingsError(f"not set in the function's environment: {', '.join(missing)}")
        _check_wardens(source)
        return cls(
            application=source["SIDESTEP_APPLICATION"].strip(),
            region=source["AWS_REGION"].strip(),
            regions=_list(source["SIDESTEP_REGIONS"]),
            coordination_regions=_list(source["SIDESTEP_COORDINATION_REGIONS"]),
            data_table=source["SIDESTEP_DATA_TABLE"].strip(),
            regional_table=source["SIDESTEP_REGIONAL_TABLE"].strip(),
            coordination_table=source["SIDESTEP_COORDINATION_TABLE"].strip(),
            bus=source["SIDESTEP_BUS"].strip(),
            domain=source["SIDESTEP_DOMAIN"].strip(),
            policy=_policy(source["SIDESTEP_POLICY"]),
            unsent_queue_url=source.get("SIDESTEP_UNSENT_QUEUE_URL", "").strip(),
            check_id=source.get("SIDESTEP_CHECK_ID", "").strip(),
            api_id=source.get("SIDESTEP_API_ID", "").strip(),
            name_servers=_list(source.get("SIDESTEP_NAME_SERVERS", "")),
            client_subnet=source.get("SIDESTEP_CLIENT_SUBNET", "").strip(),
        )

    def host(self, region: str) -> str:
        """A Region's own host name, which no failover moves."""
        return f"{region}.{self.domain}"


_ALWAYS = (
    "AWS_REGION",
    "SIDESTEP_APPLICATION",
    "SIDESTEP_REGIONS",
    "SIDESTEP_COORDINATION_REGIONS",
    "SIDESTEP_DATA_TABLE",
    "SIDESTEP_REGIONAL_TABLE",
    "SIDESTEP_COORDINATION_TABLE",
    "SIDESTEP_BUS",
    "SIDESTEP_DOMAIN",
    "SIDESTEP_POLICY",
)


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _check_wardens(source: Mapping[str, str]) -> None:
    """The stack's health checks ask the wardens that its parameters name; marks are kept by those
    that the list of Regions makes. Where they differ, no mark would ever be seen."""
    if "SIDESTEP_WARDENS" not in source:
        return
    region, regions = source["AWS_REGION"].strip(), _list(source["SIDESTEP_REGIONS"])
    given = _list(source["SIDESTEP_WARDENS"])
    if region not in regions or given == (right := wardens_of(region, regions)):
        return
    raise SettingsError(
        f"the parameters Warden1 and Warden2 of {region}'s stack are {', '.join(given)}: "
        f"Regions makes them {', '.join(right)}"
    )


def _policy(text: str) -> Mapping[str, Any]:
    try:
        policy = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"SIDESTEP_POLICY is not JSON: {error}") from error
    if not isinstance(policy, dict):
        raise SettingsError("SIDESTEP_POLICY is not a JSON object")
    return MappingProxyType(policy)
