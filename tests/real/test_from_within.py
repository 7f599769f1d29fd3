"""What a container does by itself, and what becomes of it without its monitor."""

import json
import os
import signal
from pathlib import Path

import pytest

from containers.node import observed
from containers.node.processes.cgroup import Group
from containers.node.spool import Event, Spool
from containers.node.states import State
from tests.real.rig import Rig, name_of

SCRIPTS = ("vps.mount", "mount", "start", "stop", "umount", "vps.umount")
FLOOD = "while :; do echo {}; done >/dev/console"
MIB = 1024 * 1024


@pytest.fixture
def running(rig: Rig, ctid: int) -> int:
    for name in SCRIPTS:
        rig.write(ctid, name, f"#!/bin/sh\necho {name}\n")
    assert rig.operate("start", ctid).code == 0
    return ctid


@pytest.mark.parametrize(("word", "by"), [("reboot", 1), ("halt", 2), ("poweroff", 2)])
def test_its_monitor_tells_what_was_typed_in_it(rig: Rig, running: int, word: str, by: int) -> None:
    type_in(rig, running, word)

    gone = until_gone(rig, running)

    assert (gone["code"], gone["signal"]) == (None, by)
    assert rig.state(running) is State.MOUNTED


def test_a_reboot_from_within_runs_all_scripts_but_the_stop_script(rig: Rig, running: int) -> None:
    type_in(rig, running, "reboot")
    until_gone(rig, running)
    before = observed.init_of(rig.paths(running))

    outcome = rig.operate("rebooted", running)

    assert (outcome.code, outcome.state) == (0, State.RUNNING), outcome.log
    assert outcome.scripts == ["umount", "vps.umount", "vps.mount", "mount", "start"]
    assert observed.init_of(rig.paths(running)) != before
    assert rig.inside(running, "cat", "/proc/1/comm") == "init\n"


def test_a_halt_from_within_runs_the_umount_scripts(rig: Rig, running: int) -> None:
    type_in(rig, running, "halt")
    until_gone(rig, running)

    outcome = rig.operate("halted", running)

    assert (outcome.code, outcome.state) == (0, State.STOPPED), outcome.log
    assert outcome.scripts == ["umount", "vps.umount"]
    assert not observed.left_behind(rig.paths(running))


def test_a_refusing_umount_script_leaves_a_halted_container_mounted(rig: Rig, running: int) -> None:
    rig.write(running, "umount", "#!/bin/sh\nexit 1\n")
    type_in(rig, running, "halt")
    until_gone(rig, running)

    for plan in ("halted", "rebooted"):
        outcome = rig.operate(plan, running)
        assert (outcome.code, outcome.state) == (79, State.MOUNTED), plan
        assert outcome.scripts == ["umount"]


def test_a_killed_init_never_shows_as_running(rig: Rig, running: int) -> None:
    os.kill(rig.init(running).pid, signal.SIGKILL)
    gone = until_gone(rig, running)

    assert (gone["signal"], rig.state(running)) == (9, State.MOUNTED)
    outcome = rig.operate("halted", running)
    assert (outcome.code, outcome.state) == (0, State.STOPPED), outcome.log
    assert rig.operate("start", running).code == 0


def test_what_is_due_after_its_end_is_not_done_to_one_that_runs_again(
    rig: Rig, running: int
) -> None:
    type_in(rig, running, "halt")
    until_gone(rig, running)
    assert rig.operate("start", running).state is State.RUNNING

    for plan in ("halted", "rebooted"):
        outcome = rig.operate(plan, running)
        assert (outcome.code, outcome.scripts, outcome.state) == (0, [], State.RUNNING)


def test_it_goes_on_without_its_monitor_and_a_new_one_tells_its_end(rig: Rig, running: int) -> None:
    init = rig.init(running)
    kill_monitor(rig, running)
    assert init.alive
    assert rig.inside(running, "echo", "here") == "here\n"

    rig.zygote.adopt(running)
    rig.wait_for(lambda: monitor(rig, running).alive(), "the new monitor")
    type_in(rig, running, "reboot")

    gone = until_gone(rig, running)
    assert (gone["code"], gone["signal"]) == (None, None), "only its own parent could know"
    assert rig.operate("rebooted", running).state is State.RUNNING
    assert last_event(rig, running)["ev"] == "init"


def test_one_without_a_monitor_is_stopped_as_any_other(rig: Rig, running: int) -> None:
    kill_monitor(rig, running)

    stopped = rig.operate("stop", running)

    assert (stopped.code, stopped.state) == (0, State.STOPPED), stopped.log
    assert stopped.scripts == ["stop", "umount", "vps.umount"]


def test_a_second_monitor_leaves_at_once(rig: Rig, running: int) -> None:
    first = monitor(rig, running).pid()
    second = rig.zygote.adopt(running)

    rig.wait_for(lambda: observed.started(second) is None, "the second one to be forked")
    rig.wait_for(lambda: monitors(rig) == [first], "the second one to leave")
    assert last_event(rig, running)["ev"] == "init"
    assert rig.paths(running).console_socket.exists()
    type_in(rig, running, "halt")
    assert until_gone(rig, running)["signal"] == 2


def test_what_it_writes_to_its_console_is_kept(rig: Rig, running: int) -> None:
    rig.inside(running, "sh", "-c", "printf 'hello \\377 console\\n' >/dev/console")

    rig.wait_for(lambda: b"hello \xff console" in console(rig, running), "the console")
    assert b"ct" in console(rig, running), "what its init said at boot"
    assert kept(rig, running).stat().st_mode & 0o077 == 0


def test_a_last_cry_on_the_console_is_kept(rig: Rig, running: int) -> None:
    script = "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done >/dev/console; halt"
    type_in(rig, running, script)
    until_gone(rig, running)

    assert b"line 1999" in console(rig, running)


def test_a_flood_on_the_console_takes_two_mib_and_hurts_nobody(rig: Rig, running: int) -> None:
    flood = rig.begin("exec", running, command=["sh", "-c", FLOOD.format("x" * 200)])
    rig.wait_for(lambda: kept(rig, running).with_suffix(".1").exists(), "the first rotation")

    assert rig.inside(running, "echo", "here") == "here\n"
    first = kept(rig, running).with_suffix(".1").stat().st_ino
    rig.wait_for(
        lambda: kept(rig, running).with_suffix(".1").stat().st_ino != first, "the second rotation"
    )
    sizes = [path.stat().st_size for path in kept(rig, running).parent.glob("console*")]
    assert len(sizes) <= 2  # the next one may be about to be begun
    assert max(sizes) <= MIB + 128 * 1024

    stopped = rig.operate("stop", running)
    assert (stopped.code, stopped.state) == (0, State.STOPPED)
    rig.finish(flood)


def type_in(rig: Rig, ctid: int, words: str) -> None:
    rig.begin("exec", ctid, command=["sh", "-c", words])


def monitor(rig: Rig, ctid: int) -> Spool:
    return Spool(rig.paths(ctid).monitor)


def monitors(rig: Rig) -> list[int]:
    """Those at work; others are forked beforehand."""
    group = Group(f"{rig.conf.cgroup}/monitors")
    return [pid for pid in group.processes() if name_of(pid) == "panel-monitor"]


def last_event(rig: Rig, ctid: int) -> Event:
    return dict(json.loads(monitor(rig, ctid).events.read_text().splitlines()[-1]))


def until_gone(rig: Rig, ctid: int) -> Event:
    rig.wait_for(lambda: last_event(rig, ctid)["ev"] == "gone", "its init to end")
    return last_event(rig, ctid)


def kill_monitor(rig: Rig, ctid: int) -> None:
    pid = monitor(rig, ctid).pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    rig.wait_for(lambda: not monitor(rig, ctid).alive(), "the monitor to die")


def kept(rig: Rig, ctid: int) -> Path:
    return rig.paths(ctid).monitor / "console"


def console(rig: Rig, ctid: int) -> bytes:
    return kept(rig, ctid).read_bytes()
