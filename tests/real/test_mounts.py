"""What is mounted in a container and its processes use: kept with them, or refused before."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from containers.node.states import State
from tests.real.counter import count, counting, read
from tests.real.rig import Outcome, Rig
from tests.real.snapshots import Kept, fresh, listed, take

pytestmark = pytest.mark.criu
UP, DOWN, MOUNTED, SUSPENDED = State.RUNNING, State.STOPPED, State.MOUNTED, State.SUSPENDED
HEAD = "#!/bin/sh\n. $VE_CONFFILE\nmkdir -p $VE_ROOT/mnt/x\n"
TMPFS = f"{HEAD}mount -t tmpfs -o size=8m none $VE_ROOT/mnt/x\n"
QUIET = "</dev/null >/dev/null 2>&1"
WRITER = """
    (exec 5>>/mnt/x/log; while :; do echo line >&5; sleep 0.1; done) </dev/null >/dev/null 2>&1 &
    echo $! >/tmp/writer.pid
"""


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder of the node's, in which everybody may write."""
    folder = tmp_path / "shared"
    folder.mkdir()
    for each in (*folder.parents, folder):
        if each.is_relative_to("/tmp/pytest-of-root"):
            each.chmod(0o777)
    (folder / "log").write_text("the node's\n")
    (folder / "log").chmod(0o666)
    return folder


@pytest.fixture
def clone_id(rig: Rig) -> Iterator[int]:
    yield 781
    rig.clear(781)


def begin(rig: Rig, ctid: int, script: str, command: str = "true") -> None:
    """Start it, with a mount script and a command run in it."""
    if script:
        rig.write(ctid, "mount", script)
    counting(rig, ctid)
    rig.inside(ctid, "sh", "-c", command)


def bound(shared: Path) -> str:
    return f"{HEAD}mount --bind {shared} $VE_ROOT/mnt/x\n"


def restore(rig: Rig, ctid: int, kept: Kept, **params: Any) -> Outcome:
    return rig.operate("restore", ctid, **kept.params, safety=fresh(), **params)


def lines(rig: Rig, ctid: int) -> int:
    return int(rig.inside(ctid, "sh", "-c", "wc -l </mnt/x/log"))


def told(kept: Kept) -> list[str]:
    return [why.fault for why in kept.verify().reasons]


def test_a_tmpfs_of_a_mount_script_is_kept_with_what_is_in_it(
    rig: Rig, criu: str, ctid: int
) -> None:
    """F1: verified as ok, a restore killed the container."""
    begin(rig, ctid, TMPFS, WRITER)
    rig.inside(ctid, "sh", "-c", """
        cd /mnt/x; mkdir -p a/b; echo deep >a/b/file; ln -s b a/link; ln a/b/file hard
        mkfifo fifo; chown 5:6 hard; chmod 4750 hard
    """)  # fmt: skip
    rig.wait_for(lambda: lines(rig, ctid) > 2, "lines")
    kept = take(rig, ctid)
    assert (kept.facts["carried"], kept.verify().answer) == (["/mnt/x"], "ok")
    rig.inside(ctid, "sh", "-c", "rm -r /mnt/x/a; echo later >/mnt/x/later")
    count(rig, ctid)

    restored = restore(rig, ctid, kept)

    assert (restored.code, restored.state) == (0, UP), restored.log
    assert count(rig, ctid) == 1
    there = rig.inside(
        ctid, "sh", "-c", "cd /mnt/x; ls; stat -c '%a %u %g %h' hard .; cat a/link/file"
    )
    assert there.split() == [
        "a",
        "fifo",
        "hard",
        "log",
        *["4750", "5", "6", "2", "1777", "65534", "65534", "3"],
        "deep",
    ]
    before = lines(rig, ctid)
    rig.wait_for(lambda: lines(rig, ctid) > before, "its writer to go on")

    back = {"snapshot": restored.facts["snapshot"]["uuid"]}
    assert rig.operate("restore", ctid, **back).code == 0
    assert "later" in rig.inside(ctid, "ls", "/mnt/x")

    suspended = rig.operate("suspend", ctid)
    assert (suspended.code, rig.state(ctid)) == (0, SUSPENDED), suspended.log
    resumed = rig.operate("resume", ctid)
    assert (resumed.code, resumed.state) == (0, UP), resumed.log
    assert "later" in rig.inside(ctid, "ls", "/mnt/x")
    before = lines(rig, ctid)
    rig.wait_for(lambda: lines(rig, ctid) > before, "its writer to go on")

    tried = rig.operate("trial_restore", ctid, **kept.params)
    assert tried.code == 0, tried.log
    assert "Warning" not in tried.log
    assert rig.state(ctid) is UP


def test_a_tmpfs_in_two_places_and_one_in_it_are_kept_as_they_were(
    rig: Rig, criu: str, ctid: int
) -> None:
    begin(rig, ctid, f"""{TMPFS}
        mkdir -p $VE_ROOT/mnt/y; mount --bind $VE_ROOT/mnt/x $VE_ROOT/mnt/y
        """, """
        mkdir /mnt/x/own; mount -t tmpfs none /mnt/x/own; echo mine >/mnt/x/own/file
        sleep 10000 <>/mnt/y/log >/dev/null 2>&1 &
    """)  # fmt: skip
    kept = take(rig, ctid)
    assert (kept.facts["carried"], kept.verify().answer) == (["/mnt/x", "/mnt/y"], "ok")

    restored = restore(rig, ctid, kept)

    assert (restored.code, restored.state) == (0, UP), restored.log
    assert rig.inside(ctid, "cat", "/mnt/x/own/file") == "mine\n"
    tried = rig.operate("trial_restore", ctid, **kept.params)
    assert tried.code == 0, tried.log


@pytest.mark.parametrize(
    ("command", "spoil", "faults"),
    [
        ("sleep 10000 </mnt/x/log", "true", []),
        ("sleep 10000 </mnt/x/log", "echo more >>{}/log", ["file-changed"]),
        ("sleep 10000 </mnt/x/log", "rm {}/log", ["file-gone"]),
        ("sleep 10000 </mnt/x/log", "touch {}/log", ["file-newer"]),
        ("sleep 10000 <>/mnt/x/log", "touch {}/log", ["file-changed"]),
        ("sleep 10000 >>/mnt/x/log", "echo more >>{}/log", []),
        ("sleep 10000 >>/mnt/x/log", ": >{}/log", ["file-changed"]),
        ("cd /mnt/x/sub && exec sleep 10000", "rmdir {}/sub", ["file-gone"]),
        ("sleep 10000", "rm -r {}/log {}/sub", []),
    ],
)
def test_ok_looks_at_the_files_of_the_node_that_processes_use(
    rig: Rig, criu: str, ctid: int, shared: Path, command: str, spoil: str, faults: list[str]
) -> None:
    (shared / "sub").mkdir()
    begin(rig, ctid, bound(shared), f"({command}) </dev/null 2>/dev/null &".replace(
        "</dev/null 2", "2" if "<" in command else "</dev/null 2"))  # fmt: skip
    kept = take(rig, ctid)
    assert kept.verify().answer == "ok", kept.verify()

    subprocess.run(["sh", "-c", spoil.replace("{}", f"{shared}")], check=True)

    assert told(kept) == faults
    refused = faults not in ([], ["file-newer"])
    restored = restore(rig, ctid, kept)
    assert (restored.code, restored.state) == (17 if refused else 0, UP), restored.log
    assert ("dump-safety" in restored.steps) is not refused
    assert count(rig, ctid) == 1


@pytest.mark.parametrize(
    ("script", "later", "fault"),
    [
        (TMPFS, f"{HEAD}true", "mount-absent"),
        (TMPFS, TMPFS.replace("8m", "64k"), "mount-too-small"),
        (TMPFS, TMPFS.replace("8m", "16m"), None),
        (TMPFS, TMPFS.replace("size=8m", "size=8m,ro"), "other-mount"),
        (TMPFS, f"{HEAD}mount --bind {{}} $VE_ROOT/mnt/x", "other-mount"),
        (f"{HEAD}mount --bind {{}} $VE_ROOT/mnt/x", f"{HEAD}mount --bind {{}}/sub $VE_ROOT/mnt/x",
         "other-mount"),
    ],
)  # fmt: skip
def test_what_the_mount_scripts_of_today_mount_is_compared(
    rig: Rig, criu: str, ctid: int, shared: Path, script: str, later: str, fault: str | None
) -> None:
    """A script that was changed could not mount again what is mounted now: nothing is touched. One
    that was not stops the restore of what was made with another, before anything is ended.
    """
    (shared / "sub").mkdir()
    begin(rig, ctid, script.replace("{}", f"{shared}"))
    rig.inside(ctid, "sh", "-c", "head -c 200000 /dev/urandom >/mnt/x/log")
    kept = take(rig, ctid)
    rig.write(ctid, "mount", later.replace("{}", f"{shared}"))
    early = restore(rig, ctid, kept)
    assert (early.code, early.state, early.end["problem"]) == (17, UP, "no-way-back"), early.log
    assert count(rig, ctid) == 1
    assert rig.operate("restart", ctid).code == 0
    rig.wait_for(lambda: read(rig, ctid) == 0, "the counter")
    count(rig, ctid)
    assert told(kept) == ([fault] if fault else [])

    restored = restore(rig, ctid, kept)

    assert (restored.code, restored.state) == (17 if fault else 0, UP), restored.log
    assert ("dump-safety" in restored.steps) is not bool(fault)
    assert count(rig, ctid) == (2 if fault else 1)


@pytest.mark.parametrize(
    ("script", "command", "said"),
    [
        ("", "mount -t overlay -o lowerdir=/etc:/root none /mnt",
         "a file system of the kind overlay is mounted at /mnt"),
        ("", "mount -t ramfs none /mnt", "a file system of the kind ramfs is mounted at /mnt"),
        ("", "(unshare -m sh -c 'mount -t ramfs none /srv; echo >/tmp/done; exec sleep 10000') "
             "</dev/null >/dev/null 2>&1 & while [ ! -e /tmp/done ]; do :; done",
         "a file system of the kind ramfs is mounted at /srv"),
        ("bind", "(rm /mnt/x/log; exec sleep 10000) 5</mnt/x/log </dev/null >/dev/null 2>&1 &"
                 "while [ -e /mnt/x/log ]; do :; done",
         "uses /mnt/x/log, which was deleted, in what a mount script has mounted at /mnt/x"),
        ("tmpfs", "cd /mnt/x; touch log; ln log other; exec 5<log; rm log;"
                  f"(exec sleep 10000) {QUIET} & exec 5<&-",
         "uses /mnt/x/log, which was deleted"),
    ],
)  # fmt: skip
def test_what_could_not_be_given_again_is_refused_while_all_goes_on(
    rig: Rig, criu: str, ctid: int, shared: Path, script: str, command: str, said: str
) -> None:
    """Of mounts that the container's root has made, too: the kernel would take an overlay's
    folders for the node's.
    """
    scripts = {"bind": bound(shared), "tmpfs": TMPFS}
    begin(rig, ctid, scripts.get(script, ""), f"mkdir -p /srv; {command}")

    for plan in ("snapshot", "suspend"):
        outcome = rig.operate(plan, ctid, snapshot=fresh())
        assert (outcome.code, rig.state(ctid)) == (16, UP)
        assert said in outcome.end["error"]
        assert "freeze" not in outcome.steps
    assert (count(rig, ctid), listed(rig, ctid)) == (1, [])


@pytest.mark.parametrize(
    "command",
    [
        "mount -t tmpfs none /mnt; sleep 10000 </dev/null >/mnt/log 2>&1 &",
        "mkdir /srv; mount --bind /srv /mnt; sleep 10000 </dev/null >/mnt/log 2>&1 &",
        "mount -t proc none /mnt; mkdir /srv; mount -t binfmt_misc none /srv",
        "mount -t devpts none /mnt; mkdir /srv; mount -t mqueue none /srv",
        "mount -t tmpfs none /mnt; mount --make-shared /mnt; mkdir /srv; mount --move /mnt /srv",
        f"(unshare -m sh -c 'mount -t tmpfs none /mnt; exec sleep 10000') {QUIET} &",
    ],
)
def test_other_mounts_of_its_root_are_kept(rig: Rig, criu: str, ctid: int, command: str) -> None:
    begin(rig, ctid, "", command)
    kept = take(rig, ctid)
    assert kept.verify().answer == "ok"
    restored = restore(rig, ctid, kept)
    assert (restored.code, restored.state) == (0, UP), restored.log
    assert count(rig, ctid) == 1


def test_a_file_system_of_its_own_device_is_the_same_under_another_number(
    rig: Rig, criu: str, ctid: int, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    image.touch()
    os.truncate(image, 16 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    begin(rig, ctid, f"{HEAD}mount -o loop {image} $VE_ROOT/mnt/x; chmod 777 $VE_ROOT/mnt/x\n",
          "sleep 10000 5<>/mnt/x/data </dev/null >/dev/null 2>&1 &")  # fmt: skip
    kept = take(rig, ctid)
    assert (kept.facts["carried"], kept.verify().answer) == ([], "ok")
    assert restore(rig, ctid, kept).code == 0
    assert rig.operate("suspend", ctid).code == 0
    assert rig.operate("resume", ctid).code == 0
    rig.inside(ctid, "sh", "-c", "echo more >>/mnt/x/data")
    assert told(kept) == ["file-changed"]
    assert rig.operate("stop", ctid, fast=True).code == 0


def test_a_clone_has_a_mount_of_the_nodes_scripts_with_ids_of_its_own(
    rig: Rig, criu: str, ctid: int, clone_id: int
) -> None:
    script = TMPFS.replace("$VE_ROOT/mnt/x\n", "$VE_ROOT/mnt/x || exit 1\n")
    rig.write(ctid, "vps.mount", script)
    begin(rig, ctid, "", f"{WRITER}echo; chmod 640 /mnt/x/log; chown 7:8 /mnt/x/log")
    kept = take(rig, ctid)
    params = {**kept.params, "source": ctid, "processes": True}

    cloned = rig.operate("clone", clone_id, spec={"state": "creating"}, **params)

    assert (cloned.code, cloned.state) == (0, UP), cloned.log
    assert rig.inside(clone_id, "stat", "-c", "%u %g %a", "/mnt/x/log") == "7 8 640\n"
    before = lines(rig, clone_id)
    rig.wait_for(lambda: lines(rig, clone_id) > before, "its writer to go on")


def test_a_clone_gets_none_of_its_sources_own_mount_scripts_and_is_refused_before(
    rig: Rig, criu: str, ctid: int, clone_id: int
) -> None:
    begin(rig, ctid, TMPFS)
    kept = take(rig, ctid)
    params = {**kept.params, "source": ctid}

    refused = rig.operate("clone", clone_id, spec={"state": "creating"}, processes=True, **params)

    assert refused.code == 17
    assert "/mnt/x was mounted by a mount script, and there is none" in refused.end["error"]
    assert "make-private" not in refused.steps
    assert rig.operate("clone", clone_id, spec={"state": "creating"}, **params).code == 0


def test_a_mount_script_that_mounts_nothing_this_time_brings_back_what_ran(
    rig: Rig, criu: str, ctid: int, tmp_path: Path
) -> None:
    """What can't be known before: what ran comes back, with what was in its tmpfs."""
    fails = tmp_path / "fails"
    script = TMPFS.replace("mount -t", f"[ -e {fails} ] && rm {fails} ||\n mount -t")
    begin(rig, ctid, script, WRITER)
    kept = take(rig, ctid)
    count(rig, ctid)
    rig.inside(ctid, "sh", "-c", "echo later >/mnt/x/later")
    fails.touch()

    restored = restore(rig, ctid, kept)

    assert (restored.code, restored.state) == (17, UP), restored.log
    assert restored.end["problem"] == "mount-missing"
    assert count(rig, ctid) == 2
    assert rig.inside(ctid, "cat", "/mnt/x/later") == "later\n"


def test_a_deleted_file_of_the_containers_own_comes_back_in_a_tmpfs(
    rig: Rig, criu: str, ctid: int
) -> None:
    begin(rig, ctid, TMPFS, f"(cd /mnt/x; echo kept >f; exec 5<f; rm f; exec sleep 99) {QUIET} &\n"
          "echo $! >/tmp/holder.pid")  # fmt: skip
    rig.wait_for(lambda: rig.inside(ctid, "ls", "/mnt/x") == "", "it to be deleted")
    kept = take(rig, ctid)
    assert kept.verify().answer == "ok"
    assert restore(rig, ctid, kept).code == 0
    assert rig.inside(ctid, "sh", "-c", "cat /proc/$(cat /tmp/holder.pid)/fd/5") == "kept\n"
