"""A container is set up afresh: nothing is lost, and whatever fails leaves the old system."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from containers.node import observed
from containers.node.access.accounts import hash_password
from containers.node.layout import Layout
from containers.node.operations import PLANS
from containers.node.processes.run import call
from containers.node.states import State
from containers.node.steps import replaced
from containers.node.storage import Usage
from containers.node.templates.catalogue import Template
from tests.real.dying import run_dying
from tests.real.rig import Rig

UP, DOWN = State.RUNNING, State.STOPPED
ARCHIVE_HOOK = """#!/bin/bash
while [ $# -gt 0 ]; do
    case $1 in
        --veid) VEID=$2 ;;
        --ve_private) VE_PRIVATE=$2 ;;
        --ve_private_tmp) VE_TMP=$2 ;;
        *) exit 1 ;;
    esac
    shift 2
done
[ -e "$VE_TMP" ] && exit 2
mkdir "$VE_TMP" || exit 1
tar -C "$VE_TMP" -xf ARCHIVE
exit 0
"""
FILLING = """#!/bin/bash
mkdir "$4"
fallocate -l $(($(stat -f -c '%a*%S' "$4") - (64 << 20))) "$4/most"
head -c 1G /dev/urandom >"$4/rest"
exit $?
"""


@pytest.fixture
def old(rig: Rig, ctid: int) -> Layout:
    """A running container whose system has files of its own."""
    assert rig.operate("start", ctid).code == 0
    paths = rig.paths(ctid)
    (paths.fs / "root/mine").write_text("precious\n")
    (paths.fs / "etc/hosts").write_text("127.0.0.1 localhost oldhost\n")
    return paths


def has_old_system(paths: Layout) -> bool:
    return (paths.fs / "root/mine").exists()


def has_new_system(paths: Layout) -> bool:
    return not (paths.fs / "root/mine").exists() and (paths.fs / "bin/busybox").exists()


def clean(paths: Layout) -> bool:
    left = {p.name for p in paths.private.iterdir()}
    return left <= {"fs", "scripts", "ve.conf"}


@pytest.mark.parametrize("before", [UP, DOWN])
def test_a_reinstalled_container_has_a_new_system_with_the_old_files_in_it(
    rig: Rig, ctid: int, old: Layout, before: State
) -> None:
    if before is DOWN:
        assert rig.operate("stop", ctid).code == 0

    outcome = rig.operate("reinstall", ctid)

    assert outcome.code == 0, outcome.log
    assert rig.state(ctid) is before
    assert has_new_system(old)
    assert (old.fs / "old/root/mine").read_text() == "precious\n"
    assert clean(old)


def test_erasing_keeps_nothing(rig: Rig, ctid: int, old: Layout) -> None:
    outcome = rig.operate("reinstall", ctid, skipbackup=True, resetpwdb=True)

    assert outcome.code == 0, outcome.log
    assert has_new_system(old)
    assert not (old.fs / "old").exists()
    assert not old.old.exists()
    assert clean(old)


def test_passwords_are_carried_over_unless_reset(rig: Rig, ctid: int, old: Layout) -> None:
    hashed = hash_password("correct horse")
    rig.operate("set", ctid, userpasswd={"user": "root", "hash": hashed})

    assert rig.operate("reinstall", ctid).code == 0
    assert hashed in (old.fs / "etc/shadow").read_text()
    assert rig.operate("reinstall", ctid, resetpwdb=True).code == 0
    assert hashed not in (old.fs / "etc/shadow").read_text()


def test_the_old_area_is_kept_aside_and_one_operation_puts_it_back(
    rig: Rig, ctid: int, old: Layout
) -> None:
    outcome = rig.operate("reinstall", ctid, keep_until="2099-01-01T00:00:00+00:00")
    kept = next(e["value"] for e in outcome.events if e["ev"] == "fact" and e["key"] == "kept")
    assert (old.old / f"{kept['operation']}" / "fs/root/mine").exists()

    undone = rig.operate("undo_reinstall", ctid, replaced=kept["operation"])

    assert undone.code == 0, undone.log
    assert has_old_system(old)
    assert rig.state(ctid) is UP
    assert (old.old / f"{kept['operation']}" / "fs/old/root/mine").exists()


def test_hooks_like_the_vendors_samples_run_as_they_are(
    rig: Rig, ctid: int, old: Layout, busybox: Template, tmp_path: Path
) -> None:
    import subprocess

    source = tmp_path / "system"
    subprocess.run(["cp", "-a", f"{busybox.fs}", f"{source}"], check=True)
    subprocess.run(["chown", "-hR", "0:0", f"{source}"], check=True)
    (source / "made-by-hook").touch()
    subprocess.run(["tar", "-C", source, "-cf", tmp_path / "a.tar", "."], check=True)
    rig.write(ctid, "vps.reinstall", ARCHIVE_HOOK.replace("ARCHIVE", f"{tmp_path}/a.tar"))
    rig.write(ctid, "vps.configure", "cp /old/etc/hosts /etc/hosts.old; echo in $VEID; exit 0\n")

    outcome = rig.operate("reinstall", ctid, skipbackup=True)

    assert outcome.code == 0, outcome.log
    assert (old.fs / "made-by-hook").lstat().st_uid == 0
    assert "oldhost" in (old.fs / "etc/hosts.old").read_text()
    assert not (old.fs / "old").exists()
    assert observed.submounts(old.root) == []
    assert rig.operate("stop", ctid).code == 0


@pytest.mark.parametrize(
    ("hook", "code", "says"),
    [
        ("exit 0", 128, "did not make the new private area"),
        ("exit 3", 128, "ended with exit code 3"),
        ("kill -9 $$", 128, "signal 9"),
        ('mkdir "$4"; rm -r "$4"; exit 0', 128, "did not make the new private area"),
        ('ln -s / "$4"; exit 0', 128, "did not make the new private area"),
        ('mkdir "$4"; exit 0', 128, "no root file system"),
        ("sleep 100", 128, "time limit"),
    ],
)
def test_a_hook_that_fails_leaves_the_old_system_running(
    rig: Rig, ctid: int, old: Layout, hook: str, code: int, says: str
) -> None:
    rig.write(ctid, "vps.reinstall", f"#!/bin/bash\n{hook}\n")
    init = observed.init_of(old)

    outcome = rig.operate("reinstall", ctid, timeout=1)

    assert outcome.code == code, outcome.log
    assert says in outcome.end["error"]
    assert has_old_system(old)
    assert observed.init_of(old) == init
    assert clean(old)


def test_a_hook_that_prints_a_hundred_megabytes_is_waited_for(
    rig: Rig, ctid: int, old: Layout
) -> None:
    size = 100_000_000
    rig.write(ctid, "vps.reinstall", f"#!/bin/bash\nyes | head -c {size}\nexit 3\n")

    outcome = rig.operate("reinstall", ctid)

    assert outcome.code == 128
    assert outcome.end["details"]["exit"] == 3
    assert outcome.end["off"] > size
    assert has_old_system(old)
    assert rig.state(ctid) is UP
    assert clean(old)


def test_a_hook_that_fills_the_disk_leaves_the_old_system_running(
    rig: Rig, ctid: int, old: Layout
) -> None:
    rig.write(ctid, "vps.reinstall", FILLING)

    outcome = rig.operate("reinstall", ctid)

    assert outcome.code == 128, outcome.log
    assert has_old_system(old)
    assert rig.state(ctid) is UP
    assert clean(old)
    assert rig.operate("restart", ctid).code == 0  # there is room again


def test_exit_128_asks_for_the_default_and_no_hook_runs(rig: Rig, ctid: int, old: Layout) -> None:
    rig.write(ctid, "vps.reinstall", "#!/bin/sh\nexit 128\n")
    rig.write(ctid, "vps.configure", "touch /configured\n")

    outcome = rig.operate("reinstall", ctid)

    assert outcome.code == 0, outcome.log
    assert has_new_system(old)
    assert not (old.fs / "configured").exists()


def test_a_hook_removed_or_renamed_on_the_node_counts_as_disabled(
    rig: Rig, ctid: int, old: Layout
) -> None:
    rig.write(ctid, "vps.reinstall", "#!/bin/sh\nexit 3\n")
    hook = rig.conf.scripts / "vps.reinstall"
    hook.rename(hook.with_suffix(".off"))

    assert rig.operate("reinstall", ctid).code == 0
    hook.with_suffix(".off").unlink()


@pytest.mark.parametrize(
    ("name", "body"), [("start", "exit 1\n"), ("mount", "#!/bin/sh\nexit 1\n")]
)
def test_a_script_that_refuses_the_new_system_puts_the_old_one_back(
    rig: Rig, ctid: int, old: Layout, name: str, body: str
) -> None:
    """It lets the old system start: it refuses where there is no file of the user's."""
    test = "[ -e /root/mine ] && exit 0\n" if name == "start" else (
        "#!/bin/sh\n. $VE_CONFFILE\n[ -e $VE_ROOT/root/mine ] && exit 0\n"
    )  # fmt: skip
    rig.write(ctid, name, test + body.removeprefix("#!/bin/sh\n"))

    outcome = rig.operate("reinstall", ctid)

    assert outcome.code == 94, outcome.log
    assert has_old_system(old)
    assert rig.state(ctid) is UP
    assert clean(old)

    if name == "start":
        assert rig.operate("reinstall", ctid, without_own_scripts=True).code == 0
        assert has_new_system(old)


def test_a_failing_configure_hook_puts_the_old_system_back(
    rig: Rig, ctid: int, old: Layout
) -> None:
    rig.write(ctid, "vps.configure", "exit 2\n")

    outcome = rig.operate("reinstall", ctid)

    assert outcome.code == 94, outcome.log
    assert has_old_system(old)
    assert rig.state(ctid) is UP


def test_a_container_that_cannot_be_stopped_is_reinstalled_without_its_stop_script(
    rig: Rig, ctid: int, old: Layout
) -> None:
    rig.write(ctid, "stop", "exit 1\n")

    assert rig.operate("reinstall", ctid).code == 94
    assert has_old_system(old)
    assert rig.operate("reinstall", ctid, without_stop_script=True).code == 0
    assert has_new_system(old)


def test_a_container_without_a_shell_or_programs_is_reinstalled(
    rig: Rig, ctid: int, old: Layout
) -> None:
    import shutil

    shutil.rmtree(old.fs / "bin")
    rig.write(ctid, "stop", "true\n")

    assert rig.operate("reinstall", ctid).code == 94
    outcome = rig.operate("reinstall", ctid, without_stop_script=True, fast=True)

    assert outcome.code == 0, outcome.log
    assert (old.fs / "old/root/mine").exists()


@pytest.mark.parametrize("passwd", ["link", "fifo", "huge"])
def test_an_old_system_with_a_hostile_passwd_is_put_back_with_a_reason(
    rig: Rig, ctid: int, old: Layout, passwd: str
) -> None:
    file = old.fs / "etc/passwd"
    file.unlink()
    if passwd == "link":
        file.symlink_to("/etc/passwd")
    elif passwd == "fifo":
        os.mkfifo(file)
    else:
        with file.open("wb") as sparse:
            sparse.truncate(1 << 30)

    outcome = rig.operate("reinstall", ctid)

    assert outcome.code == 94, outcome.log
    assert "/etc/passwd in the container" in outcome.end["error"]
    assert has_old_system(old)
    assert rig.state(ctid) is UP
    assert rig.operate("reinstall", ctid, resetpwdb=True).code == 0


def test_old_files_over_the_disk_limit_are_refused_before_anything_stops(
    rig: Rig, ctid: int, old: Layout
) -> None:
    over_twenty_mib(old)
    init = observed.init_of(old)

    outcome = rig.operate("reinstall", ctid, spec={"diskspace": 20})

    assert outcome.code == 94, outcome.log
    assert re.search(
        r"The old files do not fit under /old: they have 4\d MiB and the new system \d MiB, "
        r"together more than its 20 MiB of disk",
        outcome.end["error"],
    )
    assert has_old_system(old)
    assert observed.init_of(old) == init
    assert clean(old)


def test_old_files_that_do_not_fit_are_kept_aside_until_a_date_and_put_back(
    rig: Rig, ctid: int, old: Layout
) -> None:
    over_twenty_mib(old)
    assert rig.operate("reinstall", ctid, spec={"diskspace": 20}).code == 94
    until = "2099-01-01T00:00:00+00:00"

    aside = rig.operate(
        "reinstall", ctid, spec={"diskspace": 20}, skipbackup=True, keep_until=until
    )

    assert aside.code == 0, aside.log
    assert has_new_system(old)
    assert not (old.fs / "old").exists()
    [kept] = [each for each in replaced.listed(rig.conf) if each.ctid == ctid]
    assert kept.until.isoformat() == until
    assert (kept.fs / "root/big").stat().st_size == 40 << 20

    undone = rig.operate("undo_reinstall", ctid, replaced=kept.operation)

    assert undone.code == 0, undone.log
    assert has_old_system(old)
    assert (old.fs / "root/big").stat().st_size == 40 << 20
    assert rig.state(ctid) is UP


def test_what_is_kept_is_known_to_share_its_files_with_old(
    rig: Rig, ctid: int, old: Layout
) -> None:
    over_twenty_mib(old)
    done = rig.operate("reinstall", ctid, keep_until="2099-01-01T00:00:00+00:00")
    kept = old.old / f"{done.facts['kept']['operation']}" / "fs"

    def room() -> Usage:
        return rig.driver.parse_usage(call(rig.driver.usage(kept)))

    def own() -> int:
        found = room().own
        assert found is not None
        return found

    assert room().bytes > 40 << 20
    assert own() < 20 << 20
    (old.fs / "old/root/big").unlink()
    assert own() > 40 << 20


def over_twenty_mib(old: Layout) -> None:
    with (old.fs / "root/big").open("wb") as big:
        big.write(os.urandom(40 << 20))


def test_a_template_that_is_gone_changes_nothing(rig: Rig, ctid: int, old: Layout) -> None:
    outcome = rig.operate("reinstall", ctid, template="gone@7")

    assert outcome.code == 94
    assert "there is no template gone@7" in outcome.end["error"].lower()
    assert has_old_system(old)


def moments() -> Iterator[tuple[State, str, str]]:
    for state in (UP, DOWN):
        for step in PLANS["reinstall"].steps(state):
            if "-pre" in step.key or "-post" in step.key:
                continue
            for moment in ("began", "ended"):
                yield state, step.key, moment


@pytest.mark.parametrize(("before", "step", "moment"), [*moments()])
def test_a_runner_killed_at_any_step_leaves_one_whole_system(
    rig: Rig, ctid: int, old: Layout, before: State, step: str, moment: str
) -> None:
    if before is DOWN:
        assert rig.operate("stop", ctid).code == 0
    for name in ("vps.mount", "mount", "start", "stop", "umount", "vps.umount"):
        rig.write(ctid, name, "#!/bin/sh\ntrue\n")
    rig.write(ctid, "vps.configure", "true\n")
    rig.write(ctid, "vps.reinstall", "#!/bin/sh\nexit 128\n")
    if step in ("vps-configure", "show-old", "hide-old"):
        (rig.conf.scripts / "vps.reinstall").unlink()
    params: dict[str, Any] = {"skipbackup": True} if step in ("show-old", "hide-old") else {}
    if step == "check-kept-room":
        params = {"keep_until": "2099-01-01T00:00:00+00:00"}

    number = run_dying(rig, "reinstall", ctid, step, moment, **params)
    rig.zygote.recover(number)
    outcome = rig.finish(number)

    committed = step in ("write-conf", "stop-again") or step == "commit"
    assert outcome.end["progress"] == "interrupted"
    assert has_new_system(old) if committed else has_old_system(old)
    if committed and not params:
        assert (old.fs / "old/root/mine").exists()
    assert rig.state(ctid) is before
    assert clean(old)
    assert rig.operate("restart", ctid).code == 0
