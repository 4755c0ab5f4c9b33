"""Route 53: health checkers, calculated checks, and the answers that hang on them."""

from localcloud.route53.answers import Answer, Answers
from localcloud.route53.service import Route53

__all__ = ["Answer", "Answers", "Route53"]
