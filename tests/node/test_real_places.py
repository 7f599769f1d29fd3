"""Where a runtime mounts something there are real directories, or it isn't started at all."""

import os
from pathlib import Path

import pytest

from containers.node.bundle import require_real_places
from containers.node.trees.safe_tree import BadTree

MOUNTS = ["/proc", "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/run", "/run/lock", "/mnt/data"]


@pytest.fixture
def fs(tmp_path: Path) -> Path:
    for name in ("proc", "dev", "sys", "run", "mnt/data", "elsewhere"):
        (tmp_path / "fs" / name).mkdir(parents=True)
    return tmp_path / "fs"


def test_directories_and_what_is_missing_are_fine(fs: Path) -> None:
    require_real_places(fs, MOUNTS)
    (fs / "run").rmdir()
    (fs / "mnt/data").rmdir()
    require_real_places(fs, MOUNTS)


@pytest.mark.parametrize(
    ("place", "named"),
    [("dev", "/dev"), ("proc", "/proc"), ("run", "/run"), ("sys", "/sys"), ("mnt", "/mnt"),
     ("mnt/data", "/mnt/data")],
)  # fmt: skip
@pytest.mark.parametrize("target", ["/elsewhere", "../elsewhere", "/nowhere", "."])
def test_a_link_is_refused_wherever_it_leads(fs: Path, place: str, named: str, target: str) -> None:
    (fs / place).rename(fs / "was")
    (fs / place).symlink_to(target)
    with pytest.raises(BadTree, match=f" {named} in the container is a link, where a dir"):
        require_real_places(fs, MOUNTS)


@pytest.mark.parametrize("place", ["/dev", "/proc", "/run", "/sys"])
def test_nor_may_it_be_a_file(fs: Path, place: str) -> None:
    (fs / place.lstrip("/")).rmdir()
    os.mkfifo(fs / place.lstrip("/"))
    with pytest.raises(BadTree, match=f"{place} in the container is a fifo"):
        require_real_places(fs)


def test_a_file_may_be_bound_on_a_file(fs: Path) -> None:
    (fs / "mnt/data").rmdir()
    (fs / "mnt/data").touch()
    require_real_places(fs, MOUNTS)


def test_what_another_mount_hides_is_of_no_concern(fs: Path) -> None:
    (fs / "dev/pts").symlink_to("/elsewhere")
    (fs / "run/lock").symlink_to("/elsewhere")
    require_real_places(fs, MOUNTS)
