"""What goes wrong with snapshots: a clear reason, the container as it was, nothing half."""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from containers.node import observed
from containers.node.checkpoint import criu as criu_of
from containers.node.processes.run import call
from containers.node.states import State
from containers.node.storage import space
from tests.real.counter import count, counting
from tests.real.rig import Rig
from tests.real.snapshots import Kept, fresh, listed, private, take

pytestmark = pytest.mark.criu
UP, DOWN, MOUNTED = State.RUNNING, State.STOPPED, State.MOUNTED
MIB = 1 << 20


@pytest.fixture
def running(criu: str, rig: Rig, ctid: int) -> int:
    counting(rig, ctid)
    return ctid


@pytest.fixture
def kept(rig: Rig, running: int) -> Kept:
    return take(rig, running)


def flip(path: Path) -> Callable[[], object]:
    """One bit, in the middle; returns what takes it back."""
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    return lambda: path.write_bytes(whole)


def test_a_flipped_bit_in_any_file_is_found(rig: Rig, running: int, kept: Kept) -> None:
    files = [path for path in kept.saved.path.rglob("*")
             if path.is_file() and kept.saved.fs not in path.parents]  # fmt: skip
    assert len(files) > 25
    for path in files:
        if not path.stat().st_size:
            continue
        take_back = flip(path)
        verdict = kept.verify()
        assert (verdict.answer, verdict.exit) == ("broken", 2), path
        take_back()
    assert kept.verify().answer == "ok"


def test_a_flipped_bit_anywhere_in_the_manifest_is_found_even_without_its_hash(kept: Kept) -> None:
    whole = kept.saved.manifest.read_bytes()
    kept.manifest = None
    for place in range(0, len(whole), 7):
        changed = bytes([whole[place] ^ 1])
        kept.saved.manifest.write_bytes(whole[:place] + changed + whole[place + 1 :])
        assert kept.verify().answer == "broken", place


@pytest.mark.parametrize("damage", ["truncated", "missing", "added", "manifest missing"])
def test_damage_is_named_and_the_container_left_alone(
    rig: Rig, running: int, kept: Kept, damage: str
) -> None:
    pages = next(kept.saved.images.glob("pages-*.img"))
    said: dict[str, Callable[[], object]] = {
        "truncated": lambda: pages.write_bytes(pages.read_bytes()[:-1]),
        "missing": lambda: pages.unlink(),
        "added": lambda: (kept.saved.images / "pages-99.img").write_bytes(b"more"),
        "manifest missing": lambda: kept.saved.manifest.unlink(),
    }
    said[damage]()

    restored = rig.operate("restore", running, **kept.params, safety=fresh())

    assert (restored.code, restored.state) == (17, UP)
    assert restored.end["problem"] == "not-restorable"
    assert ("pages-" in restored.end["error"]) == (damage != "manifest missing")
    assert count(rig, running) == 1
    assert listed(rig, running) == [kept.uuid]


def test_whoever_changes_file_and_manifest_is_found_by_the_panels_record(kept: Kept) -> None:
    flip(next(kept.saved.images.glob("pages-*.img")))
    recorded = kept.manifest
    kept.agree()
    assert kept.verify().answer == "ok"
    kept.manifest = recorded
    assert kept.verify().answer == "broken"


def test_what_was_not_looked_at_is_not_ok(kept: Kept) -> None:
    kept.manifest = None
    assert (kept.verify().answer, kept.verify().exit) == ("can't tell", 1)


@pytest.mark.parametrize("safe", [True, False])
def test_images_that_criu_refuses_put_the_container_back(
    rig: Rig, running: int, kept: Kept, safe: bool
) -> None:
    """The manifest agrees with them, so that only CRIU can find it."""
    tree = kept.saved.images / "pstree.img"
    tree.write_bytes(tree.read_bytes()[:-4])
    kept.agree()
    count(rig, running)
    (rig.paths(running).fs / "root/later").write_text("later")

    restored = rig.operate("restore", running, **kept.params, **safety(safe))

    assert (restored.code, restored.state) == (17, UP if safe else DOWN), restored.log
    assert "its processes could not be restored" in restored.end["error"].lower()
    assert (rig.paths(running).fs / "root/later").read_text() == "later"
    assert private(rig, running) == ["fs", "scripts", "ve.conf"]
    assert listed(rig, running) == [kept.uuid]
    if safe:
        assert count(rig, running) == 2
    else:
        assert not observed.mounted(rig.paths(running).root)
        assert rig.operate("start", running).code == 0


def safety(wanted: bool) -> dict[str, str]:
    return {"safety": fresh()} if wanted else {}


def test_a_restore_that_hangs_is_ended_at_its_time_limit(
    rig: Rig, running: int, kept: Kept
) -> None:
    pages = max(kept.saved.images.glob("pages-*.img"), key=lambda path: path.stat().st_size)
    pages.write_bytes(pages.read_bytes()[:4096])
    kept.agree()

    restored = rig.operate("restore", running, **kept.params, safety=fresh(), restore_timeout=5)

    assert (restored.code, restored.state) == (17, UP), restored.log
    assert "that was not done after 5 s" in restored.end["error"] or (
        "could not be restored" in restored.end["error"]
    )
    assert count(rig, running) == 1
    assert len(processes(rig, running)) <= 5  # of the half restored one none is left


def processes(rig: Rig, ctid: int) -> list[str]:
    group = observed.cgroup_paths(rig.paths(ctid))["freezer"]
    return (group / "cgroup.procs").read_text().split()


@pytest.mark.parametrize(
    ("name", "scripts"),
    [
        ("mount", ["umount", "mount", "umount", "mount"]),
        ("umount", ["umount"]),
    ],
)
def test_a_script_that_refuses_puts_the_container_back(
    rig: Rig, running: int, kept: Kept, name: str, scripts: list[str], tmp_path: Path
) -> None:
    refuses = tmp_path / "refuses"
    rig.write(running, "mount", "#!/bin/sh\n")
    rig.write(running, "umount", "#!/bin/sh\n")
    rig.write(running, name, f"#!/bin/sh\nrm {refuses} 2>/dev/null && exit 1\nexit 0\n")
    refuses.touch()
    count(rig, running)

    restored = rig.operate("restore", running, **kept.params, safety=fresh())

    assert (restored.code, restored.state) == (79, UP), restored.log
    assert count(rig, running) == 2
    assert listed(rig, running) == [kept.uuid]
    assert not refuses.exists()


def test_a_full_disk_fails_the_snapshot_and_the_container_goes_on(rig: Rig, running: int) -> None:
    """A deleted file that is open still is copied into the images, and nobody counts it before."""
    rig.inside(running, "sh", "-c",
               "(exec 3>/root/big; dd if=/dev/zero bs=1M count=96 >&3 2>/dev/null; rm /root/big;"
               " exec sleep 1000) </dev/null >/dev/null 2>&1 & ")  # fmt: skip
    adopted(rig, running, "sleep 1000")
    with rig.configured(POOL_RESERVE="0"), filled(rig, leave=64 * MIB):
        outcome = rig.operate("snapshot", running, snapshot=fresh())

    assert (outcome.code, outcome.state) == (46, UP), outcome.log
    assert outcome.end["problem"] in ("no-space", "too-little-space")  # seen late, or beforehand
    assert listed(rig, running) == []
    assert count(rig, running) == 1


def adopted(rig: Rig, ctid: int, command: str) -> None:
    pids = processes(rig, ctid)
    assert any(command.encode() in commands(pid) for pid in pids)


def commands(pid: str) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ")
    except OSError:
        return b""


def test_too_little_room_is_seen_before_anything_is_paused(rig: Rig, running: int) -> None:
    with filled(rig, leave=8 * MIB):
        reserved = rig.operate("snapshot", running, snapshot=fresh())
        with rig.configured(POOL_RESERVE="0"):
            outcome = rig.operate("snapshot", running, snapshot=fresh())

    assert (reserved.code, reserved.steps) == (46, ["check-pool"])
    assert (outcome.code, outcome.steps[-1]) == (46, "check-processes")
    assert count(rig, running) == 1


@contextlib.contextmanager
def filled(rig: Rig, leave: int) -> Iterator[None]:
    """The node's pool with so many bytes left."""
    pool, filler = rig.conf.vz, rig.conf.vz / "filler"
    try:
        size = 0
        for _ in range(50):
            call(["sync", "-f", f"{pool}"])
            more = space(pool).free - leave
            if more < 4 * MIB:
                break
            size += more
            call(["fallocate", "-l", f"{size}", f"{filler}"], ok=(0, 1))
            size = filler.stat().st_size
        yield
    finally:
        filler.unlink(missing_ok=True)
        call(["sync", "-f", f"{pool}"])


def test_without_criu_only_disks_are_kept_and_the_reason_is_told(
    rig: Rig, running: int, kept: Kept, criu: str
) -> None:
    status = rig.conf.state / "criu/status"
    status.write_text("off: no CRIU works on this kernel\n")
    try:
        refused = rig.operate("snapshot", running, snapshot=fresh())
        verdict = kept.verify()
        disk = rig.operate("snapshot", running, snapshot=fresh(), disk_only=True)
        suspended = rig.operate("suspend", running)
        restored = rig.operate("restore", running, **kept.params, safety=fresh())
    finally:
        status.write_text(f"{criu}\n")

    assert (refused.code, refused.state) == (16, UP)
    assert "no CRIU works on this kernel" in refused.end["error"]
    assert (verdict.answer, len(verdict.reasons)) == ("broken", 1)
    assert "no CRIU works on this kernel" in verdict.reasons[0].told(staff=True)
    assert (disk.code, disk.facts["snapshot"]["processes"]) == (0, False)
    assert (suspended.code, suspended.state) == (16, UP)
    assert (restored.code, restored.state) == (17, UP)
    assert count(rig, running) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 0x200}, "Its format is version 512"),
        ({"version": 0x101}, "Its format is version 257"),
        ({"criu": "99.1"}, "It was made with CRIU 99.1"),
        ({"caps": 1 << 200}, None),
        ({"caps": 1 << 9}, "This node's processor has no ia64"),
        ({"kernel": "99.0"}, "It was made under kernel 99.0; this one is older"),
        ({"arch": "riscv64"}, "Its processes are for riscv64"),
        ({"memory": 1 << 50}, "Its processes take"),
        ({"devices": ["/dev/nothing-there"]}, "The device /dev/nothing-there is missing"),
        ({"disk": "another"}, "Its disk is not the read-only one"),
    ],
)
def test_what_can_not_be_restored_here_is_told_before(
    rig: Rig, kept: Kept, changes: dict[str, Any], reason: str | None
) -> None:
    kept.rewrite(**changes)
    verdict = kept.verify()
    if reason is None:
        assert verdict.answer == "ok"
        return
    assert verdict.answer == ("can't tell" if "kernel" in changes else "broken")
    assert verdict.reasons[0].told(staff=True).startswith(reason)


def test_a_disk_that_can_be_written_to_is_not_ok(rig: Rig, kept: Kept) -> None:
    call(["btrfs", "property", "set", "-ts", f"{kept.saved.fs}", "ro", "false"])
    assert kept.verify().answer == "broken"


def test_an_address_it_has_no_more_makes_the_verdict_uncertain(rig: Rig, kept: Kept) -> None:
    kept.rewrite(addresses=["192.0.2.77"])
    verdict = kept.verify()
    assert verdict.answer == "can't tell"
    assert verdict.reasons[0].told(staff=True) == (
        "The address 192.0.2.77 is no longer its own: what listens on it is not heard."
    )


def test_an_unknown_or_half_made_snapshot_is_broken(rig: Rig, kept: Kept) -> None:
    path = kept.saved.path
    half = path.with_name(f".new-{path.name}")
    path.rename(half)
    assert [why.fault for why in kept.verify().reasons] == ["not-whole"]
    half.rename(path)
    kept.uuid = fresh()
    assert kept.verify().answer == "broken"


def test_what_is_known_of_it_must_be_readable(kept: Kept) -> None:
    kept.saved.record.write_text(json.dumps(["not", "a", "record"]))
    kept.agree()
    assert kept.verify().answer == "broken"


def test_the_bits_of_a_cut_dump_are_gone_when_the_container_is(
    rig: Rig, running: int, kept: Kept
) -> None:
    half = rig.paths(running).snapshots / f".new-{fresh()}"
    shutil.copytree(kept.saved.images, half / "img")
    assert rig.operate("stop", running, fast=True).code == 0
    assert rig.operate("destroy", running).code == 0
    assert not rig.paths(running).snapshots.exists()


def test_an_older_criu_is_older() -> None:
    assert criu_of.older("4.1.1", "4.2")
    assert criu_of.older("4.2", "4.2.1")
    assert not criu_of.older("4.10", "4.9.9")


def test_a_safety_snapshot_that_can_not_be_sealed_puts_the_container_back(
    rig: Rig, running: int, kept: Kept
) -> None:
    """Something is in the way of its last files, and the former disk is in it already."""
    uuid = fresh()
    count(rig, running)
    taken = rig.paths(running).snapshots / f".new-{uuid}/snapshot.json"
    rig.write(running, "mount", f"#!/bin/sh\n[ -e {taken} ] || mkdir {taken}\n")

    restored = rig.operate("restore", running, **kept.params, safety=uuid)

    assert restored.code != 0
    assert restored.state is UP, restored.log
    assert private(rig, running) == ["fs", "scripts", "ve.conf"]
    assert count(rig, running) == 2


def test_an_overlay_that_an_older_version_dumped_is_found_in_the_images(
    rig: Rig, running: int, kept: Kept
) -> None:
    """Its directories would be the node's: none is dumped any more, and none is restored."""
    message = bytes([8, 17, 58, 4]) + b"/mnt"  # images/mnt.proto: fstype, mountpoint
    image = b"MAGICMAG" + len(message).to_bytes(4, "little") + message
    (kept.saved.images / "mountpoints-99.img").write_bytes(image)
    kept.agree()

    assert [(why.fault, kept.verify().answer) for why in kept.verify().reasons] == [
        ("overlay-inside", "broken")
    ]
    restored = rig.operate("restore", running, **kept.params, safety=fresh())
    assert (restored.code, restored.state, "freeze" in restored.steps) == (17, UP, False)


def test_what_an_older_version_does_not_tell_of_mounts_makes_the_verdict_uncertain(
    rig: Rig, running: int, kept: Kept
) -> None:
    rig.write(running, "mount", "#!/bin/sh\ntrue\n")
    assert rig.operate("restart", running).code == 0
    call(["mount", "-t", "tmpfs", "none", f"{rig.paths(running).root}/mnt"])
    kept.rewrite(mounts=["/mnt"])
    verdict = kept.verify()
    assert (verdict.answer, [why.fault for why in verdict.reasons]) == (
        "can't tell", ["mount-unknown"],
    )  # fmt: skip
