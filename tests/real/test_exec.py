"""Commands run in a container: their output, their end, and what else goes on meanwhile."""

import os
import signal

import pytest

from containers.node.states import State
from tests.real.rig import Rig


@pytest.fixture
def running(rig: Rig, ctid: int) -> int:
    assert rig.operate("start", ctid).code == 0
    return ctid


def test_output_of_both_kinds_and_the_exit_code_are_told(rig: Rig, running: int) -> None:
    done = rig.operate("exec", running, command=["sh", "-c", "echo out; echo err >&2; exit 5"])

    assert (done.code, done.facts["exit"], done.end["progress"]) == (8, 5, "failed")
    assert "out\nerr\n" in done.log
    assert done.end["error"] == "The command sh ended with exit code 5."


def test_words_are_handed_on_as_they_are(rig: Rig, running: int) -> None:
    words = ["a b", "$HOME", "`id`", "*", "", "ü", "-n"]
    script = 'for word; do printf "<%s>" "$word"; done'
    assert rig.inside(running, "sh", "-c", script, "sh", *words) == "".join(
        f"<{word}>" for word in words
    )


def test_a_command_that_is_not_there_is_8(rig: Rig, running: int) -> None:
    missing = rig.operate("exec", running, command=["no-such-command"])

    assert missing.code == 8
    assert "The command no-such-command could not be run in the container" in missing.end["error"]
    assert rig.operate("exec", running, command=["true"]).code == 0


def test_a_container_that_does_not_run_is_31(rig: Rig, ctid: int) -> None:
    assert rig.operate("exec", ctid, command=["true"]).code == 31
    rig.operate("mount", ctid)
    assert rig.operate("exec", ctid, command=["true"]).code == 31


def test_it_is_ended_with_all_it_started_when_it_is_cancelled(rig: Rig, running: int) -> None:
    busy = "sleep 1001 & (setsid sleep 1001 &) ; echo ready; sleep 1001"
    number = rig.begin("exec", running, command=["sh", "-c", busy])
    rig.wait_for(lambda: "ready" in rig.said(number), "the command to run")

    os.kill(rig.runner(number), signal.SIGTERM)
    ended = rig.finish(number)

    assert (ended.code, ended.end["progress"]) == (79, "cancelled")
    assert rig.state(running) is State.RUNNING
    assert "sleep 1001" not in rig.inside(running, "ps", "-o", "args")


def test_it_is_ended_at_its_time_limit(rig: Rig, running: int) -> None:
    ended = rig.operate("exec", running, command=["sleep", "1001"], timeout=0.3)

    assert (ended.code, rig.state(running)) == (8, State.RUNNING)
    assert "time limit of 0.3 s" in ended.end["error"]
    assert "sleep 1001" not in rig.inside(running, "ps", "-o", "args")


def test_it_holds_nothing_up_and_is_held_up_by_nothing(rig: Rig, running: int) -> None:
    long = rig.begin("exec", running, command=["sh", "-c", "echo ready; sleep 1001"])
    rig.wait_for(lambda: "ready" in rig.said(long), "the command to run")
    rig.write(running, "stop", "echo stopping; while [ ! -e /go ]; do sleep .05; done\n")

    stop = rig.begin("stop", running)
    rig.wait_for(lambda: "stopping" in rig.said(stop), "the stop script to run")
    assert rig.inside(running, "touch", "/go") == ""

    stopped, ended = rig.finish(stop), rig.finish(long)
    assert (stopped.code, stopped.state) == (0, State.STOPPED), stopped.log
    assert (ended.code, ended.facts["exit"]) == (8, -15), "halting, its init asked all to end"


def test_nothing_of_it_is_left_when_its_container_goes(rig: Rig, running: int) -> None:
    number = rig.begin("exec", running, command=["sh", "-c", "echo ready; sleep 1001"])
    rig.wait_for(lambda: "ready" in rig.said(number), "the command to run")

    os.kill(rig.init(running).pid, signal.SIGKILL)

    ended = rig.finish(number)
    assert (ended.code, ended.facts["exit"], rig.state(running)) == (8, -9, State.MOUNTED)
    assert rig.operate("halted", running).code == 0
    assert rig.state(running) is State.STOPPED


def test_what_it_leaves_running_does_not_hold_it_up(rig: Rig, running: int) -> None:
    leave = "sleep 1005 & echo hi"
    assert rig.inside(running, "sh", "-c", leave) == "hi\n"
    rig.write(running, "stop", "sleep 1006 & echo bye; sh -c 'exit 3'\n")
    stopped = rig.operate("stop", running)
    assert (stopped.code, rig.state(running)) == (79, State.RUNNING)
    assert "bye\n" in stopped.log
    assert {"sleep 1005", "sleep 1006"} <= {*rig.inside(running, "ps", "-o", "args").splitlines()}
