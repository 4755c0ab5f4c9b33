"""Every figure that these services assume rather than read in a document, in one place.

AWS promises no distribution for any of them. Each is chosen near what its documentation
calls typical, and no decision of Sidestep may hang on the exact value.
"""

from __future__ import annotations

from typing import Final

# -- DynamoDB global tables ------------------------------------------------------------------
REPLICATION_BASE_S: Final = 0.25
"""Replication of one item, besides the link's travel time: "usually under a second"
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html)."""
REPLICATION_SPREAD: Final = 0.45
"""Sigma of the lognormal factor on the base: the median is the base, p99 about three times it."""
REPLICATION_BACKLOG_PER_S: Final = 500
"""Items a second and link that a replica drains once replication works again."""
REPLICATION_RECHECK_S: Final = 1.0
"""How often a held link is tried again."""
STRONG_CATCH_UP_S: Final = 0.2
"""How far a strongly consistent table's third replica may trail for eventually consistent reads."""
MINORITY_HANGS_SHARE: Final = 0.5
"""Share of the times that a strongly consistent table's replica loses the majority in which its
callers wait instead of being refused. A write is answered once at least one other Region has it
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html);
what callers get where none can be reached AWS does not say, and botocore's model of DynamoDB has no
error for it."""
MAJORITY_RECHECK_S: Final = 0.25
"""How soon after its majority is back a replica answers those who wait for it, at most."""
WRITE_CONFLICT_SHARE: Final = 0.5
"""Share of overlapping writes from two Regions that meet ReplicatedWriteConflictException;
the others are serialised."""
TTL_LATENESS_S: Final = (60.0, 2 * 3600.0)
"""How late an expired item goes: "within a few days", in truth mostly hours
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html)."""
TTL_SWEEP_S: Final = 60.0

# -- event sources ---------------------------------------------------------------------------
STREAM_POLL_S: Final = (0.05, 0.25)
"""Lambda polls a stream's shards four times a second
(https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html)."""
STREAM_DUPLICATE_SHARE: Final = 0.01
"""Share of batches that are delivered again although the function succeeded."""
STREAM_RETRY_S: Final = (1.0, 60.0)
"""First and longest pause between tries of a failing batch, doubling."""
QUEUE_POLL_S: Final = 1.0
QUEUE_PICK_UP_S: Final = (0.01, 0.1)

# -- EventBridge, SNS and asynchronous invocation ----------------------------------------------
DELIVERY_S: Final = (0.05, 0.4)
"""From an event's arrival on a bus to its target: about half a second at most, typically."""
DUPLICATE_SHARE: Final = 0.01
"""Share of deliveries made twice: at least once is all that is promised."""
DUPLICATE_AFTER_S: Final = (0.1, 20.0)
RETRY_S: Final = (1.0, 600.0)
"""First and longest pause between delivery attempts, doubling, with full jitter."""

# -- CloudWatch ------------------------------------------------------------------------------
METRIC_INGESTION_S: Final = (2.0, 45.0)
"""From the sending of a metric to its being readable by GetMetricData. Lambda and API Gateway send
once a minute (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html), so that a
minute is whole up to 105 s after its end. AWS promises nothing; who reads it all day says two to
three minutes after a value's time stamp on average (Splunk, "Troubleshoot AWS CloudWatch polling")
or about two (https://docs.datadoghq.com/integrations/guide/cloud-metric-delay/), and sees the
newest minute "incomplete and volatile" (github.com/Netflix/atlas/pull/1300)."""
INGESTION_S: Final = 5.0
"""An alarm judges a period this long after its end, on all that was measured in it: the best case.
That alarms are ahead of what the API shows is assumed; a later one only makes failover later where
nothing but alarms sees the fault."""
INGESTION_HIGH_RESOLUTION_S: Final = 2.0
EVALUATION_RANGE_EXTRA: Final = 2
"""Data points fetched beyond EvaluationPeriods: five for three in AWS's own examples."""
ALARM_ACTION_S: Final = (0.2, 1.0)
"""From an alarm's change of state to its event on the bus and its actions."""
