"""What CRIU's images say of the mounts in a container."""

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path

from containers.node.checkpoint.obstacles import plain
from containers.node.checkpoint.userids import LENGTH, MAGIC, fields

# CRIU's images/mnt.proto
KIND, WHERE = 1, 7
OVERLAY = 17


def overlays(images: Path) -> list[str]:
    """Where overlays were mounted; a mount again would take their directories for the node's."""
    found: set[str] = set()
    for path in images.glob("mountpoints-*.img"):
        with contextlib.suppress(ValueError, IndexError, struct.error):  # the manifest tells that
            found.update(overlays_in(path.read_bytes()))
    return sorted(found)


def overlays_in(image: bytes) -> Iterator[str]:
    for message in messages(image):
        said = {key >> 3: value for key, value in fields(message)}
        where = said.get(WHERE)
        if said.get(KIND) == OVERLAY and isinstance(where, bytes):
            yield plain(where.decode(errors="replace"))


def messages(image: bytes) -> Iterator[bytes]:
    """What is in one; raises ValueError, IndexError or struct.error when it can't be read."""
    at = MAGIC
    while at < len(image):
        (length,) = LENGTH.unpack_from(image, at)
        at += LENGTH.size
        yield image[at : at + length]
        at += length
