from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models

from containers.node import problems
from containers.node.checkpoint.reason import Reason
from containers.node.wording import capitalized


class Failure(models.Model):
    """What went wrong: a machine word and its details; the sentences are made of them.

    error: the sentence for staff, as it was when it happened. Rows older than the words have
    only that.
    """

    error = models.TextField(blank=True)
    problem = models.CharField(max_length=32, blank=True)  # a word of node/problems.py
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True

    @property
    def why(self) -> str:
        """For staff; empty when nothing went wrong."""
        return self.told(staff=True)

    @property
    def why_for_customers(self) -> str:
        return self.told(staff=False)

    @property
    def as_reason(self) -> Reason:
        """One of a verdict's."""
        return Reason(self.problem, self.details, self.error)

    def told(self, *, staff: bool) -> str:
        return told(self.problem, self.details, self.error, staff=staff)


def told(problem: str, details: Mapping[str, Any], error: str, *, staff: bool) -> str:
    """error: the sentence where there is no word, or one of another version."""
    tell = problems.for_staff if staff else problems.for_customers
    said = tell(problem, details) or error.strip()
    return f"{capitalized(said).rstrip('.')}." if said else ""
