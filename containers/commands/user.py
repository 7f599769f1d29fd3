"""People on the command line: who may sign in."""

import os
import sys

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from containers.commands.audit import noted
from containers.commands.database import no_access
from containers.commands.output import Output, table
from containers.grammar import Given
from containers.models import Container, second_factor
from containers.node.errors import BadValue, BadValues, Code, Problem

DAY = 24 * 3600
CONTAINERS_STAY = "Their containers stay as they are."


def create(given: Given, output: Output) -> int:
    name = given.operands["NAME"]
    if User.objects.filter(username=name).exists():
        raise BadValue(Problem.USER_EXISTS, name=name)
    user = User(username=name, email=given.get("email", ""), is_staff="staff" in given)
    user.set_unusable_password()  # until they set one through their link
    try:
        user.full_clean()
    except ValidationError as error:
        raise BadValue(BadValues.NOT_AN_ACCOUNT, why=error.messages) from error
    password_given = read_password(given, user)
    user.save()
    noted(f"add the {'staff member' if user.is_staff else 'customer'} {name}")
    return hand_out(user, output, password_given)


def list_(given: Given, output: Output) -> int:
    found = User.objects.order_by("username")
    output.show(
        [described(user) for user in found],
        table(
            ("NAME", "STAFF", "CAN SIGN IN", "PASSWORD", "CONTAINERS", "EMAIL"),
            [
                (
                    u.username,
                    yes(u.is_staff),
                    yes(u.is_active),
                    yes(u.has_usable_password()),
                    owned(u),
                    u.email,
                )
                for u in found
            ],
        ),
    )
    return Code.OK


def password(given: Given, output: Output) -> int:
    user = chosen(given)
    set_here = read_password(given, user)
    if set_here:
        user.save(update_fields=["password"])
    did = "set the password of" if set_here else "make a set-password link for"
    noted(f"{did} {user.username}")
    return hand_out(user, output, set_here)


def disable(given: Given, output: Output) -> int:
    return let_in(chosen(given), False, output)


def enable(given: Given, output: Output) -> int:
    return let_in(chosen(given), True, output)


def reset_2fa(given: Given, output: Output) -> int:
    user = chosen(given)
    if second_factor.remove(user):
        noted(f"reset the second factor of {user.username}")
        output.say(f"The user {user.username} signs in with the password alone now.")
    else:
        output.say(f"The user {user.username} has no second factor.")
    output.show(described(user), [])
    return Code.OK


def let_in(user: User, active: bool, output: Output) -> int:
    if not active and is_last_of_staff(user):
        raise BadValue(BadValues.LAST_OF_STAFF, name=user.username)
    user.is_active = active
    user.save(update_fields=["is_active"])
    noted(f"{'enable' if active else 'disable'} {user.username}")
    how = "can sign in again" if active else "can no longer sign in, and is signed out everywhere"
    output.say(f"The user {user.username} {how}. {CONTAINERS_STAY if not active else ''}".rstrip())
    output.show(described(user), [])
    return Code.OK


def is_last_of_staff(user: User) -> bool:
    others = User.objects.filter(is_staff=True, is_active=True).exclude(pk=user.pk)
    return user.is_staff and not others.exists()


def read_password(given: Given, user: User) -> bool:
    """Whether one came on standard input; it is then the user's, not saved yet."""
    if "password_stdin" not in given:
        return False
    text = sys.stdin.readline().rstrip("\n")
    try:
        validate_password(text, user)
    except ValidationError as error:
        raise BadValue(BadValues.PASSWORD_WEAK, why=error.messages) from error
    user.set_password(text)
    return True


def hand_out(user: User, output: Output, password_set: bool) -> int:
    if password_set:
        output.say(f"The user {user.username} has a new password.")
        output.show(described(user), [])
        return Code.OK
    address = link(user)
    days = settings.PASSWORD_RESET_TIMEOUT // DAY
    output.say(
        f"Send {user.username} this link to set a password. It works once, within {days} days."
    )
    output.show({**described(user), "link": address}, [address])
    return Code.OK


def link(user: User) -> str:
    """Good once, and only while the password is what it is now."""
    if not os.access(settings.WEB / "secret.key", os.R_OK):
        raise no_access("the panel's secret key")  # another key's links open nothing
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    return f"{base()}{reverse('set_password', args=[uid, token])}"


def base() -> str:
    """Where people reach the panel: the first of PANEL_ALLOWED_HOSTS, else PANEL_HTTP."""
    named = os.environ.get("PANEL_ALLOWED_HOSTS", "").split(",")[0].strip()
    if named and named[0] not in ".*":
        port = "" if settings.SECURE or ":" in named else f":{settings.HTTP_PORT}"
        return f"{settings.SCHEME}://{named}{port}"
    return f"{settings.SCHEME}://{settings.HTTP}"


def described(user: User) -> dict[str, object]:
    return {
        "name": user.username,
        "staff": user.is_staff,
        "active": user.is_active,
        "email": user.email,
        "second_factor": second_factor.has(user),
        "has_password": user.has_usable_password(),
        "containers": owned(user),
        "last_login": user.last_login,
    }


def owned(user: User) -> int:
    return Container.objects.filter(owner=user).count()


def chosen(given: Given) -> User:
    found = User.objects.filter(username=given.operands["NAME"]).first()
    if found is None:
        raise BadValue(BadValues.NO_USER, name=given.operands["NAME"])
    return found


def yes(fact: bool) -> str:
    return "yes" if fact else "no"
