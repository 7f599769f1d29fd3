"""Areas, limits and the pool, on a real btrfs."""

import dataclasses
import errno
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.node import syscalls
from containers.node.conf import NodeConf
from containers.node.errors import CommandFailed, NoSpace, OperationError, Refused
from containers.node.processes.run import call
from containers.node.storage import Storage, load, pool, space, subvolumes
from containers.node.storage.mounts import mount_of, mounts_in
from containers.node.storage.removal import remove
from containers.node.templates import busybox as busybox_template
from containers.node.templates.catalogue import Template
from tests.real.booted import booted

MIB = 1 << 20
BASE = 200000


@pytest.fixture
def area(node_conf: NodeConf, storage: Storage) -> Iterator[Path]:
    path = node_conf.vz / f"area-{uuid.uuid4().hex[:8]}"
    call(storage.create(path))
    yield path
    remove(storage, path)


def fill(path: Path, size: int) -> int:
    """Write so many bytes; returns how many could be written."""
    written = 0
    with open(path, "wb", buffering=0) as file:
        while written < size:
            try:
                written += file.write(os.urandom(MIB))
            except OSError as e:
                if e.errno not in (errno.EDQUOT, errno.ENOSPC):
                    raise
                break
    return written


def usage(storage: Storage, path: Path) -> int:
    return storage.parse_usage(call(storage.usage(path))).bytes


def test_a_write_ends_at_the_limit_and_goes_on_once_it_is_lifted(
    storage: Storage, area: Path
) -> None:
    call(storage.limit(area, 20 * MIB))
    assert 15 * MIB < fill(area / "a", 40 * MIB) <= 20 * MIB
    call(storage.limit(area, None))
    assert fill(area / "b", 40 * MIB) == 40 * MIB


def test_usage_is_right_as_soon_as_something_is_written_or_deleted(
    storage: Storage, area: Path
) -> None:
    fill(area / "a", 10 * MIB)
    assert abs(usage(storage, area) - 10 * MIB) < MIB
    (area / "a").unlink()
    assert usage(storage, area) < MIB


def test_a_copy_has_its_sources_limit_until_it_is_given_its_own(
    storage: Storage, area: Path
) -> None:
    fill(area / "a", 10 * MIB)
    call(storage.limit(area, 15 * MIB))
    copy = area.with_name(f"{area.name}-copy")
    try:
        call(storage.snapshot(area, copy))
        found = storage.parse_usage(call(storage.usage(copy)))
        assert found.limit == 15 * MIB
        assert found.bytes >= 10 * MIB  # what it shares counts as its own
        call(storage.limit(copy, 30 * MIB))
        assert 15 * MIB < fill(copy / "b", 40 * MIB) <= 20 * MIB
        assert fill(area / "b", 40 * MIB) <= 5 * MIB
    finally:
        remove(storage, copy)


def test_a_copy_of_a_template_takes_no_room_of_its_own(
    node_conf: NodeConf, storage: Storage, debian_template: Template
) -> None:
    copy = node_conf.vz / f"copy-{uuid.uuid4().hex[:8]}"
    call(storage.snapshot(debian_template.fs, copy))
    try:
        assert (copy / "etc/debian_version").exists()
        found = storage.parse_usage(call(storage.usage(copy)))
        assert found.own is not None
        assert found.own < MIB < 100 * MIB < found.bytes
    finally:
        remove(storage, copy)


def test_a_sealed_area_can_not_be_written_to_but_removed(storage: Storage, area: Path) -> None:
    call(storage.seal(area))
    with pytest.raises(OSError, match="Read-only"):
        (area / "file").touch()
    remove(storage, area)
    assert not area.exists()


def test_subvolumes_that_a_container_has_nested_go_with_it(storage: Storage, area: Path) -> None:
    inner = area / "var" / "lib" / "ID 5 gen 1 parent 5"
    inner.parent.mkdir(parents=True)
    call(storage.create(inner))
    call(storage.create(inner / "deep"))
    (inner / "deep" / "file").write_text("x")
    call(storage.snapshot(inner / "deep", inner / "sealed", readonly=True))
    remove(storage, area)
    assert not area.exists()


def test_a_subvolume_is_called_like_a_line_about_somebody_elses(
    node_conf: NodeConf, storage: Storage, area: Path
) -> None:
    """Which btrfs subvolume list prints as it is: what it named was deleted, too."""
    other = node_conf.vz / f"other-{uuid.uuid4().hex[:8]}"
    call(storage.create(other))
    (other / "precious").write_text("x")
    theirs = call(["btrfs", "inspect-internal", "rootid", f"{other}"]).decode().strip()
    mine = call(["btrfs", "inspect-internal", "rootid", f"{area}"]).decode().strip()
    line = f"ID {theirs} gen 1 parent {mine} top level {mine} path x"
    try:
        for end in ("\n", "\r", "\x0b", "\x85", "\u2028"):
            call(storage.create(area / f"x{end}{line}"))
        remove(storage, area)
        assert not area.exists()
        assert (other / "precious").exists()
    finally:
        remove(storage, other)


def test_more_subvolumes_than_one_question_answers(storage: Storage, area: Path) -> None:
    for number in range(60):
        call(storage.create(area / f"{'long' * 40}{number}"))
    number = int(call(["btrfs", "inspect-internal", "rootid", f"{area}"]))
    assert len(subvolumes.nested(area, number)) == 60
    remove(storage, area)
    assert not area.exists()


def test_what_a_hook_left_in_place_of_an_area_is_removed_and_nothing_it_links_to(
    node_conf: NodeConf, storage: Storage, area: Path
) -> None:
    (area / "precious").write_text("x")
    place = node_conf.vz / f"left-{uuid.uuid4().hex[:8]}"
    place.symlink_to(area)
    remove(storage, place)
    place.mkdir()
    (place / "link").symlink_to(area)
    call(storage.create(place / "nested"))
    remove(storage, place)
    assert not os.path.lexists(place)
    assert (area / "precious").exists()
    remove(storage, place)


@pytest.mark.parametrize("name", ["btrfs", "directory"])
def test_an_area_that_something_is_mounted_in_is_not_removed(
    node_conf: NodeConf, area: Path, name: str
) -> None:
    (area / "precious").write_text("x")
    place = node_conf.vz / f"busy-{uuid.uuid4().hex[:8]}"
    call(load(name).create(place))
    (place / "mnt").mkdir()
    call(["mount", "--bind", f"{area}", f"{place}/mnt"])
    try:
        with pytest.raises(OperationError, match=r"mounted at .*/mnt"):
            remove(load(name), place)
    finally:
        call(["umount", f"{place}/mnt"])
    assert (area / "precious").exists()
    remove(load(name), place)
    assert not place.exists()


def test_a_plain_directory_is_copied_with_owners_and_links(node_conf: NodeConf) -> None:
    directory = load("directory")
    source = node_conf.state / "plain"
    call(directory.create(source))
    (source / "file").write_text("x")
    os.chown(source / "file", BASE, BASE + 4)
    (source / "link").symlink_to("/etc/passwd")
    copy = node_conf.state / "copy"
    call(directory.snapshot(source, copy))
    assert (copy / "file").stat().st_gid == BASE + 4
    assert os.readlink(copy / "link") == "/etc/passwd"
    assert directory.parse_usage(call(directory.usage(copy))).bytes < MIB
    for path in (source, copy):
        remove(directory, path)


def test_the_pool_says_how_much_is_left(node_conf: NodeConf) -> None:
    found = space(node_conf.vz)
    assert 6 << 30 < found.free <= found.size <= 8 << 30
    assert found.inodes is None


NEST = """
open(my $folder, "<", "/root") or die;
my $name = pack("q a4088", 0, "nested");
exit(syscall(16, fileno($folder), $ARGV[0] + 0, $name) ? $! + 0 : 0);
"""


@pytest.mark.parametrize("number", [0x5000940E, 0x1_5000940E])
def test_a_container_can_not_nest_subvolumes_to_get_past_its_limit(
    node_conf: NodeConf, debian_template: Template, number: int
) -> None:
    for seccomp, nested in ((None, True), (syscalls.seccomp(), False)):
        with booted(node_conf, debian_template, seccomp) as container:
            argv = ["exec", container.name, "perl", "-e", NEST, f"{number}"]
            call(container.runc(*argv), ok=(0,) if nested else (errno.ENOTTY,))
            assert (container.fs / "root/nested").is_dir() is nested


@pytest.fixture
def beta(monkeypatch: pytest.MonkeyPatch) -> Iterator[NodeConf]:
    """A second node, whose pool comes and goes."""
    monkeypatch.setenv("PANEL_POOL_SIZE", "512M")
    state = Path(f"/var/tmp/panel-test-beta-{uuid.uuid4().hex[:8]}")
    conf = NodeConf(name="beta", state=state, vz=state / "vz", etc=state / "etc")
    yield conf
    for mount in [*mounts_in(conf.run), *mounts_in(conf.vz)]:
        call(["umount", "--lazy", f"{mount.point}"])
    for device in pool.loops(pool.image(conf)):
        call(["losetup", "--detach", device], ok=(0, 1))
    plain = load("directory")
    for path in (state, conf.run):
        remove(plain, path)


def test_a_pool_is_made_once_comes_back_after_a_reboot_and_goes_when_told(beta: NodeConf) -> None:
    planned = pool.plan(beta)
    assert not beta.state.exists()
    done = pool.prepare(beta)
    assert set(planned) <= set(done)
    assert pool.driver(beta).name == "btrfs"
    assert "noatime" in mount_options(beta.vz)
    (beta.vz / "private" / "101").mkdir()
    assert pool.prepare(beta) == []
    assert pool.mounted(beta)

    for mount in [*mounts_in(beta.run), *mounts_in(beta.vz)]:  # the node goes down …
        call(["umount", f"{mount.point}"])
    assert not pool.mounted(beta)
    done = pool.prepare(beta)  # … and comes up
    assert done[0].startswith("mount ")
    assert not any("make" in sentence for sentence in done)
    assert (beta.vz / "private" / "101").is_dir()

    pool.remove(beta)
    assert mounts_in(beta.state) == []
    assert pool.loops(pool.image(beta)) == []
    assert pool.image(beta).exists()
    pool.prepare(beta)
    assert (beta.vz / "private" / "101").is_dir()
    pool.remove(beta, keep_image=False)
    assert not pool.image(beta).exists()


def test_a_btrfs_that_is_there_is_used_as_it_is(node_conf: NodeConf, beta: NodeConf) -> None:
    conf = dataclasses.replace(beta, vz=node_conf.vz / f"own-{uuid.uuid4().hex[:8]}")
    assert not [sentence for sentence in pool.plan(conf) if "image" in sentence]
    pool.prepare(conf)
    try:
        assert not pool.image(conf).exists()
        assert pool.driver(conf).name == "btrfs"
        assert (conf.vz / "private").is_dir()
        pool.remove(conf)
        assert (conf.vz / "private").is_dir()
        assert mounts_in(conf.run) == []
    finally:
        for mount in mounts_in(conf.run):
            call(["umount", f"{mount.point}"])
        remove(load("btrfs"), conf.vz)


def test_a_pool_in_use_is_not_taken_away(beta: NodeConf) -> None:
    pool.prepare(beta)
    root = beta.vz / "root" / "101"
    root.mkdir()
    call(["mount", "--bind", f"{beta.vz}/private", f"{root}"])
    with pytest.raises(Refused, match="root/101"):
        pool.remove(beta)
    call(["umount", f"{root}"])


def test_nobody_but_root_may_pass_to_what_is_on_the_disk(beta: NodeConf) -> None:
    pool.prepare(beta)
    (beta.vz / "private").chmod(0o711)
    os.chown(beta.vz / "private", 0, BASE)
    beta.state.chmod(0o755)
    assert pool.prepare(beta) == [f"close {beta.vz}/private to all but root"]
    for name in pool.FOLDERS:
        assert not passes(beta.vz / name, BASE)
    assert passes(beta.run / "rootfs", BASE)


def test_the_view_that_runtimes_of_before_had_is_taken_away(beta: NodeConf) -> None:
    pool.prepare(beta)
    view = pool.former_view(beta)
    view.mkdir()
    call(["mount", "--bind", "--make-private", f"{beta.vz}", f"{view}"])
    state = beta.run / "runc/101/state.json"  # of a container that was made with it, and runs
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"config": {"rootfs": f"{view}/private/101/fs"}}))
    assert pool.prepare(beta) == []
    state.unlink()
    assert pool.prepare(beta) == [f"no longer show {beta.vz} at {view}"]
    assert not view.exists()


def test_a_full_pool_is_an_error_one_can_read_and_nothing_is_lost(beta: NodeConf) -> None:
    pool.prepare(beta)
    storage = pool.driver(beta)
    kept = beta.vz / "kept"
    call(storage.create(kept))
    (kept / "file").write_text("precious")
    call(["sync", "--file-system", f"{kept}"])
    assert fill(kept / "filler", 600 * MIB) < 600 * MIB
    with pytest.raises(OperationError, match=r"is full|No space left") as caught:
        publish_until_full(beta)
    assert isinstance(caught.value, NoSpace | CommandFailed)
    assert not list(beta.templates.glob(".build-*"))
    (kept / "filler").unlink()
    assert (kept / "file").read_text() == "precious"


def publish_until_full(conf: NodeConf) -> None:
    for number in range(1000):
        with pytest.MonkeyPatch.context() as changed:
            changed.setitem(busybox_template.FOLDERS, f"mnt/{number}", 0o755)
            busybox_template.publish(conf)


def passes(path: Path, uid: int) -> bool:
    """Whether a user of the node, in the group of the same number, gets to path."""
    pid = os.fork()
    if not pid:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.stat(f"{path}/.")
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def mount_options(path: Path) -> str:
    point = f"{mount_of(path).point}"
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return next(line.split()[5] for line in lines[::-1] if line.split()[4] == point)
