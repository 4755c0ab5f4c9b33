"""Route 53's figures: those that AWS documents, with their page, and those that we assume."""

from __future__ import annotations

from typing import Final

# Pages named below without a host are of
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/.

# -- endpoint checks: dns-failover-determining-health-of-endpoints.html -----------------
HEALTHY_PERCENT: Final = 18
"""An endpoint is healthy when more than this percentage of its checkers say so."""
CONNECT_S: Final = 4.0
"""Longest an HTTP or HTTPS endpoint may take to accept a connection."""
STATUS_S: Final = 2.0
"""Longest it may take to answer once connected."""
TCP_CONNECT_S: Final = 10.0
"""Longest a TCP endpoint may take to accept a connection."""
SEARCH_BYTES: Final = 5120
"""A string match sees this much of a body: the string must lie in it whole."""

# -- health checks: botocore's route53 model, and DNSLimitations.html -------------------
CHECKER_REGIONS: Final = (
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
)
"""HealthCheckRegion. A check without Regions is asked from all of them."""
MIN_CHECKER_REGIONS: Final = 3
MAX_CHILDREN: Final = 256
INTERVALS: Final = (10, 30)
DEFAULT_INTERVAL_S: Final = 30
THRESHOLDS: Final = range(1, 11)
DEFAULT_THRESHOLD: Final = 3
MAX_TEXT: Final = 255
"""Characters of a ResourcePath, a FullyQualifiedDomainName and a SearchString."""
MAX_HEALTH_CHECKS: Final = 200
"""Active health checks of an account, unless raised."""

# -- API: throttling-api-requests.html --------------------------------------------------
ACCOUNT_BUCKET: Final = (50.0, 10.0)
"""(burst, calls a second) of all an account's calls together, and of an operation by itself."""
OPERATION_BUCKETS: Final = {
    "CreateHealthCheck": (50.0, 0.5),
    "DeleteHealthCheck": (15.0, 3.0),
    "GetHealthCheckStatus": (4.0, 1.0),
    "GetHealthCheckLastFailureReason": (4.0, 1.0),
    "CreateHostedZone": (40.0, 2.0),
    "DeleteHostedZone": (40.0, 5.0),
    "CreateReusableDelegationSet": (40.0, 2.0),
    "DeleteReusableDelegationSet": (40.0, 5.0),
}
"""Operations with a bucket smaller than the account's. UpdateHealthCheck has the account's:
that it is counted among the others is assumed: its row of the page was not seen."""

# -- answers -------------------------------------------------------------------------------------
ALIAS_TTL_S: Final = 60
"""TTL of an alias answer for API Gateway
(resource-record-sets-choosing-alias-non-alias.html)."""

# -- assumed: AWS promises no figure, and no decision of Sidestep may hang on them ---------------
CHECKERS_PER_REGION: Final = 2
"""About 16 checkers in 8 Regions: gathered from what endpoints see, no page says so."""
STATE_TO_DNS_S: Final = 3.0
"""From a change of a check's state, or of its settings, to the DNS servers' answers."""
RECORDS_TO_DNS_S: Final = (5.0, 60.0)
"""From ChangeResourceRecordSets to INSYNC: "usually within 60 seconds"
(https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html)."""
ALARM_POLL_S: Final = 10.0
"""How often a CLOUDWATCH_METRIC check looks at its alarm's data."""
STATUS_METRIC_S: Final = 10.0
"""How often a check's state is put into its metric, which has a value a minute: by its Minimum a
minute that turned bad half-way is bad. AWS does not say of which moment its one value is; one
sample at each minute's end would be told a minute late."""
