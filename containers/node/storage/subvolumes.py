"""Which btrfs subvolumes are nested in which, as the kernel itself knows it.

Not read from `btrfs subvolume list`: it prints names as they are, and whoever names a subvolume may
put a line of another in there.
"""

import fcntl
import os
import struct
from pathlib import Path

from containers.node.descriptors import closing

TREE_SEARCH = 0xD0009411  # BTRFS_IOC_TREE_SEARCH: a key of 104 bytes, and room for what is found
ROOT_TREE, ROOT_REF = 1, 156  # an item (parent, ROOT_REF, child) for each subvolume in another
KEY, HEADER = struct.Struct("=7Q4I4Q"), struct.Struct("=3Q2I")
ROOM = 4096 - KEY.size
HIGHEST = 2**64 - 1


def nested(path: Path, number: int) -> list[int]:
    """The numbers of all that are in the one with this number, the outermost first.

    path: any directory of that file system. Raises OSError.
    """
    with closing(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as fd:
        found, look = [], [number]
        while look:
            inner = children(fd, look.pop(0))
            found += inner
            look += inner
        return found


def children(fd: int, parent: int) -> list[int]:
    found: list[int] = []
    while True:
        least = found[-1] + 1 if found else 0
        key = KEY.pack(ROOT_TREE, parent, parent, least, HIGHEST, 0, HIGHEST, ROOT_REF, ROOT_REF,
                       ROOM // HEADER.size, 0, 0, 0, 0, 0)  # fmt: skip
        answer = bytearray(key + bytes(ROOM))
        fcntl.ioctl(fd, TREE_SEARCH, answer)
        count = KEY.unpack_from(answer)[9]
        if not count:
            return found
        at = KEY.size
        for _ in range(count):
            _, _, child, _, length = HEADER.unpack_from(answer, at)
            found.append(child)
            at += HEADER.size + length
