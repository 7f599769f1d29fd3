"""What mount scripts had mounted: told from what the container's root has, and compared."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from containers.node.checkpoint import images, mounts, scripted
from containers.node.checkpoint.mounts import Mount
from containers.node.checkpoint.saved import Saved
from containers.node.checkpoint.scripted import Scripted, Used
from containers.node.errors import OperationError

NODE = """
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 /private/101/fs /vz/root/101 rw,nosuid,nodev - btrfs /dev/loop0 rw
31 30 0:50 / /vz/root/101/mnt/a\\040b rw,relatime - tmpfs none rw,size=8192k,mode=700
32 30 8:1 /srv/data /vz/root/101/data ro,relatime - ext4 /dev/sda1 rw
33 30 0:51 / /vz/root/101/shm rw,relatime - tmpfs tmpfs rw
34 22 0:51 / /dev/shm rw - tmpfs tmpfs rw
"""
INSIDE = """
90 80 0:40 /private/101/fs / rw - btrfs /dev/loop0 rw
91 90 0:50 / /mnt/a\\040b rw - tmpfs none rw,size=8192k
92 90 8:1 /srv/data /data ro - ext4 /dev/sda1 rw
93 90 0:60 / /proc rw - proc proc rw
94 90 0:61 / /mnt/own rw - tmpfs none rw
"""
LOG = Used("/data/log", ("cron",), size=5)
DATA = Scripted("/data", "ext4", "/dev/sda1:/srv/data", ("ro",), used=(LOG,))
TMPFS = Scripted("/t", "tmpfs", "", ("nosuid",), limit=8 << 20, archive="0.tar", taken=4 << 20)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"self": NODE, 7: INSIDE}
    lines = {
        pid: [line for line in text.split("\n") if " - " in line] for pid, text in texts.items()
    }
    monkeypatch.setattr(mounts, "mounts_of", lambda pid: [Mount(line) for line in lines[pid]])


def test_what_is_mounted_on_the_node_too_came_by_a_script(there: None) -> None:
    assert [mount.where for mount in mounts.scripted(7)] == ["/mnt/a b", "/data"]


def test_only_a_tmpfs_that_nobody_else_sees_is_the_containers_own(there: None) -> None:
    found = {each.path: each for each in scripted.found(Path("/vz/root/101"))}
    assert {path: each.carried for path, each in found.items()} == {
        "/mnt/a b": True, "/data": False, "/shm": False,
    }  # fmt: skip
    assert (found["/mnt/a b"].limit, found["/mnt/a b"].source) == (8 << 20, "")
    assert (found["/data"].options, found["/data"].source) == (("ro",), "/dev/sda1:/srv/data")


@pytest.mark.parametrize(
    ("then", "now", "faults"),
    [
        (DATA, DATA, []),
        (DATA, replace(DATA, options=()), [("other-mount", "options")]),
        (DATA, replace(DATA, source="/dev/sda1:/srv"), [("other-mount", "source")]),
        (DATA, replace(DATA, kind="tmpfs", source=""), [("other-mount", "kind")]),
        (TMPFS, replace(TMPFS, source="none:/", archive=""), [("other-mount", "source")]),
        (TMPFS, replace(TMPFS, limit=16 << 20), []),
        (TMPFS, replace(TMPFS, limit=0), []),
        (TMPFS, replace(TMPFS, limit=2 << 20), [("mount-too-small", None)]),
    ],
)
def test_kind_source_and_options_have_to_be_the_same(
    then: Scripted, now: Scripted, faults: list[tuple[str, str | None]]
) -> None:
    found = [(why.fault, why.details.get("what")) for why in scripted.unlike(then, now)]
    assert found == faults


def test_more_files_than_are_written_down_are_told_of(tmp_path: Path) -> None:
    uses = [mounts.Use(1, f"/data/{number}", "") for number in range(scripted.FEW + 3)]
    found = scripted.with_used(DATA, uses)
    assert (len(found.used), found.unseen) == (scripted.FEW, 3)


def test_it_comes_out_of_its_file_as_it_went_in(tmp_path: Path) -> None:
    saved = Saved(tmp_path)
    assert scripted.read(saved) is None
    scripted.write(saved, [DATA, TMPFS])
    assert scripted.read(saved) == [DATA, TMPFS]


@pytest.mark.parametrize("text", ["", "7", "[7]", '[{"path": "/"}]', json.dumps([{"used": 7}])])
def test_a_list_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    saved = Saved(tmp_path)
    saved.mounts.mkdir()
    (saved.mounts / "index.json").write_text(text)
    with pytest.raises(OperationError):
        scripted.read(saved)


def test_an_overlay_in_an_image_is_found_and_a_damaged_image_is_none(tmp_path: Path) -> None:
    proc, overlay = bytes([8, 1, 58, 5]) + b"/proc", bytes([8, 17, 58, 4]) + b"/mnt"
    image = b"MAGICMAG" + b"".join(
        len(message).to_bytes(4, "little") + message for message in (proc, overlay)
    )
    (tmp_path / "mountpoints-12.img").write_bytes(image)
    assert images.overlays(tmp_path) == ["/mnt"]
    (tmp_path / "mountpoints-12.img").write_bytes(image[:-2])
    assert images.overlays(tmp_path) == []
