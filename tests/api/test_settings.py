"""A function's environment: complete, or a clear error at its first cold start."""

from __future__ import annotations

import pytest

from sidestep.aws.settings import Settings, SettingsError
from tests.api.data_plane import ENVIRONMENT


def test_lists_are_read_without_blanks() -> None:
    environ = ENVIRONMENT | {"SIDESTEP_REGIONS": " eu-west-2, us-east-1 ,"}

    assert Settings.from_environment(environ=environ).regions == ("eu-west-2", "us-east-1")


@pytest.mark.parametrize("name", ["AWS_REGION", "SIDESTEP_DATA_TABLE", "SIDESTEP_POLICY"])
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment(environ={**ENVIRONMENT, name: " "})


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"SIDESTEP_BUS, .*SIDESTEP_UNSENT_QUEUE_URL"):
        Settings.from_environment(
            "SIDESTEP_UNSENT_QUEUE_URL", environ={**ENVIRONMENT, "SIDESTEP_BUS": ""}
        )


@pytest.mark.parametrize("policy", ["{", "[]", "null"])
def test_a_policy_that_is_no_json_object_is_refused(policy: str) -> None:
    with pytest.raises(SettingsError, match="SIDESTEP_POLICY"):
        Settings.from_environment(environ={**ENVIRONMENT, "SIDESTEP_POLICY": policy})


def test_a_variable_that_only_some_functions_need_may_be_absent_for_the_others() -> None:
    assert Settings.from_environment(environ=ENVIRONMENT).unsent_queue_url == ""


@pytest.mark.parametrize("wardens", ["eu-west-2,us-west-2", "us-west-2,us-east-1", "us-east-1,"])
def test_wardens_that_contradict_the_list_of_regions_are_refused(wardens: str) -> None:
    """Health checks would ask Regions that keep no mark, and no drain would be seen."""
    three = {**ENVIRONMENT, "AWS_REGION": "eu-west-2"}
    three |= {"SIDESTEP_REGIONS": "eu-west-2,us-east-1,us-west-2"}
    assert Settings.from_environment(environ={**three, "SIDESTEP_WARDENS": "us-east-1,us-west-2"})

    with pytest.raises(SettingsError, match="Regions makes them us-east-1, us-west-2"):
        Settings.from_environment(environ={**three, "SIDESTEP_WARDENS": wardens})


def test_two_regions_are_each_others_only_warden() -> None:
    two = {**ENVIRONMENT, "AWS_REGION": "eu-west-2", "SIDESTEP_REGIONS": "eu-west-2,us-east-1"}

    assert Settings.from_environment(environ={**two, "SIDESTEP_WARDENS": "us-east-1,"})
