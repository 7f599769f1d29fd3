"""Which of the node's ids stand for which container's: given out, taken back, found on a disk."""

import os
from pathlib import Path

import pytest

from containers.node import ids
from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.node.ids import SIZE, Range

BLOCK = 1_000_000_000
FORMER = 200000
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: ownership")


@pytest.fixture
def conf(tmp_path: Path) -> NodeConf:
    """Node alpha, with room for four containers."""
    conf = NodeConf("alpha", tmp_path / "state", tmp_path / "vz", tmp_path / "etc")
    conf.etc.mkdir()
    conf.vz_conf.write_text(
        f'UID_BASE="{FORMER}"\nUID_BLOCK_BASE="{BLOCK}"\nUID_BLOCK_SIZE="{4 * SIZE}"\n'
    )
    return conf


def area(conf: NodeConf, name: str, owner: int) -> Path:
    path = conf.vz / name
    path.mkdir(parents=True)
    os.chown(path, owner, owner)
    return path


def test_each_container_is_given_a_range_once(conf: NodeConf) -> None:
    first, second = ids.give(conf, 101), ids.give(conf, 102)
    assert first == Range(BLOCK, SIZE)
    assert second == Range(BLOCK + SIZE, SIZE)
    assert ids.give(conf, 101) == ids.of(conf, 101) == first


def test_one_without_a_range_has_that_which_all_once_shared(conf: NodeConf) -> None:
    assert ids.of(conf, 101) == Range(FORMER, SIZE)


def test_a_range_that_was_taken_back_is_given_again_last(conf: NodeConf) -> None:
    first = ids.give(conf, 101)
    ids.take_back(conf, 101)
    ids.take_back(conf, 101)
    later = [ids.give(conf, ctid) for ctid in (102, 103, 104, 105)]
    assert later[-1] == first
    assert len({each.base for each in later}) == 4


def test_when_none_is_left_that_is_said(conf: NodeConf) -> None:
    for ctid in range(101, 105):
        ids.give(conf, ctid)
    with pytest.raises(OperationError, match="UID_BLOCK_SIZE"):
        ids.give(conf, 105)


def test_the_one_that_its_row_names_is_given_if_it_is_nobodys(conf: NodeConf) -> None:
    wanted = BLOCK + 2 * SIZE
    assert ids.give(conf, 101, wanted).base == wanted
    assert ids.give(conf, 102, wanted).base != wanted
    assert ids.give(conf, 103, BLOCK + 1).base != BLOCK + 1  # no range begins there


@root_only
@pytest.mark.parametrize(
    "name", ["private/101/fs", "snapshots/101/uuid/fs", "old/101/7/fs", "template/debian@1/fs"]
)
def test_a_range_that_is_on_the_disk_is_not_given(conf: NodeConf, name: str) -> None:
    area(conf, name, BLOCK + 5)
    area(conf, "private/102/fs", 0)
    assert [ids.give(conf, ctid).base for ctid in (201, 202, 203)] == [
        BLOCK + SIZE, BLOCK + 2 * SIZE, BLOCK + 3 * SIZE,
    ]  # fmt: skip


@root_only
@pytest.mark.parametrize(
    ("owner", "base"),
    [
        (0, 0),
        (SIZE - 1, 0),  # whatever its root makes of it
        (FORMER + 33, FORMER),
        (BLOCK + SIZE + 33, BLOCK + SIZE),
    ],
)
def test_an_area_tells_its_range_whoever_owns_it(conf: NodeConf, owner: int, base: int) -> None:
    assert ids.on_disk(conf, area(conf, "private/101/fs", owner)) == Range(base, SIZE)


@root_only
def test_an_area_that_is_nobodys_is_refused(conf: NodeConf) -> None:
    with pytest.raises(OperationError, match="belongs to id 70000, which is no container's"):
        ids.on_disk(conf, area(conf, "private/101/fs", 70000))


def test_a_block_is_found_beside_what_others_have(
    conf: NodeConf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uids, gids = tmp_path / "subuid", tmp_path / "subgid"
    uids.write_text("root:200000:65536\nbob:265536:65536\n")
    gids.write_text("carol:331072:1000\n")
    monkeypatch.setattr(ids, "FILES", (uids, gids))
    block = ids.free(ids.BLOCK)
    assert block == Range(6 * SIZE, ids.BLOCK)
    ids.reserve(block)
    ids.reserve(block)
    assert ids.reserved(block)
    assert uids.read_text().count(f"root:{block.base}:{block.size}\n") == 1
    with pytest.raises(OperationError, match="somebody else's from 265536 on"):
        ids.reserve(Range(200000, 2 * SIZE))


@root_only
def test_the_lines_that_were_added_go_again_unless_files_have_the_ids(
    conf: NodeConf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = "root:300000:65536\nbob:100000:65536\n"
    files = tmp_path / "subuid", tmp_path / "subgid"
    for file in files:
        file.write_text(before)
    files[1].write_text(f"{before}root:{BLOCK}:{4 * SIZE}\n")  # was there before
    monkeypatch.setattr(ids, "FILES", files)
    ids.reserve(ids.whole(conf), ids.note_of(conf))
    raised = area(conf, "private/101/fs", BLOCK + SIZE)
    area(conf, "private/102/fs", 0)
    assert ids.remove(conf) == [
        f"the reserved ids stay: files in {conf.vz} belong to {BLOCK + SIZE} and up"
    ]
    os.chown(raised, 0, 0)
    line = f"root:{BLOCK}:{4 * SIZE}"
    assert ids.remove(conf) == [f"the line {line} is removed from {files[0]}"]
    assert files[0].read_text() == before
    assert line in files[1].read_text()
    assert ids.remove(conf) == []


def test_where_no_whole_block_is_free_a_smaller_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "subuid"
    file.write_text(f"bob:200000:{2**32 - 200000 - ids.BLOCK // 2 - 2}\n")
    monkeypatch.setattr(ids, "FILES", (file,))
    assert SIZE * 16 <= ids.free(ids.BLOCK).size < ids.BLOCK
    file.write_text(f"bob:200000:{2**32 - 200000 - 5}\n")
    with pytest.raises(OperationError, match="no free range of ids"):
        ids.free(ids.BLOCK)
