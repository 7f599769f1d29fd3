"""Somebody's second factor: an app that shows codes, passkeys, and recovery codes for when those
are lost."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django_otp import devices_for_user
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from containers.models.passkey import Passkey

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.base import SessionBase

RECOVERY = 10  # codes
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # told apart on paper
NAME = "app"


def has(user: User) -> bool:
    """Whether the password alone does not open the account."""
    return of(user) is not None or Passkey.objects.filter(user=user).exists()


def of(user: User) -> TOTPDevice | None:
    """The app."""
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
    shown = session.get("otp_device_id")
    return shown is None or shown not in [d.persistent_id for d in devices_for_user(user)]


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


def last(user: User, *, apps: int = 0, passkeys: int = 0) -> bool:
    """Whether there would be none without that many of them."""
    have = TOTPDevice.objects.filter(user=user, confirmed=True).count(), apps
    keys = Passkey.objects.filter(user=user).count(), passkeys
    return all(count <= without for count, without in (have, keys))


def remove_app(user: User) -> bool:
    """Whether there was one."""
    had = of(user) is not None
    TOTPDevice.objects.filter(user=user).delete()
    tidy(user)
    return had


def remove_passkey(passkey: Passkey) -> None:
    passkey.delete()
    tidy(passkey.user)


def remove(user: User) -> bool:
    """All that there is; whether there was any."""
    had = has(user)
    Passkey.objects.filter(user=user).delete()
    remove_app(user)
    return had


def tidy(user: User) -> None:
    """Recovery codes are only good in the place of something else."""
    if not has(user):
        StaticDevice.objects.filter(user=user).delete()
