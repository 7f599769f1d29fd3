"""Each container runs with ids of its own, and has plain ones on the disk."""

import itertools
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.node import ids, observed, veconf
from containers.node.ids import Range
from containers.node.states import State
from containers.node.storage.mounts import mounts
from containers.node.templates.catalogue import Template
from containers.node.templates.shift import Shift
from tests.real.counter import count, counting, read
from tests.real.dying import run_dying
from tests.real.rig import Rig
from tests.real.snapshots import fresh, listed, private, take

NUMBERS = itertools.count(701)
UP, DOWN, SUSPENDED = State.RUNNING, State.STOPPED, State.SUSPENDED
NOBODY = 65534
PLACES = ("/dev", "/proc", "/run", "/sys")
ADD_KEYS = """
my $made = 0;
for my $i (1 .. $ARGV[0]) {
    my ($kind, $name, $value) = ("user", "k$i", "x");
    syscall(248, $kind, $name, $value, 1, -3) >= 0 or last;
    $made++;
}
print $made;
"""
SET_CAPABILITY = """
my ($path, $name) = ($ARGV[0], "security.capability");
my $value = pack("V5", 0x02000001, 1 << 13, 0, 0, 0);
exit(syscall(188, $path, $name, $value, 20, 0) == 0 ? 0 : 1);
"""


@pytest.fixture
def other(rig: Rig) -> Iterator[int]:
    number = next(NUMBERS)
    assert rig.operate("create", number).code == 0
    yield number
    rig.clear(number)


@pytest.fixture
def another(rig: Rig) -> Iterator[int]:
    """The number of a container that the test makes itself."""
    number = next(NUMBERS)
    yield number
    rig.clear(number)


@pytest.fixture
def debians(rig: Rig, debian_template: Template) -> Iterator[tuple[int, int]]:
    """Two of them, that run."""
    numbers = next(NUMBERS), next(NUMBERS)
    for number in numbers:
        for plan in ("create", "start"):
            done = rig.operate(plan, number, spec={"template": f"{debian_template}"})
            assert done.code == 0, done.log
    yield numbers
    for number in numbers:
        rig.clear(number)


def mapped(rig: Rig, ctid: int) -> list[int]:
    """As /proc/PID/uid_map of its init has it."""
    return [int(word) for word in Path(f"/proc/{rig.init(ctid).pid}/uid_map").read_text().split()]


def given(rig: Rig, ctid: int) -> Range:
    return ids.of(rig.conf, ctid)


def make_old(rig: Rig, ctid: int) -> Range:
    """Its area and its range as they were before each container had its own."""
    former = ids.former(rig.conf)
    Shift(former.base).tree(rig.paths(ctid).fs)
    ids.take_back(rig.conf, ctid)
    assert given(rig, ctid) == former
    return former


def owner(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


def test_two_containers_have_ids_of_their_own_and_plain_files(
    rig: Rig, ctid: int, other: int
) -> None:
    for each in (ctid, other):
        assert rig.operate("start", each).code == 0
        assert mapped(rig, each) == [0, given(rig, each).base, 65536]
        assert rig.inside(each, "sh", "-c", "echo x >/root/x; chown 33:44 /root/x") == ""
        assert owner(rig.paths(each).fs / "root/x") == (33, 44)
        said = veconf.read(rig.paths(each).ve_conf)
        assert (said["UID_BASE"], said["HOST_UID_BASE"]) == ("0", f"{given(rig, each).base}")
    assert given(rig, ctid) != given(rig, other)


def test_a_range_is_told_to_the_panel_and_taken_back_with_the_container(
    rig: Rig, bare_ctid: int
) -> None:
    made = rig.operate("create", bare_ctid)
    base = given(rig, bare_ctid).base
    assert made.facts["uid_base"] == base
    started = rig.operate("start", bare_ctid, spec={"uid_base": base})
    assert "uid_base" not in started.facts
    rig.clear(bare_ctid)
    assert bare_ctid not in ids.given(rig.conf)
    assert not rig.paths(bare_ctid).rootfs.parent.exists()


def test_what_a_container_may_do_with_owners(rig: Rig, ctid: int) -> None:
    assert rig.operate("start", ctid).code == 0
    said = rig.inside(ctid, "sh", "-c", "touch /root/x; chown 70000 /root/x; echo $?")
    assert said.endswith("1\n"), said
    assert rig.inside(ctid, "stat", "-c", "%u %g", "/", "/etc/passwd") == "0 0\n0 0\n"
    assert rig.inside(ctid, "sh", "-c", "mknod /root/sda b 8 0; echo $?").endswith("1\n")


def test_set_user_id_bits_and_capabilities_that_were_set_inside_count_there(
    rig: Rig, debians: tuple[int, int]
) -> None:
    one, _ = debians
    rig.inside(one, "cp", "/usr/bin/grep", "/usr/bin/grep-raw")
    assert rig.inside(one, "perl", "-e", SET_CAPABILITY, "/usr/bin/grep-raw") == ""
    line = "/usr/bin/grep-raw CapPrm /proc/self/status"
    said = rig.inside(one, "su", "nobody", "-s", "/bin/sh", "-c", line)
    assert int(said.split()[1], 16) == 1 << 13
    assert os.getxattr(rig.paths(one).fs / "usr/bin/grep-raw", "security.capability")
    rig.inside(one, "sh", "-c", "cp /usr/bin/id /usr/bin/id-root; chmod 4755 /usr/bin/id-root")
    assert rig.inside(one, "su", "nobody", "-s", "/bin/sh", "-c", "id-root -u") == "0\n"


def test_no_container_has_keys_of_the_kernel_nor_the_keyring_of_the_nodes_root(
    rig: Rig, debians: tuple[int, int]
) -> None:
    for each in debians:
        assert rig.inside(each, "perl", "-e", ADD_KEYS, "5") == "0"
        counted = re.findall(r"^ *(\d+):", Path("/proc/key-users").read_text(), re.MULTILINE)
        assert f"{given(rig, each).base}" in counted


def test_a_setuid_file_of_a_container_is_of_no_use_to_a_user_of_the_node(
    rig: Rig, ctid: int
) -> None:
    assert rig.operate("start", ctid).code == 0
    rig.inside(ctid, "sh", "-c", "cp /bin/busybox /root/su; chmod 4755 /root/su /root; chmod 755 /")
    assert owner(rig.paths(ctid).fs / "root/su") == (0, 0)
    assert (rig.paths(ctid).fs / "root/su").stat().st_mode & stat.S_ISUID
    rig.conf.state.chmod(0o755)
    try:
        for tree in (rig.paths(ctid).fs, rig.paths(ctid).root, rig.paths(ctid).rootfs):
            assert not runs(tree / "root/su", as_=NOBODY)
            assert not runs(tree / "root/su", as_=given(rig, ctid).base)
    finally:
        rig.conf.state.chmod(0o700)
    options = dict(observed.mounts())[f"{rig.paths(ctid).root}"]
    assert {"nosuid", "nodev"} <= set(options)


def runs(program: Path, *, as_: int) -> bool:
    """Whether a user of the node can run it."""
    pid = os.fork()
    if not pid:
        try:
            os.setgroups([])
            os.setresgid(as_, as_, as_)
            os.setresuid(as_, as_, as_)
            os.execv(program, ["busybox", "true"])
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.criu
def test_kept_processes_come_back_in_another_range(criu: str, rig: Rig, ctid: int) -> None:
    counting(rig, ctid)
    rig.inside(ctid, "sh", "-c", "su nobody -s /bin/sh -c 'sleep 1000' >/dev/null 2>&1 &")
    rig.wait_for(lambda: sleeps_as_nobody(rig, ctid), "su to have become nobody")
    before = given(rig, ctid)
    count(rig, ctid)
    kept = take(rig, ctid)
    assert kept.facts["processes"]
    assert rig.operate("stop", ctid).code == 0
    ids.take_back(rig.conf, ctid)

    restored = rig.operate("restore", ctid, **kept.params)

    assert (restored.code, restored.state) == (0, UP), restored.log
    now = given(rig, ctid)
    assert now != before
    assert mapped(rig, ctid) == [0, now.base, 65536]
    assert count(rig, ctid) == 2
    assert sleeps_as_nobody(rig, ctid)
    assert private(rig, ctid) == ["fs", "scripts", "ve.conf"]
    assert kept.verify().answer == "ok"  # its own images are as they were


def sleeps_as_nobody(rig: Rig, ctid: int) -> bool:
    lines = [line.split() for line in rig.inside(ctid, "ps", "-o", "user,args").splitlines()]
    return [f"{NOBODY}", "sleep", "1000"] in [
        [f"{NOBODY}" if user == "nobody" else user, *words] for user, *words in lines
    ]


@pytest.mark.criu
def test_a_suspended_container_of_before_is_resumed_in_a_range_of_its_own(
    criu: str, rig: Rig, ctid: int
) -> None:
    counting(rig, ctid)
    count(rig, ctid)
    assert rig.operate("suspend", ctid).code == 0
    before = given(rig, ctid)
    ids.take_back(rig.conf, ctid)

    resumed = rig.operate("resume", ctid)

    assert (resumed.code, resumed.state) == (0, UP), resumed.log
    assert mapped(rig, ctid)[1] == given(rig, ctid).base != before.base
    assert count(rig, ctid) == 2


@pytest.mark.criu
def test_clones_and_trials_with_processes_have_ranges_of_their_own(
    criu: str, rig: Rig, ctid: int, another: int
) -> None:
    counting(rig, ctid)
    kept = take(rig, ctid)
    spec = {"hostname": "clone", "state": "creating"}
    cloned = rig.operate("clone", another, source=ctid, processes=True, spec=spec, **kept.params)
    assert (cloned.code, cloned.state) == (0, UP), cloned.log
    assert mapped(rig, another)[1] == given(rig, another).base != given(rig, ctid).base
    assert count(rig, another) == 1

    assert rig.operate("trial_restore", ctid, **kept.params).code == 0
    assert set(ids.given(rig.conf)) >= {ctid, another}
    assert max(ids.given(rig.conf)) < 2**31  # that of the trial was taken back


def test_a_container_of_before_goes_over_at_its_next_start(rig: Rig, ctid: int) -> None:
    former = make_old(rig, ctid)
    rig.write(ctid, "mount", '#!/bin/sh\n. "$VE_CONFFILE"\ntouch "$VE_ROOT/root/made"\n'
              'chown $((UID_BASE + 33)):$((UID_BASE + 44)) "$VE_ROOT/root/made"\n')  # fmt: skip

    started = rig.operate("start", ctid)

    assert started.code == 0, started.log
    own = given(rig, ctid)
    assert own != former
    assert started.facts["uid_base"] == own.base
    assert mapped(rig, ctid)[1] == own.base
    assert rig.inside(ctid, "stat", "-c", "%u", "/", "/etc/passwd", "/root/made") == "0\n0\n33\n"
    assert owner(rig.paths(ctid).fs) == (former.base, former.base)
    rig.inside(ctid, "chown", "7:8", "/root/made")
    assert owner(rig.paths(ctid).fs / "root/made") == (former.base + 7, former.base + 8)
    said = veconf.read(rig.paths(ctid).ve_conf)
    assert (said["UID_BASE"], said["HOST_UID_BASE"]) == (f"{former.base}", f"{own.base}")


@pytest.mark.criu
def test_an_area_of_before_is_kept_restored_and_cloned(
    criu: str, rig: Rig, ctid: int, another: int
) -> None:
    former = make_old(rig, ctid)
    counting(rig, ctid)
    count(rig, ctid)
    kept = take(rig, ctid)
    count(rig, ctid)

    restored = rig.operate("restore", ctid, **kept.params, safety=fresh())

    assert (restored.code, restored.state) == (0, UP), restored.log
    assert count(rig, ctid) == 2
    assert len(listed(rig, ctid)) == 2
    assert owner(rig.paths(ctid).fs)[0] == former.base
    spec = {"hostname": "clone", "state": "creating"}
    cloned = rig.operate("clone", another, source=ctid, processes=True, spec=spec, **kept.params)
    assert (cloned.code, cloned.state) == (0, UP), cloned.log
    assert count(rig, another) == 2
    assert rig.inside(another, "stat", "-c", "%u", "/etc/hostname", "/tmp/count") == "0\n0\n"
    assert former.base not in ids.given(rig.conf).values()


def test_an_old_system_is_reinstalled_with_its_files_and_put_back(rig: Rig, ctid: int) -> None:
    former = make_old(rig, ctid)
    assert rig.operate("start", ctid).code == 0
    rig.inside(ctid, "sh", "-c", "echo mine >/root/mine; chown 33 /root/mine; chmod 600 /root/mine")
    rig.write(ctid, "vps.configure", "stat -c %u /old/root/mine; cat /old/root/mine\n")

    done = rig.operate("reinstall", ctid, keep_until="2099-01-01T00:00:00+00:00")

    assert done.code == 0, done.log
    fs = rig.paths(ctid).fs
    assert owner(fs) == (0, 0)
    assert owner(fs / "old/root/mine") == (33, 0)
    assert "33\nmine\n" in done.log
    undone = rig.operate("undo_reinstall", ctid, replaced=done.facts["kept"]["operation"])
    assert undone.code == 0, undone.log
    assert owner(fs / "root/mine") == (former.base + 33, former.base)
    assert rig.inside(ctid, "stat", "-c", "%u", "/root/mine") == "33\n"

    erased = rig.operate("reinstall", ctid, skipbackup=True)
    assert erased.code == 0, erased.log
    assert "33\nmine\n" in erased.log  # shown to vps.configure
    assert not (fs / "old").exists()


def test_a_system_that_a_hook_builds_has_ordinary_owners(rig: Rig, ctid: int) -> None:
    rig.write(ctid, "vps.reinstall", '#!/bin/sh\ncp -a "$6" "$4"\n'
              'touch "$4/root/plain"; chown 33:44 "$4/root/plain"\n')  # fmt: skip
    done = rig.operate("reinstall", ctid, skipbackup=True)
    assert done.code == 0, done.log
    assert owner(rig.paths(ctid).fs / "root/plain") == (33, 44)

    make_old(rig, ctid)
    done = rig.operate("reinstall", ctid, skipbackup=True)
    assert done.code == 0, done.log
    assert owner(rig.paths(ctid).fs / "root/plain") == (33, 44)
    assert owner(rig.paths(ctid).fs) == (0, 0)


@pytest.mark.parametrize("moment", ["began", "ended"])
def test_a_runner_that_is_killed_at_create_leaves_no_mount(
    rig: Rig, ctid: int, moment: str
) -> None:
    number = run_dying(rig, "start", ctid, "create", moment)
    rig.zygote.recover(number)
    rig.finish(number)
    assert shown(rig) == []
    assert rig.operate("restart", ctid).code == 0
    assert shown(rig) == []


@pytest.mark.criu
@pytest.mark.parametrize("moment", ["began", "ended"])
def test_a_runner_that_is_killed_at_a_restore_leaves_no_mount(
    criu: str, rig: Rig, ctid: int, moment: str
) -> None:
    counting(rig, ctid)
    kept = take(rig, ctid)
    ids.take_back(rig.conf, ctid)
    number = run_dying(rig, "restore", ctid, "restore", moment, **kept.params)
    rig.zygote.recover(number)
    rig.finish(number)
    assert rig.state(ctid) is UP
    assert shown(rig) == []
    assert private(rig, ctid) == ["fs", "scripts", "ve.conf"]


def shown(rig: Rig) -> list[str]:
    """Mounts that only a runtime should have seen."""
    return [f"{m.point}" for m in mounts() if m.point.is_relative_to(rig.conf.run)]


@pytest.mark.parametrize("place", PLACES)
def test_no_start_follows_a_link_into_another_container(
    rig: Rig, ctid: int, other: int, place: str
) -> None:
    target = rig.paths(other).fs / "root/precious"
    target.mkdir()
    target.chmod(0o777)
    target.parent.chmod(0o711)
    for name in ("ptmx", "fd", "stdin", "core", "pts", "null"):
        (target / name).write_text("precious")
    before = {path.name: path.lstat().st_ino for path in target.iterdir()}
    folder = rig.paths(ctid).fs / place.lstrip("/")
    if folder.is_dir():
        folder.rmdir()
    way = rig.conf.run / "vz"  # by which a container's root could pass when all shared a range
    folder.symlink_to(way / target.relative_to(rig.conf.vz) if way.exists() else target)

    started = rig.operate("start", ctid)

    assert (started.code != 0, started.state) == (True, DOWN)
    assert f"{place} in the container is a link" in started.end["error"]
    assert "repair it, or reinstall the container" in started.end["error"]
    assert {path.name: path.lstat().st_ino for path in target.iterdir()} == before
    assert rig.operate("reinstall", ctid, skipbackup=True).code == 0
    assert rig.operate("start", ctid).code == 0


def test_an_exec_in_a_container_whose_dev_became_a_link_is_refused(rig: Rig, ctid: int) -> None:
    assert rig.operate("start", ctid).code == 0
    folder = rig.paths(ctid).fs / "dev"
    folder.rename(folder.with_name("was"))
    folder.symlink_to("/etc")
    refused = rig.operate("exec", ctid, command=["true"])
    assert "/dev in the container is a link" in refused.end["error"]


def test_where_the_kernel_can_not_map_ids_they_are_changed_on_the_disk(
    rig: Rig, another: int, criu: str
) -> None:
    status = rig.conf.run / "idmap"
    before = status.read_text()
    status.write_text("this kernel can't\n")
    try:
        assert rig.operate("create", another).code == 0
        own = given(rig, another)
        assert owner(rig.paths(another).fs / "etc/passwd") == (own.base, own.base)
        counting(rig, another)
        assert mapped(rig, another)[1] == own.base
        assert rig.inside(another, "stat", "-c", "%u", "/etc/passwd", "/tmp/count") == "0\n0\n"
        kept = take(rig, another)
        assert rig.operate("restore", another, **kept.params).code == 0
        assert count(rig, another) == 1
        done = rig.operate("reinstall", another)
        assert done.code == 0, done.log
        assert owner(rig.paths(another).fs / "etc/passwd")[0] == own.base
        assert owner(rig.paths(another).fs / "old/etc/passwd")[0] == own.base
    finally:
        status.write_text(before)
    assert rig.operate("restart", another).code == 0
    assert read(rig, another) == -1
