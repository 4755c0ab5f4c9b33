"""One Region's coordination table lets nobody in, or is gone: the others are asked."""

from __future__ import annotations

import pytest

from sidestep.core.errors import Refused
from tests.control.control_plane import COORDINATION, LONDON, VIRGINIA, ControlPlane
from tests.control.test_observing_and_deciding import look

ASKED = ("Query", "GetItem", "PutItem", "UpdateItem")


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_vote_is_cast_and_an_incident_claimed_while_one_of_three_refuses(
    warm_plane: ControlPlane, code: str
) -> None:
    warm_plane.refusing.update({(operation, COORDINATION[0]): code for operation in ASKED})

    assert look(warm_plane, VIRGINIA, bad=(LONDON,))["decisions"]
    assert warm_plane.ask_claim("one", region=LONDON)["held"]


def test_where_all_of_them_refuse_that_is_said(warm_plane: ControlPlane) -> None:
    warm_plane.refusing.update({(operation, "*"): "AccessDeniedException" for operation in ASKED})

    with pytest.raises(Refused, match="sidestep-demo-coordination in "):
        warm_plane.ask_claim("one", region=LONDON)
