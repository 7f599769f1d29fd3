"""A set-user-id file that a container's root made is of no use to anybody on the node.

On the disk it belongs to the node's root. So nobody but root may come to it, by any way.
"""

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from containers.node import ids
from containers.node.templates.catalogue import newest
from tests.real.conftest import busybox, node_conf, rig, zygote  # noqa: F401 (fixtures)
from tests.real.rig import Rig
from tests.real.snapshots import Kept, take

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("closed-disk")]
EVE = 12345  # a user of the node
REFUSED = "PermissionError"
SU = "usr/bin/su-root"
MAKE = f"cp /bin/busybox /{SU}; chmod 4755 /{SU}; chmod 755 / /usr /usr/bin"
ONE, OTHER = 901, 902


@pytest.fixture
def ways(rig: Rig) -> Iterator[dict[str, Path]]:  # noqa: F811
    """Everywhere that the file of CT 901 can be found, by root."""
    try:
        for number in (ONE, OTHER):
            for plan in ("create", "start"):
                assert rig.operate(plan, number).code == 0
        rig.inside(ONE, "sh", "-c", MAKE)
        kept = take(rig, ONE, disk_only=True)
        done = rig.operate("reinstall", ONE, keep_until="2099-01-01T00:00:00+00:00")
        assert done.code == 0, done.log
        rig.inside(ONE, "sh", "-c", MAKE)
        published = rig.operate("publish_snapshot", ONE, name="ours", **kept.params)
        assert published.code == 0, published.log
        rig.conf.state.chmod(0o755)  # of the tests' own, and closed; /vz is passed by all
        yield places(rig, kept)
    finally:
        rig.conf.state.chmod(0o700)
        for number in (ONE, OTHER):
            rig.clear(number)


def places(rig: Rig, kept: Kept) -> dict[str, Path]:  # noqa: F811
    (old,) = rig.paths(ONE).old.iterdir()
    template = newest(rig.conf, "ours")
    assert template
    found = {
        "private": rig.paths(ONE).fs,
        "root": rig.paths(ONE).root,
        "snapshots": kept.saved.fs,
        "old": old / "fs",
        "files under /old": rig.paths(ONE).fs / "old",
        "template": template.fs,
        "proc": Path(f"/proc/{rig.init(ONE).pid}/root"),
    }
    return {name: path / SU for name, path in found.items()}


def as_user(uid: int, do: Callable[[], object]) -> object:
    """What it returns to an ordinary user of the node, or the name of what it raised."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            try:
                found = do()
            except OSError as error:
                found = type(error).__name__
            os.write(writer, json.dumps(found).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as said:
        answer = json.loads(said.read())
    os.waitpid(pid, 0)
    return answer


def strangers(rig: Rig) -> dict[str, int]:  # noqa: F811
    one, other = (ids.of(rig.conf, number).base for number in (ONE, OTHER))
    return {
        "eve": EVE,
        "another container's root": other,
        "another container's user": other + 1000,
        "its own root, were it on the node": one,
        "its own user, were it on the node": one + 1000,
        "the node's user with the id on the disk": 33,
    }


def test_nobody_comes_to_it_by_any_way(rig: Rig, ways: dict[str, Path]) -> None:  # noqa: F811
    for name, path in ways.items():
        found = path.stat()
        owner = ids.of(rig.conf, ONE).base if name == "proc" else 0
        assert (bool(found.st_mode & stat.S_ISUID), found.st_uid) == (True, owner), name
        for who, uid in strangers(rig).items():
            assert as_user(uid, partial(os.open, path, os.O_RDONLY)) == REFUSED, (
                who,
                name,
            )
            assert as_user(uid, partial(os.execv, path, ["true"])) == REFUSED, (who, name)


def test_every_folder_is_closed(rig: Rig, ways: dict[str, Path]) -> None:  # noqa: F811
    conf = rig.conf
    folders = [
        *(conf.vz / name for name in ("private", "root", "snapshots", "old", "template", "lock")),
        *(folder for folder in conf.spool.iterdir() if folder.is_dir()),
        *(conf.run / name for name in ("bundle", "runc", "rootfs")),
        conf.state / "ids",
    ]
    for folder in folders:
        for who, uid in strangers(rig).items():
            listed = as_user(uid, partial(os.listdir, folder))
            assert listed == REFUSED, (who, folder)


def test_a_mounted_one_makes_nobody_root_even_where_folders_are_open(
    rig: Rig,  # noqa: F811
    ways: dict[str, Path],
) -> None:
    """On the disk it would, which is why that is closed."""
    paths = rig.paths(ONE)
    program = paths.fs / "usr/bin/id-root"  # not busybox: that gives the bit up by itself
    shutil.copy("/usr/bin/id", program)
    program.chmod(0o4755)
    folders = (paths.root.parent, paths.private.parent, paths.private)
    try:
        for folder in folders:
            folder.chmod(0o755)
        shown = [as_user(EVE, partial(told, tree / "usr/bin/id-root"))
                 for tree in (paths.root, paths.fs)]  # fmt: skip
        assert shown == [f"{EVE}\n", "0\n"]
    finally:
        for folder in folders:
            folder.chmod(0o700)


def told(program: Path) -> str:
    return subprocess.run([program, "-u"], capture_output=True, text=True, check=True).stdout


def test_no_socket_of_the_node_is_open_to_strangers(
    rig: Rig,  # noqa: F811
    ways: dict[str, Path],
) -> None:
    sockets = [path for path in rig.conf.run.rglob("*") if path.is_socket()]
    assert len(sockets) >= 2  # a console's, and the node's bell
    for path in sockets:
        for who, uid in strangers(rig).items():
            assert as_user(uid, partial(os.access, path, os.W_OK)) is False, (who, path)
