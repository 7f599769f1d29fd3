"""How much of a log is kept: its beginning, its end, and a mark in the place of what lay between.

Offsets are those of what was said, so they stay right: the bytes of the cut are counted, only not
kept.
"""

from dataclasses import dataclass

MIB = 1 << 20
DEFAULT = 64  # MiB
BLOCK = 4096  # bytes: of a block that a hole covers in part nothing is given back
SLACK = 8  # a cut leaves room for an eighth of the end, so that it isn't moved at each write


@dataclass(frozen=True)
class Cut:
    """Bytes of a log that are not kept: from begin, up to end. Empty when there are none."""

    begin: int = 0
    end: int = 0

    def __bool__(self) -> bool:
        return self.end > self.begin

    def behind(self, offset: int) -> int:
        """Where a reader at an offset goes on."""
        return self.end if self.begin <= offset < self.end else offset

    def touches(self, begin: int, end: int) -> bool:
        return begin < self.end and self.begin < end

    @property
    def size(self) -> str:
        """As people read it."""
        length = self.end - self.begin
        return f"{length / MIB:.1f} MiB" if length >= MIB else f"{-(-length // 1024)} KiB"

    @property
    def mark(self) -> bytes:
        """What a reader is shown in its place; it has no offset of its own."""
        said = f"[ {self.size} of output were left out here: the log had reached its size limit ]"
        return f"\n\x1b[1;33m{said}\x1b[0m\n".encode()


@dataclass(frozen=True)
class Bound:
    """limit: bytes, of which the log keeps half from its beginning and half from its end."""

    limit: int = DEFAULT * MIB

    @property
    def head(self) -> int:
        return self.limit // 2

    @property
    def tail(self) -> int:
        return self.limit - self.head

    def cut(self, length: int, cut: Cut) -> Cut:
        """The cut in a log of this length; the one there was while that will do."""
        if length - max(self.head, cut.end) <= self.tail:
            return cut
        end = length - self.tail + self.tail // SLACK
        return Cut(self.head, end - end % BLOCK)
