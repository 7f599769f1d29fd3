"""Somebody's second factor: an app that shows codes, and recovery codes for when it is lost."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django_otp import devices_for_user
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.base import SessionBase

RECOVERY = 10  # codes
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # told apart on paper
NAME = "app"


def of(user: User) -> TOTPDevice | None:
    device: TOTPDevice | None = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return device


def resting(user: User) -> bool:
    """Whether no code is looked at for a while: after wrong ones, wherever they came from."""
    return any(not device.verify_is_allowed()[0] for device in devices_for_user(user))


def required(user: User) -> bool:
    return settings.STAFF_2FA and user.is_staff


def lacking(user: User, session: SessionBase) -> bool:
    """Whether this session of a user who must have one has not shown it."""
    if not required(user):
        return False
    device = of(user)
    codes = StaticDevice.objects.filter(user=user).first()
    shown = session.get("otp_device_id")
    return shown is None or shown not in [d.persistent_id for d in (device, codes) if d]


def to_enrol(user: User) -> TOTPDevice:
    """The one that is being set up."""
    found: TOTPDevice = TOTPDevice.objects.get_or_create(
        user=user, confirmed=False, defaults={"name": NAME}
    )[0]
    return found


def new_codes(user: User) -> list[str]:
    """Recovery codes in the place of those before; each signs in once."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery", confirmed=True)
    codes = ["".join(secrets.choice(LETTERS) for _ in range(10)) for _ in range(RECOVERY)]
    for code in codes:
        device.token_set.create(token=code)
    return codes


def codes_left(user: User) -> int:
    return sum(device.token_set.count() for device in StaticDevice.objects.filter(user=user))


def remove(user: User) -> bool:
    """Whether there was one."""
    had = of(user) is not None
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    return had
