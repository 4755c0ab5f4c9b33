"""Builders of resources, one file a service. Importing this package registers them."""

from localcloud.template.resources import (
    apigateway,
    cloudwatch,
    dynamodb,
    events,
    iam,
    lambdas,
    logs,
    route53,
    sns,
    sqs,
    stepfunctions,
)

__all__ = [
    "apigateway",
    "cloudwatch",
    "dynamodb",
    "events",
    "iam",
    "lambdas",
    "logs",
    "route53",
    "sns",
    "sqs",
    "stepfunctions",
]
