"""What a container's processes watch on their disk, in the images of a dump."""

from pathlib import Path

import pytest

from containers.node.checkpoint import watches
from containers.node.checkpoint.userids import LENGTH, varint
from containers.node.errors import OperationError

MAGIC = b"\x19\x43\x56\x54\xd8\x2f\x30\x56"
HERE, THERE, ELSEWHERE = 258, 261, 300


def framed(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def plain(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def watching(*subvolumes: int, kind: int = watches.BTRFS, entry: int = 8) -> bytes:
    """An entry of files.img: one watch on each subvolume's file 12531, which has that as a flag,
    too."""
    marks = b"".join(
        framed(5, plain(5, 47) + framed(7, plain(1, 20) + plain(2, kind) + plain(3, 12531)
                                        + plain(3, each) + plain(3, 10)))
        for each in subvolumes
    )  # fmt: skip
    return plain(1, entry) + plain(2, 36) + framed(13, plain(2, HERE) + marks)


def image(*entries: bytes) -> bytes:
    return MAGIC + b"".join(LENGTH.pack(len(each)) + each for each in entries)


def test_only_watches_on_its_disk_go_to_another_one() -> None:
    socket, other = watching(HERE, entry=4), watching(HERE, kind=1)
    before = image(socket, watching(HERE, ELSEWHERE), other)
    assert watches.moved(before, {HERE}, THERE) == image(socket, watching(THERE, ELSEWHERE), other)
    assert watches.moved(before, (), THERE) == before


def test_an_image_that_is_none_is_named() -> None:
    with pytest.raises(OperationError, match=r"files\.img"):
        watches.moved(image(watching(HERE))[:-3], {HERE}, THERE)


def test_what_is_no_subvolume_has_no_number(tmp_path: Path) -> None:
    assert watches.subvolume(tmp_path / "nothing") is None
    assert watches.subvolume(Path("/proc")) is None
