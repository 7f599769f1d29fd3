"""Nothing is stopped that could not be started again: the way up is looked at first."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from containers.node.processes.run import call
from containers.node.states import State
from tests.real.rig import Rig
from tests.real.snapshots import fresh, take

UP, DOWN = State.RUNNING, State.STOPPED
LATER = "2099-02-01T00:00:00+00:00"
STOP = "echo stopping\n"


@pytest.fixture
def running(rig: Rig, ctid: int) -> Iterator[int]:
    """One whose stop script would be heard."""
    rig.write(ctid, "stop", STOP)
    started = rig.operate("start", ctid)
    assert started.code == 0, started.log
    yield ctid
    if (left := rig.paths(ctid).scripts / "mount").is_dir():
        left.rmdir()
    if not (link := rig.paths(ctid).conf_link).is_symlink():
        link.unlink(missing_ok=True)


def goes_on(rig: Rig, ctid: int, init: Any, refused: Any) -> bool:
    """The very same processes, and not even its stop script has run."""
    assert (rig.state(ctid), rig.init(ctid)) == (UP, init)
    assert "stop" not in refused.scripts
    assert "halt" not in refused.steps
    return True


def foreign(rig: Rig, ctid: int) -> int:
    (rig.paths(ctid).scripts / "premount").write_text("#!/bin/sh\n")
    return 79


def unreadable(rig: Rig, ctid: int) -> int:
    (rig.paths(ctid).scripts / "mount").mkdir()
    return 79


def without_init(rig: Rig, ctid: int) -> int:
    (rig.paths(ctid).fs / "sbin/init").unlink()
    return 47


def without_accounts(rig: Rig, ctid: int) -> int:
    passwd = rig.paths(ctid).fs / "etc/passwd"
    passwd.unlink()
    call(["mkfifo", f"{passwd}"])
    return 3


def without_shell(rig: Rig, ctid: int) -> int:
    rig.write(ctid, "start", "echo up\n")
    rig.inside(ctid, "rm", "/bin/sh")
    return 79


def without_conf(rig: Rig, ctid: int) -> int:
    link = rig.paths(ctid).conf_link
    link.unlink()
    link.write_text("a file of somebody's\n")
    return 3


HINDRANCES = [foreign, unreadable, without_init, without_accounts, without_shell, without_conf]


@pytest.mark.parametrize("hinder", HINDRANCES)
def test_a_restart_that_could_not_start_again_stops_nothing(
    rig: Rig, running: int, hinder: Any
) -> None:
    init = rig.init(running)
    if hinder is without_shell:
        rig.scripts[running].clear()  # the stop script could not run either
    code = hinder(rig, running)

    refused = rig.operate("restart", running)

    assert refused.code == code, refused.log
    assert goes_on(rig, running, init, refused)


def test_with_leave_to_replace_it_a_foreign_script_is_no_hindrance(rig: Rig, running: int) -> None:
    foreign(rig, running)

    restarted = rig.operate("restart", running, replace_scripts=True)

    assert (restarted.code, restarted.state) == (0, UP), restarted.log
    assert restarted.scripts == ["stop"]


def test_a_disabled_container_is_not_stopped_for_a_restart_a_reinstallation_or_an_undo(
    rig: Rig, running: int
) -> None:
    kept = rig.operate("reinstall", running, keep_until=LATER).facts["kept"]["operation"]
    init, spec = rig.init(running), {"disabled": True}
    for plan, params in (
        ("restart", {}),
        ("reinstall", {}),
        ("undo_reinstall", {"replaced": kept}),
    ):
        refused = rig.operate(plan, running, spec=spec, **params)
        assert refused.code == 105, refused.log
        assert goes_on(rig, running, init, refused)
    restarted = rig.operate("restart", running, spec=spec, force=True)
    assert (restarted.code, restarted.state) == (0, UP), restarted.log


def test_an_address_that_is_in_use_by_now_stops_nothing(
    rig: Rig, networked: IPv4Network, running: int
) -> None:
    kept = rig.operate("reinstall", running, keep_until=LATER).facts["kept"]["operation"]
    init, mine = rig.init(running), f"{networked.network_address + 721}"
    call(["ip", "addr", "add", f"{mine}/32", "dev", "lo"])
    try:
        for plan, params in (
            ("restart", {}), ("reinstall", {}), ("undo_reinstall", {"replaced": kept}),
        ):  # fmt: skip
            refused = rig.operate(plan, running, spec={"ips": [mine]}, **params)
            assert (refused.code, refused.end["problem"]) == (78, "address-in-use"), refused.log
            assert goes_on(rig, running, init, refused)
    finally:
        call(["ip", "addr", "del", f"{mine}/32", "dev", "lo"])


def test_a_system_without_an_init_is_not_put_in_the_place_of_one_that_runs(
    rig: Rig, running: int
) -> None:
    kept = rig.operate("reinstall", running, keep_until=LATER).facts["kept"]["operation"]
    init = rig.init(running)
    (rig.paths(running).old / f"{kept}" / "fs/sbin/init").unlink()

    refused = rig.operate("undo_reinstall", running, replaced=kept)

    assert (refused.code, refused.end["problem"]) == (94, "no-init"), refused.log
    assert goes_on(rig, running, init, refused)


def test_a_new_system_that_could_not_be_started_stops_nothing(rig: Rig, running: int) -> None:
    rig.write(running, "vps.reinstall", BUILDS_WITHOUT_RUN)
    init = rig.init(running)

    refused = rig.operate("reinstall", running)

    assert refused.code == 94, refused.log
    assert refused.end["problem"] == "bad-tree"
    assert goes_on(rig, running, init, refused)


def test_a_mount_script_that_nobody_can_read_stops_no_reinstallation_halfway(
    rig: Rig, running: int
) -> None:
    unreadable(rig, running)
    init = rig.init(running)

    refused = rig.operate("reinstall", running)

    assert (refused.code, refused.end["problem"]) == (94, "script-unreadable"), refused.log
    assert goes_on(rig, running, init, refused)


# What /run leads to is nothing that a runtime may mount on: only the way up finds that
BUILDS_WITHOUT_RUN = """#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in --ve_private) old=$2;; --ve_private_tmp) new=$2;; esac
    shift
done
cp -a "$old" "$new" && rm -rf "$new/run" && ln -s /tmp "$new/run"
"""


def test_saved_processes_are_not_thrown_away_for_a_start_that_could_not_be(
    rig: Rig, criu: str, running: int
) -> None:
    assert rig.operate("suspend", running).code == 0
    init = rig.paths(running).fs / "sbin/init"
    aside = Path(f"{init}.aside")
    init.rename(aside)

    refused = rig.operate("start", running, discard=True)

    assert (refused.code, refused.end["problem"]) == (47, "no-init"), refused.log
    assert rig.state(running) is State.SUSPENDED
    aside.rename(init)
    resumed = rig.operate("resume", running)
    assert (resumed.code, resumed.state) == (0, UP), resumed.log


def test_a_restore_of_processes_looks_at_the_way_up_and_one_of_the_disk_need_not(
    rig: Rig, criu: str, running: int
) -> None:
    kept, init = take(rig, running), rig.init(running)

    refused = rig.operate(
        "restore", running, spec={"disabled": True}, **kept.params, safety=fresh()
    )

    assert refused.code == 105, refused.log
    assert goes_on(rig, running, init, refused)
    restored = rig.operate(
        "restore", running, spec={"disabled": True}, **kept.params, disk_only=True
    )
    assert (restored.code, restored.state) == (0, DOWN), restored.log
