"""The node's user ids in the images of a dump, exchanged for those of another range.

CRIU keeps nearly all ids as the container itself knows them. Those of the node are in two kinds of
image only: what its user namespace maps, and whose its control groups are.
"""

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from containers.node.errors import OperationError, Problem
from containers.node.ids import Range
from containers.node.processes.run import call

Schema = dict[int, Any]  # of a message: its fields with ids below them; ID for one that is an id
Exchange = Callable[[int], int]

ID = None
MAGIC, LENGTH = 8, struct.Struct("<I")  # an image: its magic, then messages, each behind its length
VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5  # how protobuf writes a field

# CRIU's images/userns.proto and images/cgroup.proto
EXTENT: Schema = {2: ID}
USERNS: Schema = {1: EXTENT, 2: EXTENT}
PERMISSIONS: Schema = {2: ID, 3: ID}
PROPERTY: Schema = {3: PERMISSIONS}
FOLDER: Schema = {3: PROPERTY, 4: PERMISSIONS}
FOLDER[2] = FOLDER
CGROUP: Schema = {2: {2: FOLDER}}
IMAGES = {"userns-*.img": USERNS, "cgroup.img": CGROUP}


def move(images: Path, target: Path, old: Range, new: Range) -> None:
    """Make a copy of a dump's images for a container of another range.

    Raises OperationError when they can't be read.
    """
    call(["cp", "--recursive", "--reflink=auto", "--no-target-directory",
          f"{images}", f"{target}"], timeout=3600)  # fmt: skip
    for pattern, schema in IMAGES.items():
        for path in target.glob(pattern):
            try:
                path.write_bytes(moved(path.read_bytes(), schema, old, new))
            except (IndexError, ValueError, struct.error) as e:
                raise OperationError(Problem.IMAGE_UNREADABLE, name=path.name) from e
    for path in target.iterdir():  # some are read as the container's root
        os.chown(path, 0, new.base)
        path.chmod(0o640)
    os.chown(target, 0, new.base)
    target.chmod(0o2750)


def moved(image: bytes, schema: Schema, old: Range, new: Range) -> bytes:
    """An image with the ids of the one range in place of the other's; raises ValueError."""

    def exchange(number: int) -> int:
        return number - old.base + new.base if number in old else number

    return exchanged(image, schema, exchange)


def exchanged(image: bytes, schema: Schema, exchange: Exchange) -> bytes:
    """An image with other numbers where the schema has them; raises ValueError."""
    done, at = image[:MAGIC], MAGIC
    while at < len(image):
        (length,) = LENGTH.unpack_from(image, at)
        at += LENGTH.size
        message = rewritten(image[at : at + length], schema, exchange)
        done += LENGTH.pack(len(message)) + message
        at += length
    return done


def rewritten(message: bytes, schema: Schema, exchange: Exchange) -> bytes:
    done = b""
    for key, value in fields(message):
        number, kind = key >> 3, key & 7
        below = schema.get(number, value)
        if isinstance(value, int):
            done += varint(key) + varint(exchange(value) if below is ID else value)
        elif kind == BYTES:
            inner = rewritten(value, below, exchange) if isinstance(below, dict) else value
            done += varint(key) + varint(len(inner)) + inner
        else:
            done += varint(key) + value
    return done


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """What a message holds: the key of each field, and its value."""
    at = 0
    while at < len(message):
        key, at = number(message, at)
        kind = key & 7
        if kind == VARINT:
            value, at = number(message, at)
            yield key, value
            continue
        length = {EIGHT_BYTES: 8, FOUR_BYTES: 4}.get(kind)
        if kind == BYTES:
            length, at = number(message, at)
        if length is None or at + length > len(message):
            raise ValueError("no message of protobuf's")
        yield key, message[at : at + length]
        at += length


def number(message: bytes, at: int) -> tuple[int, int]:
    """A varint, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def varint(value: int) -> bytes:
    done = b""
    while value >= 0x80:
        done += bytes([value & 0x7F | 0x80])
        value >>= 7
    return done + bytes([value])
