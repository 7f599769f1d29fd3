"""Which container is meant: vzctl 4.11's rules for a CT ID, or a name in its place.

A CT ID is what strtol reads in base 10: leading blanks, "+" and zeros are fine, an empty word
is 0. Anything else is looked up as a name.
"""

import re

from containers.models import Container
from containers.node.errors import BadValue, BadValues, OperationError, Problem

WHOLE = re.compile(r"[ \t\n\v\f\r]*\+?([0-9]+)\Z")
HIGHEST = 2147483644


def read(word: str) -> int | None:
    """The CT ID it is; None when it can only be a name."""
    match = WHOLE.match(word)
    number = 0 if word == "" else int(match[1][-20:]) if match else None
    return None if number is None or number > HIGHEST else number


def find(word: str) -> Container:
    """Raises OperationError: 14 when there is no such container, 21 for what can be none."""
    found = look(word)
    if found is None:
        raise OperationError(Problem.NO_CONTAINER, ctid=read(word))
    return found


def look(word: str) -> Container | None:
    """None for a CT ID that is nobody's; a name that is nobody's is no CT ID: 21."""
    number = read(word)
    chosen = Container.objects.select_related("node", "template", "owner")
    if number == 0:
        raise BadValue(BadValues.CTID_ZERO)
    if number is not None:
        return chosen.filter(ctid=number).first()
    named = chosen.filter(name=word).first() if word else None
    if named is None:
        raise BadValue(BadValues.NOT_A_CTID, word=word)
    return named


def new(word: str) -> int:
    """A CT ID for a container that isn't there yet."""
    number = read(word)
    if number is None:
        raise BadValue(BadValues.NOT_A_CTID, word=word)
    return number
