"""The guarded and the coordinating Regions: who watches whom, and which lists are allowed."""

from __future__ import annotations

from collections.abc import Sequence

from sidestep.core.errors import InvalidInput

MAX_GUARDED = 10
WARDENS = 2
"""Two peers keep a Region's drain mark, so that checks grow with Regions, not with their square."""

# Region sets of a multi-Region strongly consistent table
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/multi-region-strong-consistency-gt.html).
STRONG_SETS: tuple[frozenset[str], ...] = (
    frozenset({"us-east-1", "us-east-2", "us-west-2"}),
    frozenset({"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"}),
    frozenset({"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"}),
)
STRONG_REPLICAS = 3


def wardens_of(region: str, regions: Sequence[str]) -> tuple[str, ...]:
    """The Regions that keep `region`'s drain mark: the next two in the list, cyclically."""
    if region not in regions:
        raise InvalidInput(f"{region} is not a guarded Region: those are {', '.join(regions)}")
    at = list(regions).index(region)
    ring = [regions[(at + step) % len(regions)] for step in range(1, len(regions))]
    return tuple(ring[:WARDENS])


def regional_host(domain: str, region: str) -> str:
    """A Region's own host name, which no failover moves."""
    return f"{region}.{domain}"


def served_by(domain: str) -> str:
    """Where DNS says by name which Region it sends a client to: a TXT record beside each latency
    record, chosen like that one, by Region and health check."""
    return f"served-by.{domain}"


def check_guarded(regions: Sequence[str]) -> tuple[str, ...]:
    """The guarded list, or InvalidInput: 2 to 10 Regions, none twice."""
    if not 2 <= len(regions) <= MAX_GUARDED:
        raise InvalidInput(f"{len(regions)} guarded Regions: give 2 to {MAX_GUARDED}")
    if len(set(regions)) != len(regions):
        raise InvalidInput(f"a guarded Region is named twice: {', '.join(regions)}")
    return tuple(regions)


def check_coordination(regions: Sequence[str]) -> tuple[str, ...]:
    """The coordination list, or InvalidInput: exactly three Regions of one Region set."""
    if len(regions) != STRONG_REPLICAS or len(set(regions)) != STRONG_REPLICAS:
        raise InvalidInput(f"a coordination table has exactly three Regions, not {len(regions)}")
    if not any(set(regions) <= allowed for allowed in STRONG_SETS):
        sets = "; ".join(", ".join(sorted(allowed)) for allowed in STRONG_SETS)
        raise InvalidInput(
            f"{', '.join(regions)} are not of one Region set: choose three of one of {sets}"
        )
    return tuple(regions)
