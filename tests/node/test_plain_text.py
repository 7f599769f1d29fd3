"""Text written for a terminal, as a reader sees it."""

import pytest

from containers.node.plain_text import plain, plain_pieces

SAID = [
    ("\x1b[1;34m==>\x1b[0m mount its file system", "==> mount its file system"),
    ("\x1b[38;2;1;2;3mink\x1b[K", "ink"),
    ("\x9b1;34mtwo bytes or one\x9b0m", "two bytes or one"),
    ("\x1b]0;a title\x07text", "text"),
    ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
    ("\x9d0;a title\x9ctext", "text"),
    ("\x1bPquery\x1b\\text", "text"),
    ("\x1b]0;never ended\nthe next line", "\nthe next line"),
    ("\x1b(B\x1b=\x1b7text\x1b", "text"),
    ("10%\r20%\r100%", "100%"),
    ("10%\r100%\r", "100%"),
    ("one\r\ntwo\r\n", "one\ntwo\n"),
    ("bell\x07 back\x08space \ttab", "bell backspace \ttab"),
    ("grüße <b>&amp;", "grüße <b>&amp;"),
]


@pytest.mark.parametrize(("written", "seen"), SAID)
def test_escape_codes_are_not_read(written: str, seen: str) -> None:
    assert plain(written) == seen


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
def test_it_makes_no_difference_where_the_pieces_end(size: int) -> None:
    written = "\n".join(text for text, _ in SAID)
    data = written.encode()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert b"".join(plain_pieces(pieces)).decode() == "\n".join(seen for _, seen in SAID)


def test_a_line_without_an_end_is_not_waited_for() -> None:
    pieces = plain_pieces(b"\x1b[1mx" * 10_000 for _ in range(20))
    assert len(next(pieces)) > 10_000


def test_bytes_that_are_no_text_leave_a_mark() -> None:
    assert b"".join(plain_pieces([b"a\xff", b"b\xc3"])).decode() == "a\ufffdb\ufffd"
