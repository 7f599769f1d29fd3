"""Which commands the storage drivers say, and how they read the answers."""

import shlex
from pathlib import Path

import pytest

from containers.node.errors import BadValue, OperationError
from containers.node.storage import Argv, Storage, Usage, load

FS = Path("/vz/private/101/fs")
TEMPLATE = Path("/vz/template/busybox@1/fs")
COPY = "cp --archive --reflink=auto --one-file-system --no-target-directory"


BTRFS, DIRECTORY = load("btrfs"), load("directory")


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (BTRFS.create(FS), f"btrfs subvolume create {FS}"),
        (BTRFS.snapshot(TEMPLATE, FS), f"btrfs subvolume snapshot {TEMPLATE} {FS}"),
        (
            BTRFS.snapshot(TEMPLATE, FS, readonly=True),
            f"btrfs subvolume snapshot -r {TEMPLATE} {FS}",
        ),
        (BTRFS.seal(FS), f"btrfs property set -ts {FS} ro true"),
        (BTRFS.delete(FS), f"btrfs subvolume delete {FS}"),
        (BTRFS.limit(FS, 1 << 30), f"btrfs qgroup limit 1073741824 {FS}"),
        (BTRFS.limit(FS, None), f"btrfs qgroup limit none {FS}"),
        (BTRFS.usage(FS), f"btrfs qgroup show --raw -r -f --sync {FS}"),
        (BTRFS.usage(FS, fresh=False), f"btrfs qgroup show --raw -r -f {FS}"),
        (BTRFS.usages(Path("/vz")), "btrfs qgroup show --raw /vz"),
        (BTRFS.identity(FS), f"btrfs subvolume show {FS}"),
        (DIRECTORY.create(FS), f"mkdir {FS}"),
        (DIRECTORY.snapshot(TEMPLATE, FS), f"{COPY} {TEMPLATE} {FS}"),
        (DIRECTORY.snapshot(TEMPLATE, FS, readonly=True), f"{COPY} {TEMPLATE} {FS}"),
        (DIRECTORY.seal(FS), "true"),
        (DIRECTORY.delete(FS), f"rm --recursive --force --one-file-system {FS}"),
        (DIRECTORY.limit(FS, None), "true"),
        (DIRECTORY.usage(FS), f"du --summarize --one-file-system --block-size=1 {FS}"),
        (DIRECTORY.usage(FS, fresh=False), f"du --summarize --one-file-system --block-size=1 {FS}"),
        (DIRECTORY.identity(FS), "true"),
    ],
)
def test_a_driver_says(argv: Argv, line: str) -> None:
    assert shlex.join(argv) == line


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


def test_usages_are_told_by_number() -> None:
    said = b"""\
Qgroupid    Referenced    Exclusive Path
--------    ----------    --------- ----
0/5              16384        16384 <toplevel>
0/257        104873984        16384 private/101/fs
1/101        104923136        65536 <1 member qgroups>
"""
    assert BTRFS.parse_usages(said) == {"0/5": 16384, "0/257": 104873984}
    assert DIRECTORY.parse_usages(b"") == {}


def test_usage_without_quotas_is_an_error_one_can_read() -> None:
    with pytest.raises(OperationError, match="quotas may be off"):
        load("btrfs").parse_usage(b"")


def test_nothing_is_nested_in_a_plain_directory() -> None:
    def ask(argv: Argv) -> bytes:
        raise AssertionError

    assert DIRECTORY.delete_nested(FS, ask) == []


@pytest.mark.parametrize(
    ("driver", "limits", "shares", "knows"),
    [(BTRFS, True, True, True), (DIRECTORY, False, False, False)],
    ids=["btrfs", "directory"],
)
def test_a_driver_answers_what_it_is_asked(
    driver: Storage, limits: bool, shares: bool, knows: bool
) -> None:
    """Three questions: a driver may share blocks without limits, or have limits without."""
    assert driver.has_limits is limits
    assert driver.shares_blocks is shares
    assert driver.knows_usage is knows


@pytest.mark.parametrize("driver", [BTRFS, DIRECTORY], ids=["btrfs", "directory"])
def test_what_marks_an_area_goes_with_it_whatever_it_is_called(
    driver: Storage, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    mark = driver.mark(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    assert driver.mark(tmp_path / "b") == mark
    assert mark


def test_a_directory_is_told_from_another_by_its_mark(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    assert DIRECTORY.mark(tmp_path / "a") != DIRECTORY.mark(tmp_path / "b")


def test_plain_directories_say_that_they_cannot_be_limited() -> None:
    with pytest.raises(BadValue, match="disk space can't be limited here"):
        DIRECTORY.limit(FS, 1 << 30)


def test_usage_is_read_from_what_du_says() -> None:
    assert DIRECTORY.parse_usage(b"4096\t/vz/private/101/fs\n") == Usage(4096)
    with pytest.raises(OperationError, match="du does not say"):
        DIRECTORY.parse_usage(b"du: cannot access\n")


@pytest.mark.parametrize(
    ("flags", "identity"),
    [("readonly", "c4d1"), ("-", "")],
    ids=["sealed", "one that may be written to"],
)
def test_what_btrfs_says_of_a_sealed_area_tells_it_from_any_other(
    flags: str, identity: str
) -> None:
    said = f"private/101/fs\n\tName: \t\tfs\n\tUUID: \t\tc4d1\n\tFlags: \t\t{flags}\n"
    assert BTRFS.parse_identity(said.encode()) == identity
    assert DIRECTORY.parse_identity(said.encode()) == ""


def test_a_driver_that_is_not_there_is_named() -> None:
    with pytest.raises(BadValue, match="no storage driver zfs"):
        load("zfs")
