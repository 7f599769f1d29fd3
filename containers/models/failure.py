from __future__ import annotations

from django.db import models

from containers.node import problems
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

    def told(self, *, staff: bool) -> str:
        tell = problems.for_staff if staff else problems.for_customers
        said = tell(self.problem, self.details) or self.error.strip()
        return f"{capitalized(said).rstrip('.')}." if said else ""
