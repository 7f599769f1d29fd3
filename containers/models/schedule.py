from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.timezone import now

from containers.models.container import Container
from containers.models.node import Node
from containers.models.operation import Operation

SHORTEST = 5  # minutes between two snapshots
LONGEST = 60 * 24 * 366
MOST = 100  # snapshots that are kept
BACK_OFF = timedelta(minutes=1), timedelta(hours=1)  # after a failure: at first, at most
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


class Schedule(models.Model):
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
    error = models.TextField(blank=True)  # of the last one, empty when it succeeded

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
        self.failures, self.error, self.next = 0, "", self.following(now())
        self.save()

    def requested(self) -> None:
        """One was asked for: those that were missed meanwhile are not made."""
        self.next = self.following(now())
        self.save(update_fields=["next"])

    def ended(self, operation: Operation, why: str = "") -> None:
        """why: what went wrong. Then it is tried again soon, and ever later."""
        self.last = operation.finished or now()
        self.failed(why) if why else self.succeeded()

    def succeeded(self) -> None:
        self.failures, self.error = 0, ""
        self.save(update_fields=["last", "failures", "error"])

    def failed(self, why: str) -> None:
        first, most = BACK_OFF
        again = now() + min(first * 2 ** min(self.failures, 10), most)
        self.failures, self.error = self.failures + 1, why
        self.next = min(again, self.following(now()))
        self.save(update_fields=["last", "failures", "error", "next"])

    def cannot(self, why: str) -> None:
        """Its state does not allow one now; the next regular time is tried."""
        self.last, self.error, self.next = now(), why, self.following(now())
        self.save(update_fields=["last", "error", "next"])
