from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.timezone import now

from containers.models.container import Container
from containers.models.failure import Failure
from containers.models.node import Node
from containers.models.operation import Operation
from containers.node.states import Progress

SHORTEST = 5  # minutes between two snapshots
LONGEST = 60 * 24 * 366
MOST = 100  # snapshots that are kept
BACK_OFF = timedelta(minutes=1), timedelta(hours=1)  # after a failure: at first, at most
FAILURE = "error", "problem", "details"
NO_SUCH_DATE = "There is no such date."
FIELDS = {  # cronsim's names for the fields of a cron time
    "minute": "Minute must be 0–59.",
    "hour": "Hour must be 0–23.",
    "day-of-month": "Day must be 1–31.",
    "month": "Month must be 1–12.",
    "day-of-week": "Day of the week must be 0–7; 0 and 7 are Sunday.",
}


def zone_of(node: Node) -> ZoneInfo:
    """The node's own, as its clock on the wall shows; the panel's until it has said."""
    try:
        return ZoneInfo(node.facts.get("timezone") or settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(settings.TIME_ZONE)


def check_cron(text: str) -> None:
    """Raises ValidationError."""
    fields = text.split()
    if len(fields) != 5:
        raise ValidationError("Enter five fields: minute, hour, day, month and day of the week.")
    try:
        if next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)), None) is None:
            raise ValidationError(NO_SUCH_DATE)
    except StopIteration:
        raise ValidationError(NO_SUCH_DATE) from None
    except CronSimError as error:
        raise ValidationError(wrong_with(fields, f"{error}".removeprefix("Bad "))) from error


def wrong_with(fields: list[str], named: str) -> str:
    """named: the field that cronsim finds wrong; for 30 February that is the day."""
    minute, hour, day, _, weekday = fields
    if named == "day-of-month":
        with suppress(CronSimError):
            CronSim(f"{minute} {hour} {day} * {weekday}", datetime(2026, 1, 1, tzinfo=UTC))
            return NO_SUCH_DATE
    return FIELDS.get(named, "That is not a valid cron time.")


class Schedule(Failure):
    """When snapshots of a container are made by themselves, and how many are kept."""

    container = models.OneToOneField(Container, models.CASCADE, related_name="schedule")
    every = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(SHORTEST), MaxValueValidator(LONGEST)],
        help_text="Minutes",
    )
    cron = models.CharField(max_length=100, blank=True)
    keep = models.PositiveIntegerField(
        default=7, validators=[MinValueValidator(1), MaxValueValidator(MOST)]
    )
    disk_only = models.BooleanField(default=False)
    next = models.DateTimeField()  # when one is due, or is tried again
    last = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)  # in a row

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        if self.cron:
            return f"at {self.cron} (cron)"
        minutes = self.every or 0
        if minutes % 60:
            return f"every {minutes} minutes"
        hours = minutes // 60
        return "every hour" if hours == 1 else f"every {hours} hours"

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.container.node)

    def following(self, after: datetime) -> datetime:
        """The regular time that comes after this one."""
        if self.cron:
            found: datetime = next(CronSim(self.cron, after.astimezone(self.zone)))
            return found
        return after + timedelta(minutes=self.every or LONGEST)

    def begin(self) -> None:
        """From now on, as it says."""
        self.failures, self.next = 0, self.following(now())
        self.note({})
        self.save()

    def requested(self) -> None:
        """One was asked for: those that were missed meanwhile are not made."""
        self.next = self.following(now())
        self.save(update_fields=["next"])

    def ended(self, operation: Operation) -> None:
        """After a failure it is tried again soon, then at growing intervals."""
        self.last = operation.finished or now()
        if operation.state == Progress.SUCCEEDED:
            self.succeeded()
        else:
            error = operation.error or operation.state
            self.failed(
                {"error": error, "problem": operation.problem, "details": operation.details}
            )

    def succeeded(self) -> None:
        self.failures = 0
        self.note({})
        self.save(update_fields=["last", "failures", *FAILURE])

    def failed(self, failure: Mapping[str, Any]) -> None:
        first, most = BACK_OFF
        again = now() + min(first * 2 ** min(self.failures, 10), most)
        self.failures += 1
        self.note(failure)
        self.next = min(again, self.following(now()))
        self.save(update_fields=["last", "failures", *FAILURE, "next"])

    def cannot(self, failure: Mapping[str, Any]) -> None:
        """Its state does not allow one now; the next regular time is tried."""
        self.last, self.next = now(), self.following(now())
        self.note(failure)
        self.save(update_fields=["last", *FAILURE, "next"])

    def note(self, failure: Mapping[str, Any]) -> None:
        """What went wrong with the last one; nothing when it succeeded."""
        self.error = failure.get("error", "")
        self.problem, self.details = failure.get("problem", ""), failure.get("details", {})
