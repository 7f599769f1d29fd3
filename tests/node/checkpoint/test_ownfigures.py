"""The size of lxcfs' files is struck from a dump's image, and nothing else."""

from pathlib import Path

import pytest

from containers.node.checkpoint.ownfigures import NAME, REGULAR, SIZE, field, forget_sizes
from containers.node.checkpoint.userids import LENGTH
from containers.node.errors import OperationError

PLACES = ("/proc/stat", "/proc/meminfo")
MAGIC = b"\x19\x43\x56\x54\x41\x01\x03\x56"
FLAGS = 2 << 3


def file(name: bytes, size: int | None) -> bytes:
    """A FileEntry: of a regular file, with its id before it."""
    sized = b"" if size is None else field(SIZE, size)
    inner = field(FLAGS, 0) + field(NAME, name) + sized
    return field(2 << 3, 7) + field(REGULAR, inner)


def image(*messages: bytes) -> bytes:
    return MAGIC + b"".join(LENGTH.pack(len(each)) + each for each in messages)


def test_only_those_files_lose_their_size(tmp_path: Path) -> None:
    path = tmp_path / "files.img"
    others = file(b"/srv/proc/stat.txt", 12), file(b"/etc/passwd", 900), field(2 << 3, 3)
    path.write_bytes(image(others[0], file(b"proc/stat", 1220), *others[1:]))
    forget_sizes(tmp_path, PLACES)
    assert path.read_bytes() == image(others[0], file(b"proc/stat", None), *others[1:])


def test_an_image_without_them_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "files.img"
    path.write_bytes(b"not even an image")
    forget_sizes(tmp_path, PLACES)
    assert path.read_bytes() == b"not even an image"
    forget_sizes(tmp_path / "nothing", PLACES)


def test_an_image_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "files.img").write_bytes(MAGIC + LENGTH.pack(30) + b"\xffproc/stat")
    with pytest.raises(OperationError, match=r"files\.img"):
        forget_sizes(tmp_path, PLACES)
