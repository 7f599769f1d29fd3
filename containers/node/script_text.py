"""What the text of a script has to be.

flaw            editor             file (pctl save)   taken over as it is
too-large       refused            refused            refused
nul             refused            refused            refused
not-utf8        refused            remarked           remarked
empty           refused            refused            refused
no-interpreter  refused on a node  refused on a node  remarked
crlf            remarked           remarked           remarked

What runs in the container is given to a shell there: line 1 does not matter. An editor shows and
sends back characters, so that bytes which are none would not come back as they were.
"""

from dataclasses import dataclass
from enum import StrEnum

from containers.node.actions import Action, Where

LARGEST = 1 << 20  # bytes


class Flaw(StrEnum):
    TOO_LARGE = "too-large"
    NUL = "nul"
    NOT_UTF8 = "not-utf8"
    EMPTY = "empty"
    NO_INTERPRETER = "no-interpreter"
    CRLF = "crlf"


class Source(StrEnum):
    """How a text comes to the panel."""

    EDITOR = "editor"
    FILE = "file"
    AS_IT_IS = "as it is"


ALWAYS = frozenset({Flaw.TOO_LARGE, Flaw.NUL, Flaw.EMPTY})
REFUSED = {
    Source.EDITOR: ALWAYS | {Flaw.NOT_UTF8, Flaw.NO_INTERPRETER},
    Source.FILE: ALWAYS | {Flaw.NO_INTERPRETER},
    Source.AS_IT_IS: ALWAYS,
}


@dataclass(frozen=True)
class Examination:
    """What was found, the worst first. size: bytes it has."""

    size: int
    refused: list[Flaw]
    remarked: list[Flaw]


def examine(body: bytes, action: Action, source: Source) -> Examination:
    refused = REFUSED[source]
    if action.where is Where.CONTAINER:
        refused -= {Flaw.NO_INTERPRETER}
    return Examination(
        len(body),
        [flaw for flaw in flaws(body) if flaw in refused],
        [flaw for flaw in flaws(body) if flaw not in refused],
    )


def flaws(body: bytes) -> list[Flaw]:
    found = {
        Flaw.TOO_LARGE: len(body) > LARGEST,
        Flaw.NUL: b"\0" in body,
        Flaw.NOT_UTF8: not utf8(body),
        Flaw.EMPTY: not body.strip(),
        Flaw.NO_INTERPRETER: not body.startswith(b"#!"),
        Flaw.CRLF: b"\r\n" in body,
    }
    return [flaw for flaw, there in found.items() if there]


def utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
