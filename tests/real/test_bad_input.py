"""Traps that a container's root sets for the node catch nobody; scripts of odd bytes run."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from containers.node.access.accounts import hash_password
from containers.node.errors import TimedOut
from containers.node.processes.executor import Executor
from containers.node.states import State
from tests.real.rig import SLEEP, Outcome, Rig, sleepers

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHXs1JcNXUqnV1IDgL0NZVTnkVxFHH0XYSVTWjZ0TZ1D alice"
FILES = ("hostname", "hosts", "resolv.conf", "passwd", "shadow", "group", "authorized_keys", "init")
DONE_WITHIN = 20  # seconds that an operation may take


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """Files of the node that a container's root would like to have read or written."""
    folder = tmp_path / "host"
    folder.mkdir(mode=0o777)
    tmp_path.chmod(0o777)
    for name in FILES:
        (folder / name).write_text("root:*:0:0:root:/root:/bin/sh\n")
        (folder / name).chmod(0o666)
    return folder


def look(folder: Path) -> dict[str, tuple[bytes | None, int]]:
    return {
        f"{path}": (path.read_bytes() if path.is_file() else None, path.lstat().st_mtime_ns)
        for path in [folder, *folder.rglob("*")]
    }


def link(path: Path, target: Path | str) -> None:
    if not path.is_symlink() and path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def folder(path: Path) -> None:
    if not path.is_dir():
        path.unlink(missing_ok=True)
        path.mkdir()


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("")


def device(path: Path) -> None:
    path.unlink()
    os.mknod(path, 0o20666, os.makedev(1, 5))


TRAPS: dict[str, Callable[[Path, Path], None]] = {
    "etc is a link to the node's": lambda fs, host: link(fs / "etc", f"{host}"),
    "etc is a link to itself": lambda fs, host: link(fs / "etc", "/etc"),
    "etc leads out of init's root": lambda fs, host: link(fs / "etc", f"/proc/1/root{host}"),
    "etc climbs": lambda fs, host: link(fs / "etc", "../" * 30 + f"{host}".lstrip("/")),
    "etc is a file": lambda fs, host: file(fs / "etc"),
    "hostname is a fifo": lambda fs, host: fifo(fs / "etc/hostname"),
    "hostname is a folder": lambda fs, host: folder(fs / "etc/hostname"),
    "hosts is a fifo": lambda fs, host: fifo(fs / "etc/hosts"),
    "hosts is huge": lambda fs, host: huge(fs / "etc/hosts"),
    "hostname is the node's": lambda fs, host: link(fs / "etc/hostname", host / "hostname"),
    "resolv.conf is in proc": lambda fs, host: link(fs / "etc/resolv.conf", "/proc/1/environ"),
    "resolv.conf is the node's": lambda fs, h: link(fs / "etc/resolv.conf", h / "resolv.conf"),
    "shadow is a fifo": lambda fs, host: fifo(fs / "etc/shadow"),
    "shadow is the node's": lambda fs, host: link(fs / "etc/shadow", host / "shadow"),
    "passwd is a fifo": lambda fs, host: fifo(fs / "etc/passwd"),
    "passwd is huge": lambda fs, host: huge(fs / "etc/passwd"),
    "group is a fifo": lambda fs, host: fifo(fs / "etc/group"),
    "passwd is the node's": lambda fs, host: link(fs / "etc/passwd", host / "passwd"),
    "sbin is a loop": lambda fs, host: link(fs / "sbin", "sbin"),
    "bin is a loop": lambda fs, host: link(fs / "bin", "/bin"),
    "init is a fifo": lambda fs, host: fifo(fs / "sbin/init"),
    "init is a device": lambda fs, host: device(fs / "sbin/init"),
    "init is the node's": lambda fs, host: link(fs / "sbin/init", host / "init"),
    "sh is a folder": lambda fs, host: folder(fs / "bin/sh"),
    "sh is a fifo": lambda fs, host: fifo(fs / "bin/sh"),
    ".ssh is the node's": lambda fs, host: link(fs / "root/.ssh", host),
    "root's home is the node's": lambda fs, host: link(fs / "root", host),
    "dev is the node's": lambda fs, host: link(fs / "dev", host),
    "proc is the node's": lambda fs, host: link(fs / "proc", host),
    "proc is a file": lambda fs, host: file(fs / "proc"),
    "sys leads into proc": lambda fs, host: link(fs / "sys", "/proc/self/fd"),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_in_a_container_catches_nobody(rig: Rig, ctid: int, host: Path, trap: str) -> None:
    paths = rig.paths(ctid)
    rig.write(ctid, "start", "true")
    TRAPS[trap](paths.fs, host)
    before = look(host)

    done = [go(rig, ctid, "start"), change(rig, ctid), go(rig, ctid, "set")]
    if rig.state(ctid) is State.RUNNING:
        done += [go(rig, ctid, "exec", command=["true"]), go(rig, ctid, "stop", stop_timeout=2)]
    done += [change(rig, ctid), go(rig, ctid, "mount"), go(rig, ctid, "umount")]

    assert look(host) == before
    for outcome in done:
        assert (outcome.code == 0) == (outcome.end["error"] == "")
        assert "unexpectedly" not in outcome.end["error"]
        assert "Errno" not in outcome.log
    assert rig.state(ctid) is State.STOPPED


def test_traps_set_while_it_runs_catch_nobody(rig: Rig, ctid: int, host: Path) -> None:
    assert go(rig, ctid, "start").code == 0
    before = look(host)
    for trap in TRAPS:
        if not trap.startswith(("sys", "proc", "dev")):
            TRAPS[trap](rig.paths(ctid).fs, host)
            change(rig, ctid)
            restore(rig, ctid)
    assert look(host) == before
    assert go(rig, ctid, "stop", fast=True).code == 0


def test_a_trap_for_the_runtime_fails_the_stop_script_which_staff_may_leave_out(
    rig: Rig, ctid: int
) -> None:
    assert go(rig, ctid, "start").code == 0
    rig.write(ctid, "stop", "true")
    fifo(rig.paths(ctid).fs / "etc/passwd")

    refused = go(rig, ctid, "stop")
    assert (refused.code, refused.state) == (79, State.RUNNING)
    assert refused.end["error"].startswith(
        "Its stop script could not be run. The file /etc/passwd in the container is no plain file"
    )
    asked = go(rig, ctid, "exec", command=["true"])
    assert asked.code == 8
    assert "/etc/passwd in the container is no plain file" in asked.end["error"]

    assert go(rig, ctid, "stop", without_stop_script=True).state is State.STOPPED


def test_a_runtime_that_is_made_to_wait_is_ended_with_all_it_started(tmp_path: Path) -> None:
    waits = ["sh", "-c", f"{SLEEP} & {SLEEP}"]
    executor = Executor(out=lambda said: None)

    with pytest.raises(TimedOut):
        executor.run_detached(waits, tmp_path / "pid", stdin=b"", timeout=0.2)

    assert not list(sleepers())


@pytest.mark.parametrize("name", ["mount", "start"])
@pytest.mark.parametrize(
    "body",
    [
        b"#!/bin/sh\n" + b"# ten megabytes\n" * 655_360 + b"echo the end\n",
        b"#!/bin/sh\n# \xff\xfe caf\xe9\necho the end\n",
        b"#!/bin/sh\n# a \0 byte\necho the end\n",
    ],
    ids=["10 MB", "not UTF-8", "NUL"],
)
def test_a_script_of_any_size_and_with_any_bytes_runs(
    rig: Rig, ctid: int, name: str, body: bytes
) -> None:
    rig.write(ctid, name, body)
    started = go(rig, ctid, "start")
    assert (started.code, started.state) == (0, State.RUNNING), started.log[-500:]
    assert "the end\n" in started.log


def go(rig: Rig, ctid: int, plan: str, **options: Any) -> Outcome:
    number = rig.begin(plan, ctid, **options)
    rig.wait_for(lambda: rig.ended(number), f"{plan} to end", DONE_WITHIN)
    return rig.finish(number)


PASSWORD = hash_password("correct horse")


def change(rig: Rig, ctid: int) -> Outcome:
    return go(rig, ctid, "set", spec={"hostname": "web.example"}, sshkeys=[KEY],
              userpasswd={"user": "root", "hash": PASSWORD})  # fmt: skip


def restore(rig: Rig, ctid: int) -> None:
    """Put the folders back that a trap has taken the place of."""
    template = rig.conf.templates / "busybox@1/fs"
    for name in ("etc", "root", "bin", "sbin"):
        path = rig.paths(ctid).fs / name
        if path.is_symlink() or path.is_file():
            path.unlink()
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(template / name, path, symlinks=True)
