"""What somebody types of people on a command line: an account with its password, files of keys."""

import sys
from collections.abc import Callable
from pathlib import Path

from containers.node.errors import BadValue, BadValues
from containers.node.lines import lines_in

KEYS = 64 * 1024  # bytes of a file of keys


def account(text: str, check: Callable[[str, str], str]) -> dict[str, str]:
    """USER:PASSWORD, "-" to read that from standard input; only the password's hash goes on.

    check: raises BadValue for a password that is too weak; called with it and with the user.
    """
    from containers.node.access import accounts

    if text == "-":
        text = sys.stdin.readline().rstrip("\n")
    user, colon, password = text.partition(":")
    if not colon:
        raise BadValue(BadValues.NOT_USER_PASSWORD)
    password = check(password, accounts.validate_user(user))
    return {"user": user, "hash": accounts.hash_password(password)}


def keys(text: str) -> list[str]:
    """The public keys in a file, as ~/.ssh/id_ed25519.pub or authorized_keys."""
    from containers.node.access import accounts

    lines = lines_in(file(text, most=KEYS).decode(errors="replace"))
    found = [accounts.validate_key(line) for line in lines if line.strip() and line[0] != "#"]
    if not found:
        raise BadValue(BadValues.NO_KEYS, path=text)
    return found


def file(text: str, *, most: int) -> bytes:
    """What is in a file, "-" for standard input; at most so many bytes."""
    try:
        if text == "-":
            found = sys.stdin.buffer.read(most + 1)
        else:
            with Path(text).open("rb") as source:
                found = source.read(most + 1)
    except OSError as error:
        raise BadValue(BadValues.FILE_UNREADABLE, path=text, why=error.strerror) from error
    if len(found) > most:
        raise BadValue(BadValues.FILE_LONG, path=text, most=most)
    return found
