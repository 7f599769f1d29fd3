"""Opens an archive as a stream of tar entries, and takes a damaged one for what it is."""

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from containers.node.errors import BadValue, BadValues, Unfits
from containers.node.processes.run import call
from containers.node.templates.shift import Unfit

LONGEST_HEADER = 1 << 20  # of a long name or extended header, which tarfile holds in memory
HEADERS = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
           tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}  # fmt: skip
ZSTD = b"\x28\xb5\x2f\xfd"
OPENERS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"BZh": bz2.open,
}
DAMAGE = (tarfile.TarError, EOFError, ValueError, RecursionError,
          gzip.BadGzipFile, lzma.LZMAError, zlib.error)  # fmt: skip


def opened(archive: Path, unzipped: Path) -> IO[bytes]:
    """The archive's tar stream, whatever it is compressed with (zstd: into the file unzipped)."""
    try:
        with archive.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadValue(BadValues.FILE_ODD, path=archive)
            magic = file.read(8)
    except OSError as e:
        raise BadValue(BadValues.FILE_UNREADABLE, path=archive, why=e.strerror) from e
    if magic.startswith(ZSTD):
        call(["zstd", "--decompress", "--quiet", "--force", f"{archive}", "-o", f"{unzipped}"],
             timeout=3600)  # fmt: skip
        return unzipped.open("rb")
    for start, opener in OPENERS.items():
        if magic.startswith(start):
            stream: IO[bytes] = opener(archive)
            return stream
    return archive.open("rb")


class Entry(tarfile.TarInfo):
    """tarfile takes a bad header for the end, and any header into memory, unless told not to."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "Entry":
        try:
            return super().fromtarfile(tarfile_)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as e:  # type: ignore[attr-defined]
            raise Unfit(Unfits.NOT_AN_ARCHIVE, why=e) from e

    def _proc_member(self, tarfile_: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in HEADERS and self.size > LONGEST_HEADER:
            raise Unfit(Unfits.HEADER_LONG)
        return super()._proc_member(tarfile_)  # type: ignore[misc,no-any-return]
