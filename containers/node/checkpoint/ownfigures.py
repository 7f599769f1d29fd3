"""Files of lxcfs that a process had open when it was dumped: their size is no part of the dump.

Their text is made anew for each reader, and is a byte longer the next time; CRIU would take that
for another file. It asks nothing of a file whose size it has not noted, as of those in /proc.
"""

import struct
from collections.abc import Collection
from pathlib import Path

from containers.node.checkpoint.userids import BYTES, LENGTH, MAGIC, fields, varint
from containers.node.errors import OperationError, Problem

# CRIU's images/fdinfo.proto and images/regfile.proto
REGULAR = 3 << 3 | BYTES
NAME, SIZE = 6 << 3 | BYTES, 8 << 3


def forget_sizes(images: Path, places: Collection[str]) -> None:
    """places: paths in the container. Raises OperationError when the image can't be read."""
    path = images / "files.img"
    names = {place.lstrip("/").encode() for place in places}
    image = path.read_bytes() if path.exists() else b""
    if not any(name in image for name in names):
        return
    try:
        path.write_bytes(without_sizes(image, names))
    except (IndexError, ValueError, struct.error) as e:
        raise OperationError(Problem.IMAGE_UNREADABLE, name=path.name) from e


def without_sizes(image: bytes, names: Collection[bytes]) -> bytes:
    done, at = [image[:MAGIC]], MAGIC
    while at < len(image):
        (length,) = LENGTH.unpack_from(image, at)
        at += LENGTH.size
        message = image[at : at + length]
        if any(name in message for name in names):
            message = entry(message, names)
        done += [LENGTH.pack(len(message)), message]
        at += length
    return b"".join(done)


def entry(message: bytes, names: Collection[bytes]) -> bytes:
    """A FileEntry, without the size of its file if that is one of those."""
    done = b""
    for key, value in fields(message):
        if key == REGULAR and isinstance(value, bytes):
            found = list(fields(value))
            if any(each == NAME and bare(text) in names for each, text in found):
                value = b"".join(field(*each) for each in found if each[0] != SIZE)
        done += field(key, value)
    return done


def bare(name: int | bytes) -> bytes:
    return name.lstrip(b"./") if isinstance(name, bytes) else b""


def field(key: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(key) + varint(value)
    return varint(key) + (varint(len(value)) if key & 7 == BYTES else b"") + value
