"""Attempts to sign in: who has to wait, and for how long.

A wait grows with what somebody got wrong themselves, never with what strangers did: those can
slow a name down for others by ten seconds at most, and not at all where it signed in before.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import Max, Sum
from django.utils.timezone import now

from containers import visitors

FREE = 3  # wrong passwords of a name from one address before it waits
OF_ADDRESS = 30  # wrong passwords from one address, whatever the names, in WINDOW
OF_NAME = 10  # wrong passwords of a name from elsewhere, in WINDOW
LONGEST = 15 * 60  # seconds that somebody waits for what they got wrong themselves
SLOWEST = 10  # seconds that somebody waits because of others
WINDOW = timedelta(hours=1)
FORGOTTEN = timedelta(days=1)  # after which a wrong password no longer counts
REMEMBERED = timedelta(days=90)  # for how long an address is known to a name


class Knock(models.Model):
    """What came of the attempts with one name from one address."""

    name = models.CharField(max_length=150)
    address = models.CharField(max_length=64)
    failures = models.PositiveIntegerField(default=0)  # since it last signed in
    last = models.DateTimeField(null=True)  # attempt that was looked at
    held = models.DateTimeField(null=True)  # since when it waits because of others
    signed_in = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "address"], name="one_knock_per_name_address")
        ]

    def __str__(self) -> str:
        return f"{self.name} from {self.address}"

    @classmethod
    def at(cls, name: str, address: str | None) -> tuple[Knock, int]:
        """An attempt, and the seconds until it may be made; 0: now, and it counts as failed
        until succeeded() is called, so that many at once are no way around it."""
        name, place = name.casefold()[:150], visitors.network(address or "")[:64]
        with transaction.atomic():
            knock, _ = cls.objects.get_or_create(name=name, address=place)
            knock = cls.objects.select_for_update().get(pk=knock.pk)
            wait = knock.wait()
            if not wait:
                knock.failures, knock.last, knock.held = knock.failures + 1, now(), None
            knock.save()
        return knock, wait

    def wait(self) -> int:
        if self.last and now() - self.last > FORGOTTEN:
            self.failures = 0
        waits = [left(self.last, growing(self.failures - FREE, LONGEST))]
        if not self.signed_in:
            last, failures = self.others(address=self.address)
            waits.append(left(last, growing(failures - OF_ADDRESS, LONGEST)))
            last, failures = self.others(name=self.name)
            if failures >= OF_NAME:
                self.held = self.held or now()
                waits.append(left(self.held, growing(failures - OF_NAME, SLOWEST)))
        return max(waits)

    def others(self, **which: str) -> tuple[datetime | None, int]:
        rows = Knock.objects.filter(**which, last__gt=now() - WINDOW)
        found = rows.aggregate(last=Max("last"), failures=Sum("failures"))
        return found["last"], found["failures"] or 0

    def succeeded(self) -> None:
        """It was the right password: from here the name is known."""
        self.failures, self.held, self.signed_in = 0, None, now()
        self.save()
        old = models.Q(signed_in=None, last__lt=now() - FORGOTTEN)
        old |= models.Q(signed_in__lt=now() - REMEMBERED)
        Knock.objects.filter(old).delete()

    def not_counted(self) -> None:
        """The password was right, though that was not all that is asked."""
        Knock.objects.filter(pk=self.pk).update(failures=max(0, self.failures - 1))


def growing(times: int, most: int) -> int:
    """Seconds: 1, 2, 4, 8 …"""
    if times < 0:
        return 0
    return min(most, 1 << min(times, 20))


def left(since: datetime | None, seconds: int) -> int:
    if not since or not seconds:
        return 0
    return max(0, math.ceil(seconds - (now() - since).total_seconds()))
