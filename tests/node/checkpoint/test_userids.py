"""The node's ids in the images of a dump: bytes in, bytes out."""

import os
import struct
from pathlib import Path

import pytest

from containers.node.checkpoint import userids
from containers.node.checkpoint.userids import CGROUP, USERNS, moved
from containers.node.errors import OperationError
from containers.node.ids import Range

OLD, NEW = Range(200000), Range(1_000_000_000)
MAGIC = struct.pack("<II", 0x54564319, 0x55474906)
# {1: 0, 2: 200000, 3: 65536} twice, as CRIU 4.2.1 writes a user namespace
EXTENT = bytes.fromhex("0800 10c09a0c 18808004".replace(" ", ""))
MAPS = b"\x0a" + bytes([len(EXTENT)]) + EXTENT + b"\x12" + bytes([len(EXTENT)]) + EXTENT


def image(*messages: bytes) -> bytes:
    return MAGIC + b"".join(struct.pack("<I", len(each)) + each for each in messages)


def within(number: int, message: bytes) -> bytes:
    return bytes([number << 3 | 2]) + userids.varint(len(message)) + message


def permissions(uid: bytes) -> bytes:
    return b"\x08\xed\x03" + b"\x10" + uid + b"\x18" + uid


def test_a_user_namespace_maps_to_the_other_range() -> None:
    extent = bytes.fromhex("0800 108094ebdc03 18808004".replace(" ", ""))
    assert moved(image(MAPS), USERNS, OLD, NEW) == image(within(1, extent) + within(2, extent))


def test_there_and_back_is_as_it_was() -> None:
    there = moved(image(MAPS, MAPS), USERNS, OLD, NEW)
    assert moved(there, USERNS, NEW, OLD) == image(MAPS, MAPS)


def test_control_groups_at_any_depth_get_their_new_owner_and_the_nodes_stay_its_own() -> None:
    def groups(uid: bytes) -> bytes:
        file = within(1, b"cgroup.procs") + within(2, b"") + within(3, permissions(uid))
        inner = within(1, b"init.scope") + within(3, file) + within(4, permissions(b"\0"))
        outer = within(1, b"/x") + within(2, inner) + within(3, file) + within(4, permissions(uid))
        controller = within(1, b"name=systemd") + within(2, outer)
        return within(1, b"\x08\x01" + within(2, within(1, b"cpu"))) + within(2, controller)

    old, new = b"\xe1\x9a\x0c", b"\xa1\x94\xeb\xdc\x03"  # 33 of each
    assert moved(image(groups(old)), CGROUP, OLD, NEW) == image(groups(new))


@pytest.mark.parametrize(
    "broken", [b"\x0a\x7f\x00", b"\x0b", b"\x0a", b"\x80", b"\x0a\x02\x10\x80"]
)
def test_what_is_no_message_is_an_error(tmp_path: Path, broken: bytes) -> None:
    images = tmp_path / "img"
    images.mkdir()
    (images / "userns-9.img").write_bytes(image(broken))
    with pytest.raises(OperationError, match=r"userns-9\.img can't be read"):
        userids.move(images, tmp_path / "moved", OLD, NEW)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: ownership")
def test_a_moved_dump_is_a_copy_that_the_other_containers_root_may_read(tmp_path: Path) -> None:
    images, target = tmp_path / "img", tmp_path / "moved"
    images.mkdir()
    (images / "userns-9.img").write_bytes(image(MAPS))
    (images / "pages-1.img").write_bytes(b"memory")
    userids.move(images, target, OLD, NEW)
    assert (images / "userns-9.img").read_bytes() == image(MAPS)
    assert (target / "userns-9.img").read_bytes() != image(MAPS)
    assert (target / "pages-1.img").read_bytes() == b"memory"
    for path in (target, *target.iterdir()):
        found = path.stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o007) == (0, NEW.base, 0)
