"""Passkeys: keys of a person's phone, computer or security key, which sign in their place."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.utils.timezone import now
from django_otp.models import Device

if TYPE_CHECKING:
    Text = models.CharField[str, str]
    Number = models.PositiveBigIntegerField[int, int]
    Moment = models.DateTimeField[datetime | None, datetime | None]

LONGEST = 1400  # letters of a credential's id: 1023 bytes in base64url


class Passkey(Device):  # type: ignore[misc]
    """One credential (WebAuthn), good at the host name under which it was made.

    Its place in a session is that of any device of django-otp: it counts as a second factor.
    """

    credential: Text = models.CharField(max_length=LONGEST, unique=True)  # its id, in base64url
    public_key: models.BinaryField[bytes, bytes] = (
        models.BinaryField()
    )  # as the authenticator gives it (COSE)
    rp_id: Text = models.CharField(max_length=253)
    transports = models.JSONField(default=list)  # how a browser reaches it, as it said itself
    sign_count: Number = models.PositiveBigIntegerField(default=0)  # 0 for ever: it does not count
    answered: Text = models.CharField(max_length=64, blank=True)  # digest of the last challenge
    added: models.DateTimeField[datetime, datetime] = models.DateTimeField(default=now)
    used: Moment = models.DateTimeField(null=True)
    went_back: Moment = models.DateTimeField(
        null=True
    )  # when its counter did: there may be a copy of it

    class Meta:
        ordering = ["added", "pk"]

    def __str__(self) -> str:
        return f"{self.name}"

    def take(self, answered: str, sign_count: int) -> bool:
        """Note a signature that was right; whether it counts.

        Not one over a challenge that was answered already, nor any more once the counter has gone
        back: then two authenticators have the same key.
        """
        if self.went_back or answered == self.answered:
            return False
        same = Passkey.objects.filter(
            pk=self.pk, answered=self.answered, sign_count=self.sign_count, went_back=None
        )
        if (sign_count or self.sign_count) and sign_count <= self.sign_count:
            self.went_back = now()
            same.update(went_back=self.went_back)
            return False
        self.answered, self.sign_count, self.used = answered, sign_count, now()
        return bool(same.update(answered=answered, sign_count=sign_count, used=self.used))
