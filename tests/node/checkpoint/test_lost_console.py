"""The mount of a console that is gone, as one of something that is there."""

from pathlib import Path

import pytest

from containers.node.checkpoint import lost_console
from containers.node.checkpoint.userids import LENGTH, fields, varint
from containers.node.errors import OperationError

MAGIC = b"\x19\x43\x56\x54\x98\x60\x54\x59"


def mount(where: bytes, *, deleted: bool) -> bytes:
    """As CRIU's mnt.proto has it: id, root, place, and whether it has no name any more."""
    text = b"".join(varint(n << 3 | 2) + varint(len(t)) + t for n, t in ((6, b"/0"), (7, where)))
    return varint(2 << 3) + varint(301) + text + (varint(16 << 3) + b"\1" if deleted else b"")


def image(*mounts: bytes) -> bytes:
    return MAGIC + b"".join(LENGTH.pack(len(each)) + each for each in mounts)


def test_only_the_console_gets_its_name_back(tmp_path: Path) -> None:
    gone = mount(b"/dev/console", deleted=True)
    other = mount(b"/mnt/file", deleted=True)
    path = tmp_path / "mountpoints-12.img"
    path.write_bytes(image(other, gone))

    assert lost_console.images(tmp_path) == [path]
    assert lost_console.found(path) == image(other, mount(b"/dev/console", deleted=False))
    assert (2 << 3, 301) in list(fields(gone))


def test_a_console_that_was_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mountpoints-12.img").write_bytes(image(mount(b"/dev/console", deleted=False)))
    assert lost_console.images(tmp_path) == []


def test_an_image_that_is_none_is_named(tmp_path: Path) -> None:
    whole = image(mount(b"/dev/console", deleted=True))
    (tmp_path / "mountpoints-12.img").write_bytes(whole[:-3])
    with pytest.raises(OperationError, match=r"mountpoints-12\.img"):
        lost_console.images(tmp_path)
