"""The console in a dump of a container that had lost its own.

Its terminal goes with the monitor that holds it. CRIU dumps the mount of what is deleted then, and
brings none back: with the name that the mount still has there, it does.
"""

import struct
from pathlib import Path

from containers.node.checkpoint.userids import LENGTH, MAGIC, fields
from containers.node.checkpoint.watches import encoded, messages
from containers.node.errors import OperationError, Problem

IMAGES = "mountpoints-*.img"
WHERE, DELETED = 7, 16  # fields of CRIU's images/mnt.proto: where it is, whether it has no name
CONSOLE = b"/dev/console"


def images(folder: Path) -> list[Path]:
    """Those in which it is. Raises OperationError when one can't be read."""
    return [path for path in sorted(folder.glob(IMAGES)) if found(path) != path.read_bytes()]


def found(path: Path) -> bytes:
    """The image with it."""
    try:
        return with_console(path.read_bytes())
    except (IndexError, ValueError, struct.error) as e:
        raise OperationError(Problem.IMAGE_UNREADABLE, name=path.name) from e


def with_console(image: bytes) -> bytes:
    return image[:MAGIC] + b"".join(
        LENGTH.pack(len(each)) + each for each in map(standing, messages(image))
    )


def standing(mount: bytes) -> bytes:
    """One mount, as one of something that is there."""
    parts = list(fields(mount))
    if (WHERE << 3 | 2, CONSOLE) not in parts:
        return mount
    return b"".join(encoded(key, value) for key, value in parts if key >> 3 != DELETED)
