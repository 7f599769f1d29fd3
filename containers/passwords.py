"""When a password is good enough: one rule for people, and for root in a container.

Needs Django's settings, but no rows.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from containers.node.access import accounts
from containers.node.errors import BadValue, BadValues


def check(text: str, name: str = "root", **about: str) -> str:
    """The password, for the user of this name. about: what else it must not resemble.

    Raises BadValue with all that is wrong with it, as sentences.
    """
    from django.contrib.auth.password_validation import validate_password  # pctl's help is quick
    from django.core.exceptions import ValidationError

    accounts.validate_password(text)
    whose: Any = SimpleNamespace(username=name, **about)
    try:
        validate_password(text, whose)
    except ValidationError as error:
        raise BadValue(BadValues.PASSWORD_WEAK, why=error.messages) from error
    return text
