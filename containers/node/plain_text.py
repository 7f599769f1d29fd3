"""What a reader sees of text that was written for a terminal: without its colours and cursor.

Orders to a terminal (ECMA-48) end with the line they are in, here: one that is never ended hides
no more than that.
"""

import codecs
import re
from collections.abc import Iterable, Iterator

ESCAPES = (
    re.compile(  # control sequences, strings up to their end, and the rest; as two bytes or one
        r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
        r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
        r"|\x1b[ -/]*[0-~]"
    )
)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
LONGEST = 64 << 10  # characters of a line that are waited for


def plain(text: str) -> str:
    """Whole lines of it. Of a line that was written over with a carriage return, the last text."""
    return "\n".join(map(shown, text.replace("\r\n", "\n").split("\n")))


def shown(line: str) -> str:
    return CONTROLS.sub("", ESCAPES.sub("", line).rstrip("\r").rpartition("\r")[2])


def plain_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same of bytes that come piece by piece; UTF-8, whatever they were."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    held = ""
    for piece in pieces:
        lines, end, held = (held + decoder.decode(piece)).rpartition("\n")
        if end:
            yield f"{plain(lines)}\n".encode()
        if len(held) > LONGEST:
            yield plain(held).encode()
            held = ""
    yield plain(held + decoder.decode(b"", final=True)).encode()
