"""What is kept of a container beside its disk, where nothing has to be asked of the disk."""

from pathlib import Path

import pytest

from containers.node import kept
from containers.node.conf import NodeConf
from containers.node.layout import Layout
from containers.node.storage import load

MIB = 1 << 20


@pytest.fixture
def paths(tmp_path: Path) -> Layout:
    return Layout(NodeConf(name="alpha", state=tmp_path, vz=tmp_path, etc=tmp_path), 101)


@pytest.mark.parametrize(
    ("written", "allowed"),
    [("", 400), ("DISKSPACE_KEPT=150", 150), ("DISKSPACE_KEPT=many", 400)],
)
def test_of_nothing_kept_it_is_known_without_asking(
    written: str, allowed: int, paths: Layout
) -> None:
    paths.node.vz_conf.write_text(f"{written}\n")
    found = kept.look(paths, load("btrfs"), 100, replaced=2)
    assert found == kept.Kept(snapshots=0, replaced=0, disk=0, allowed=allowed * MIB)


def test_where_there_is_no_limit_nothing_is_counted(paths: Layout) -> None:
    assert kept.look(paths, load("btrfs"), None, replaced=2) is None
    assert kept.look(paths, load("directory"), 100, replaced=2) is None
    paths.node.vz_conf.write_text("DISKSPACE_KEPT=unlimited\n")
    assert kept.look(paths, load("btrfs"), 100, replaced=2) is None
