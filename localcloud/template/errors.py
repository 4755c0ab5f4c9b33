"""What can be wrong with a template."""

from __future__ import annotations


class TemplateError(Exception):
    """The template asks for something that cannot be evaluated or deployed here; says where."""
