"""The parts of a shift that need no root: capabilities and access lists."""

import struct

import pytest

from containers.node.errors import BadValue
from containers.node.templates.shift import Shift, Unfit

NET_RAW = 1 << 13
EFFECTIVE = 1
SETS = struct.pack("<IIII", NET_RAW, 0, 0, 0)
VERSION_2 = struct.pack("<I", 0x02000000 | EFFECTIVE) + SETS


def test_a_capability_becomes_one_of_the_containers_root() -> None:
    shifted = Shift(200000).capability(VERSION_2)
    assert shifted == struct.pack("<I", 0x03000000 | EFFECTIVE) + SETS + struct.pack("<I", 200000)
    assert Shift(200000).capability(shifted) == shifted


@pytest.mark.parametrize(
    "value",
    [
        struct.pack("<III", 0x01000000, NET_RAW, 0),  # a form of 2008
        struct.pack("<I", 0x03000000) + SETS + struct.pack("<I", 300000),  # another range's root
    ],
)
def test_a_capability_that_would_count_for_nobody_is_dropped(value: bytes) -> None:
    assert Shift(200000).capability(value) is None


def test_ids_in_an_access_list_are_raised_and_the_others_stay() -> None:
    user, owner, group = 0x02, 0x01, 0x08
    entries = [(owner, 7, 0xFFFFFFFF), (user, 5, 33), (group, 4, 4)]
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    raised = Shift(200000).access_list(value, "/var/www")
    assert [entry[2] for entry in struct.iter_unpack("<HHI", raised[4:])] == [
        0xFFFFFFFF, 200033, 200004,
    ]  # fmt: skip


@pytest.mark.parametrize(("number", "raised"), [(0, 200000), (65535, 265535), (200000, 200000)])
def test_ids_are_raised_once(number: int, raised: int) -> None:
    assert Shift(200000).raised(number, "/etc") == raised


@pytest.mark.parametrize("number", [65536, 199999, 265536, 4294967294])
def test_an_id_that_no_container_has_is_refused_with_the_files_name(number: int) -> None:
    with pytest.raises(Unfit, match=f"/etc/x belongs to id {number}"):
        Shift(200000).raised(number, "/etc/x")


def test_a_range_that_overlaps_the_nodes_own_ids_is_refused() -> None:
    with pytest.raises(BadValue, match="the node's own"):
        Shift(1000)
