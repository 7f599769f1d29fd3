"""Browsers in which somebody is signed in: since when, from where, and how to end it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.db import models
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.timezone import now

if TYPE_CHECKING:
    from django.contrib.auth.models import User

CONFIRMED = "confirmed"  # in a session: when its user last showed who they are
BROWSERS = (  # the first that a browser names counts
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
    ("CriOS", "Chrome"), ("FxiOS", "Firefox"), ("Safari", "Safari"), ("curl", "curl"),
)  # fmt: skip
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


class UserSession(models.Model):
    """What is shown of a session; the session itself is Django's row of this key."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=200, blank=True)  # as it calls itself
    began = models.DateTimeField(default=now)
    seen = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-seen"]

    def __str__(self) -> str:
        return f"{self.user} with {self.device}"

    @property
    def device(self) -> str:
        """Firefox on Linux, as far as the browser says."""
        browser = next((name for word, name in BROWSERS if word in self.browser), "A browser")
        system = next((name for word, name in SYSTEMS if word in self.browser), "")
        return f"{browser} on {system}" if system else browser

    @classmethod
    def of(cls, user: User) -> list[UserSession]:
        """Those that have not ended."""
        rows = list(cls.objects.filter(user=user))
        keys = [row.session_key for row in rows]
        found = Session.objects.filter(session_key__in=keys, expire_date__gt=now())
        alive = set(found.values_list("session_key", flat=True))
        cls.objects.filter(pk__in=[row.pk for row in rows if row.session_key not in alive]).delete()
        return [row for row in rows if row.session_key in alive]

    @classmethod
    def end_others(cls, user: User, session_key: str | None) -> int:
        """Sign the user out everywhere but in this session; returns how many ended."""
        rows = [row for row in cls.of(user) if row.session_key != session_key]
        for row in rows:
            row.end()
        return len(rows)

    def end(self) -> None:
        Session.objects.filter(session_key=self.session_key).delete()
        self.delete()


@receiver(user_logged_in, dispatch_uid="confirmed")
def confirm(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Whoever has just signed in has shown who they are."""
    request.session[CONFIRMED] = time.time()
