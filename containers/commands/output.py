"""How pctl speaks: what was asked for on stdout, sentences on stderr, or all of it as JSON."""

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from containers.commands import plain
from containers.node.wording import capitalized


@dataclass
class Output:
    json: bool = False
    quiet: bool = False
    deaf: bool = False  # whoever read our output has gone
    raw: bool = False  # a log byte for byte, whoever reads it
    uncoloured: plain.Plain = field(default_factory=plain.Plain)

    def say(self, sentence: str) -> None:
        """A sentence for whoever sits there; --quiet leaves it out."""
        if not self.quiet:
            self.complain(sentence)

    def complain(self, sentence: str) -> None:
        with contextlib.suppress(OSError):
            print(capitalized(sentence), file=sys.stderr, flush=True)

    def show(self, thing: Any, lines: Iterable[str]) -> None:
        """The answer: as JSON, or as lines."""
        self.out("".join(f"{line}\n" for line in ([dumped(thing)] if self.json else lines)))

    def out(self, text: str) -> None:
        self.write(text.encode(errors="surrogateescape"))

    def log(self, data: bytes) -> None:
        """Bytes of an operation's log: to stdout, aside when that is for JSON.

        As they are, unless for the colour of the panel's own lines: that is for terminals.
        """
        file = sys.stderr if self.json else sys.stdout
        self.put(data if self.raw or not plain.wanted(file) else self.uncoloured(data))

    def log_ended(self) -> None:
        self.put(self.uncoloured.rest())

    def put(self, data: bytes) -> None:
        if not self.json:
            self.write(data)
        elif not self.quiet:
            with contextlib.suppress(OSError):
                sys.stderr.buffer.write(data)
                sys.stderr.flush()

    def write(self, data: bytes) -> None:
        """A reader that has gone, as head does, is no reason to stop what we are at."""
        if self.deaf:
            return
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
        except BrokenPipeError:
            self.deaf = True
            with contextlib.suppress(OSError):  # else Python complains at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def dumped(thing: Any) -> str:
    return json.dumps(thing, default=str, ensure_ascii=False)


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Lines with columns as wide as they need to be."""
    cells = [[f"{cell}" for cell in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return [
        "  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)).rstrip() for row in cells
    ]
