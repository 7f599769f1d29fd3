"""What a pool would need, told without changing anything."""

from pathlib import Path

import pytest

from containers.node.conf import NodeConf
from containers.node.errors import BadValue
from containers.node.storage import mounts, pool


def alpha(state: Path) -> NodeConf:
    return NodeConf(name="alpha", state=state, vz=state / "vz", etc=state / "etc")


@pytest.mark.parametrize(
    ("text", "size"), [("4096", 4096), ("50G", 50 << 30), ("512m", 512 << 20), (" 1T ", 1 << 40)]
)
def test_the_size_of_the_image_is_read_with_its_unit(text: str, size: int) -> None:
    assert pool.size_in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1G", "1.5G", "10 GiB", "1G;reboot"])
def test_a_size_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="not a size"):
        pool.size_in_bytes(text)


def test_a_plan_names_what_would_be_made_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANEL_POOL_SIZE", "3G")
    conf = alpha(tmp_path / "state")
    sentences = pool.plan(conf)
    assert f"make the folder {conf.vz}" in sentences
    assert f"let the containers' runtimes pass {conf.run}/rootfs" in sentences
    assert not conf.state.exists()
    assert not conf.run.exists()


def test_a_plan_on_a_node_with_containers_in_plain_directories_mounts_nothing_over_them(
    tmp_path: Path,
) -> None:
    conf = alpha(tmp_path / "state")
    (conf.vz / "private" / "101").mkdir(parents=True)
    assert not [sentence for sentence in pool.plan(conf) if "mount" in sentence]


def test_a_mount_with_white_space_in_its_path_is_read() -> None:
    line = r"36 35 98:0 / /mnt/a\040b rw,noatime master:1 shared:2 - btrfs /dev/loop\0400 rw"
    assert mounts.parse(line) == mounts.Mount(Path("/mnt/a b"), "btrfs", "/dev/loop 0")


def test_a_path_that_is_not_there_yet_is_in_the_mount_above_it(tmp_path: Path) -> None:
    assert mounts.mount_of(tmp_path / "not" / "yet") == mounts.mount_of(tmp_path)
