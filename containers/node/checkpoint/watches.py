"""The files of its disk that a container's processes watch (inotify), in the images of a dump.

CRIU keeps such a file as btrfs names it, by the number of its subvolume and its own. A copy of the
disk is another subvolume: watched would be a file of the former one, or none could be found.
"""

import ctypes
import os
import struct
from collections.abc import Collection, Iterator
from pathlib import Path

from containers.node.checkpoint.userids import LENGTH, MAGIC, fields, varint
from containers.node.errors import OperationError, Problem

IMAGE = "files.img"
INOTIFY = varint(1 << 3) + varint(8)  # how an entry begins that is one of CRIU's FdTypes.INOTIFY
HANDLE = (13, 5, 7)  # fields: of the entry, a watch of it, what it watches (fsnotify.proto)
KIND, PARTS = 2, 3  # fields of a handle: who wrote it, and eight bytes a part
BTRFS = 0x4D  # FILEID_BTRFS_WITHOUT_PARENT: the file, its subvolume, …
AT_FDCWD, LARGEST = -100, 128


def moved(image: bytes, old: Collection[int], new: int) -> bytes:
    """files.img, whose watches are on another subvolume. Raises OperationError."""
    try:
        done = [exchanged(each, HANDLE, old, new) if each.startswith(INOTIFY) else each
                for each in messages(image)]  # fmt: skip
    except (IndexError, ValueError, struct.error) as e:
        raise OperationError(Problem.IMAGE_UNREADABLE, name=IMAGE) from e
    return image[:MAGIC] + b"".join(LENGTH.pack(len(each)) + each for each in done)


def messages(image: bytes) -> Iterator[bytes]:
    at = MAGIC
    while at < len(image):
        (length,) = LENGTH.unpack_from(image, at)
        at += LENGTH.size
        if at + length > len(image):
            raise ValueError("the end is missing")
        yield image[at : at + length]
        at += length


def exchanged(message: bytes, place: tuple[int, ...], old: Collection[int], new: int) -> bytes:
    if not place:
        return handle(message, old, new)
    done = b""
    for key, value in fields(message):
        if isinstance(value, bytes) and key >> 3 == place[0]:
            value = exchanged(value, place[1:], old, new)
        done += encoded(key, value)
    return done


def handle(message: bytes, old: Collection[int], new: int) -> bytes:
    parts = list(fields(message))
    places = [i for i, (key, _) in enumerate(parts) if key >> 3 == PARTS]
    if (KIND << 3, BTRFS) in parts and len(places) > 1 and parts[places[1]][1] in old:
        parts[places[1]] = parts[places[1]][0], new
    return b"".join(encoded(key, value) for key, value in parts)


def encoded(key: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(key) + varint(value)
    return varint(key) + (varint(len(value)) if key & 7 == 2 else b"") + value


def subvolume(path: Path) -> int | None:
    """The number of the one that a directory is of; None on another file system."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffer, mount = ctypes.create_string_buffer(8 + LARGEST), ctypes.c_int()
    struct.pack_into("Ii", buffer, 0, LARGEST, 0)
    if libc.name_to_handle_at(AT_FDCWD, os.fsencode(path), buffer, ctypes.byref(mount), 0):
        return None
    _, kind = struct.unpack_from("Ii", buffer, 0)
    return int(struct.unpack_from("QQ", buffer, 8)[1]) if kind == BTRFS else None
