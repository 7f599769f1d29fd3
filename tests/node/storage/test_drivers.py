"""Which commands the storage drivers say, and how they read the answers."""

from pathlib import Path

import pytest

from containers.node.errors import BadValue, OperationError
from containers.node.storage import Usage, load

FS = Path("/vz/private/101/fs")
TEMPLATE = Path("/vz/template/busybox@1/fs")


def test_btrfs_copies_a_template_as_a_snapshot() -> None:
    btrfs = load("btrfs")
    assert btrfs.create(FS) == ["btrfs", "subvolume", "create", "/vz/private/101/fs"]
    assert btrfs.snapshot(TEMPLATE, FS) == [
        "btrfs", "subvolume", "snapshot", "/vz/template/busybox@1/fs", "/vz/private/101/fs",
    ]  # fmt: skip
    assert btrfs.snapshot(TEMPLATE, FS, readonly=True)[3] == "-r"
    assert btrfs.delete(FS) == ["btrfs", "subvolume", "delete", "/vz/private/101/fs"]


def test_btrfs_limits_an_area_and_lifts_the_limit() -> None:
    btrfs = load("btrfs")
    assert btrfs.limits
    assert btrfs.limit(FS, 1 << 30) == [
        "btrfs", "qgroup", "limit", "1073741824", "/vz/private/101/fs",
    ]  # fmt: skip
    assert btrfs.limit(FS, None)[3] == "none"


@pytest.mark.parametrize(
    ("line", "usage"),
    [
        (
            "0/257    157270016     52445184     157286400   a",
            Usage(157270016, 157286400, 52445184),
        ),
        ("0/257    157270016     52445184          none   a", Usage(157270016, None, 52445184)),
        ("0/257        16384        16384     157286400", Usage(16384, 157286400, 16384)),
    ],
)
def test_usage_and_limit_are_read_from_what_btrfs_says(line: str, usage: Usage) -> None:
    heading = "Qgroupid    Referenced    Exclusive  Max referenced   Path \n--------    ----\n"
    assert load("btrfs").parse_usage(f"{heading}{line}\n".encode()) == usage


def test_usage_without_quotas_is_an_error_one_can_read() -> None:
    with pytest.raises(OperationError, match="quotas may be off"):
        load("btrfs").parse_usage(b"")


def test_nested_subvolumes_are_found_however_deep_and_the_innermost_comes_first() -> None:
    listing = b"""\
ID 256 gen 17 parent 5 top level 5 path private/102/fs
ID 261 gen 24 parent 5 top level 5 path private/101/fs
ID 262 gen 24 parent 261 top level 261 path private/101/fs/nested
ID 263 gen 24 parent 262 top level 262 path private/101/fs/nested/a b
ID 264 gen 24 parent 263 top level 263 path private/101/fs/nested/a b/ID 9 gen 1 parent 256
ID 265 gen 24 parent 256 top level 256 path private/102/fs/other
"""
    from containers.node.storage.btrfs import Driver

    assert Driver().nested(261, listing) == [264, 263, 262]
    assert Driver().nested(265, listing) == []


def test_plain_directories_say_that_they_cannot_be_limited() -> None:
    directory = load("directory")
    assert not directory.limits
    with pytest.raises(BadValue, match="disk space can't be limited here"):
        directory.limit(FS, 1 << 30)
    assert directory.snapshot(TEMPLATE, FS) == [
        "cp", "--archive", "--reflink=auto", "--one-file-system", "--no-target-directory",
        "/vz/template/busybox@1/fs", "/vz/private/101/fs",
    ]  # fmt: skip
    assert directory.parse_usage(b"4096\t/vz/private/101/fs\n") == Usage(4096)


def test_a_driver_that_is_not_there_is_named() -> None:
    with pytest.raises(BadValue, match="no storage driver zfs"):
        load("zfs")
