"""What a script's text may be, by where it comes from: the table of the module, row by row."""

import pytest

from containers.node import actions
from containers.node.script_text import LARGEST, Flaw, Source, examine

TEXTS = {
    Flaw.TOO_LARGE: b"#!/bin/sh\n" + b"#" * LARGEST,
    Flaw.NUL: b"#!/bin/sh\n\0",
    Flaw.NOT_UTF8: b"#!/bin/sh\n# caf\xe9\n",
    Flaw.EMPTY: b" \n",
    Flaw.NO_INTERPRETER: b"echo here\n",
    Flaw.CRLF: b"#!/bin/sh\r\n",
}
TABLE = [
    (Flaw.TOO_LARGE, True, True, True),
    (Flaw.NUL, True, True, True),
    (Flaw.NOT_UTF8, True, False, False),
    (Flaw.EMPTY, True, True, True),
    (Flaw.NO_INTERPRETER, True, True, False),
    (Flaw.CRLF, False, False, False),
]  # of each flaw, whether an editor's text is refused for it, a file's, what is taken as it is


@pytest.mark.parametrize(
    ("flaw", "source", "refused"),
    [
        (flaw, source, refused)
        for flaw, *row in TABLE
        for source, refused in zip(Source, row, strict=True)
    ],
)
def test_a_flaw_is_refused_or_remarked(flaw: Flaw, source: Source, refused: bool) -> None:
    found = examine(TEXTS[flaw], actions.MOUNT, source)
    assert flaw in (found.refused if refused else found.remarked)
    assert flaw not in (found.remarked if refused else found.refused)


def test_every_flaw_has_its_row() -> None:
    assert [flaw for flaw, *_ in TABLE] == list(Flaw)


@pytest.mark.parametrize("source", Source)
def test_line_1_does_not_matter_in_a_container(source: Source) -> None:
    found = examine(TEXTS[Flaw.NO_INTERPRETER], actions.START, source)
    assert (found.refused, found.remarked) == ([], [Flaw.NO_INTERPRETER])


@pytest.mark.parametrize("source", Source)
def test_a_plain_script_has_no_flaw(source: Source) -> None:
    body = b"#!/bin/sh\n" + "echo grüße\n".encode()
    found = examine(body, actions.MOUNT, source)
    assert (found.size, found.refused, found.remarked) == (len(body), [], [])


def test_a_script_may_be_exactly_as_large_as_the_limit() -> None:
    body = TEXTS[Flaw.TOO_LARGE][:LARGEST]
    assert not examine(body, actions.MOUNT, Source.EDITOR).refused
