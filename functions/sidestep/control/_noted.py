"""Notes in the incident's record what a step has done, by the step itself and after it did it.

Evidence, never a condition: what was done stays done though it cannot be noted. Then the log says
it, and a step that runs again notes what it does then.
"""

from __future__ import annotations

import logging
from typing import Any

from botocore.exceptions import ClientError

from sidestep.aws.incident_record import IncidentRecord
from sidestep.control import _parts
from sidestep.core.control import Claim
from sidestep.core.errors import SidestepError

# Not Powertools': importing it would be a part of each cold start on the way to a drain, for a line
# that is hardly ever written. Lambda sends the standard one's warnings to the same log, as JSON too
# (https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html).
_log = logging.getLogger(__name__)

LONGEST_MS = 10_000
"""How long noting may take while no Region of the coordination table answers: three of them, one
after the other, 3.3 s each (`clients.longest_call_s`). A step with less time left does not begin:
it would be cut off, and what it did be taken for not done."""


def note(record: IncidentRecord, claim: Claim, step: str, outcome: str, context: Any) -> None:
    """Append what was done to the record, unless a newer holder writes it already.

    `context`: the invocation's, which knows how much time is left. Raises nothing that AWS or a
    newer holder may cause.
    """
    if context.get_remaining_time_in_millis() < LONGEST_MS:
        _log.warning("%s: no time left to note %s: %s", claim.incident, step, outcome)
        return
    try:
        record.note(claim, step, outcome, _parts.now_ms())
    except (SidestepError, ClientError) as error:
        _log.warning("%s: not in the record: %s: %s (%s)", claim.incident, step, outcome, error)
