"""Operations that are cancelled, meet each other, or find the disk full."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.node import observed, runner
from containers.node.errors import NoSpace, Problem
from containers.node.processes.run import call
from containers.node.states import State
from containers.node.templates import busybox
from containers.node.zygote import Zygote
from tests.real.conftest import node
from tests.real.dying import run_dying
from tests.real.rig import SLEEP, Rig, bell_of, sleepers

UP, DOWN, MOUNTED, GONE = State.RUNNING, State.STOPPED, State.MOUNTED, State.BROKEN
STARTS, STOPS = "vps.mount mount start", "stop umount vps.umount"
HANGS = f"#!/bin/sh\necho hanging; {SLEEP} & (setsid {SLEEP} &); {SLEEP}\n"
BOTH = ("documented", "vzctl")


# Cancelled


@pytest.mark.parametrize(
    ("before", "plan", "at", "profile", "scripts", "after"),
    [
        (DOWN, "start", "vps.premount", "documented", "vps.premount", DOWN),
        (DOWN, "start", "premount", "documented", "premount", DOWN),
        (DOWN, "start", "vps.mount", "documented", "vps.mount", DOWN),
        (DOWN, "mount", "mount", "vzctl", "vps.mount mount", DOWN),
        (DOWN, "start", "start", "documented", STARTS, DOWN),
        (DOWN, "start", "start", "vzctl", f"{STARTS} umount vps.umount", DOWN),
        (UP, "stop", "stop", "documented", "stop", UP),
        (UP, "stop", "umount", "documented", "stop umount", MOUNTED),
        (UP, "stop", "vps.umount", "vzctl", STOPS, MOUNTED),
        (UP, "stop", "postumount", "documented", f"{STOPS} postumount", DOWN),
        (UP, "restart", "mount", "documented", f"{STOPS} vps.mount mount", DOWN),
        (MOUNTED, "start", "umount", "documented", "umount", MOUNTED),
    ],
)
def test_a_cancel_ends_the_script_that_runs_and_undoes_the_rest(
    rig: Rig, ctid: int, before: State, plan: str, at: str, profile: str, scripts: str, after: State
) -> None:
    bring(rig, ctid, before)
    for name in ("vps.mount", "mount", "start", "stop", "umount", "vps.umount"):
        rig.write(ctid, name, "#!/bin/sh\ntrue\n")
    rig.write(ctid, at, HANGS)
    hanging = set(sleepers())

    number = rig.begin(plan, ctid, profile=profile)
    rig.wait_for(lambda: "hanging" in rig.said(number), "the script to hang")
    cancel(rig, number)
    outcome = rig.finish(number)

    assert (outcome.end["progress"], outcome.code) == ("cancelled", 79), outcome.log
    assert outcome.scripts == scripts.split()
    assert (outcome.state, rig.state(ctid)) == (after, after)
    assert outcome.end["error"].startswith("It was cancelled.")
    assert set(sleepers()) <= hanging
    rig.write(ctid, at, "#!/bin/sh\ntrue\n")
    assert rig.operate("restart", ctid).code == 0


def test_a_create_that_is_cancelled_leaves_nothing(rig: Rig, bare_ctid: int) -> None:
    rig.write(bare_ctid, "vps.create", HANGS)
    number = rig.begin("create", bare_ctid)
    rig.wait_for(lambda: "hanging" in rig.said(number), "the script to hang")
    cancel(rig, number)

    outcome = rig.finish(number)
    assert (outcome.end["progress"], rig.state(bare_ctid)) == ("cancelled", GONE)
    assert not rig.paths(bare_ctid).private.exists()
    assert not rig.paths(bare_ctid).conf_link.is_symlink()


def test_a_stop_that_waits_for_an_init_can_be_cancelled(rig: Rig, ctid: int) -> None:
    (rig.paths(ctid).fs / "sbin/init").write_text("#!/bin/sh\n# panel-init\nexec sleep 1004\n")
    assert rig.operate("start", ctid).code == 0
    number = rig.begin("stop", ctid)
    rig.wait_for(lambda: "halt the container" in rig.said(number), "the stop to wait")
    cancel(rig, number)

    outcome = rig.finish(number)
    assert (outcome.end["progress"], outcome.state) == ("cancelled", UP)
    assert rig.operate("stop", ctid, stop_timeout=0.2).state is DOWN


def test_a_second_cancel_ends_the_undo_too(rig: Rig, ctid: int) -> None:
    rig.write(ctid, "start", f"echo hanging; {SLEEP}\n")
    rig.write(ctid, "umount", f"#!/bin/sh\necho undoing; {SLEEP}\n")
    hanging = set(sleepers())

    number = rig.begin("start", ctid, profile="vzctl")
    rig.wait_for(lambda: "hanging" in rig.said(number), "the start script to hang")
    cancel(rig, number)
    rig.wait_for(lambda: "undoing" in rig.said(number), "the undo to hang")
    cancel(rig, number)

    outcome = rig.finish(number)
    assert (outcome.end["progress"], outcome.state) == ("cancelled", MOUNTED), outcome.log
    assert outcome.scripts == ["start", "umount"]
    assert "The rest is left as it is" in outcome.log
    assert set(sleepers()) <= hanging
    assert rig.state(ctid) is MOUNTED


@pytest.mark.parametrize("dead", [True, False])
def test_a_cancel_does_not_end_what_is_undone_already(rig: Rig, ctid: int, dead: bool) -> None:
    """Of an operation that failed, or whose runner is dead: only a second cancel would."""
    rig.write(ctid, "start", f"echo hanging; {SLEEP}\n" if dead else "exit 1\n")
    rig.write(ctid, "umount", "#!/bin/sh\necho undoing; sleep 1; echo all of it\n")
    number = rig.begin("start", ctid, profile="vzctl")
    if dead:
        rig.wait_for(lambda: "hanging" in rig.said(number), "the start script to hang")
        kill(rig, number)
        rig.zygote.recover(number)
    rig.wait_for(lambda: "undoing" in rig.said(number), "the undo")
    cancel(rig, number)

    outcome = rig.finish(number)
    assert outcome.end["progress"] == ("interrupted" if dead else "failed"), outcome.log
    assert "all of it" in outcome.log
    assert (outcome.state, rig.state(ctid)) == (DOWN, DOWN)
    assert not dead or outcome.end["details"]["recovered"] == "back"


@pytest.mark.parametrize(
    ("umount", "recovered", "after"), [("exit 1", "stuck", MOUNTED), ("true", "back", DOWN)]
)
def test_a_recovery_says_undone_only_of_what_was(
    rig: Rig, ctid: int, umount: str, recovered: str, after: State
) -> None:
    rig.write(ctid, "umount", f"#!/bin/sh\n{umount}\n")
    number = run_dying(rig, "start", ctid, "create", "ended", profile="vzctl")
    rig.zygote.recover(number)
    outcome = rig.finish(number)
    assert (outcome.end["details"]["recovered"], outcome.state) == (recovered, after), outcome.log


def test_a_recovery_of_what_is_not_undone_does_not_say_so(rig: Rig, ctid: int) -> None:
    bring(rig, ctid, UP)
    number = run_dying(rig, "stop", ctid, "keep-scripts", "ended")
    rig.zygote.recover(number)
    outcome = rig.finish(number)
    assert (outcome.end["details"]["recovered"], outcome.state) == ("left", UP), outcome.log


def kill(rig: Rig, number: int) -> None:
    os.kill(rig.runner(number), signal.SIGKILL)
    rig.wait_for(lambda: not rig.spool(number).alive(), "its runner's end")


def test_a_cancel_after_the_last_step_changes_nothing(rig: Rig, ctid: int) -> None:
    number = rig.begin("mount", ctid)
    rig.finish(number)
    with contextlib.suppress(ProcessLookupError, TypeError):  # it may have left
        cancel(rig, number)
    assert rig.state(ctid) is MOUNTED
    assert rig.operate("umount", ctid).code == 0


# Two at once


def test_the_second_operation_is_refused_with_9_and_the_holder_named(
    rig: Rig, ctid: int, tmp_path: Path
) -> None:
    rig.write(
        ctid, "mount", f"#!/bin/sh\necho here; until [ -e {tmp_path}/go ]; do sleep .05; done"
    )
    first = rig.begin("start", ctid)
    rig.wait_for(lambda: "here" in rig.said(first), "the first to be under way")
    holder = rig.spool(first).pid()

    for plan in ("start", "stop", "destroy", "set"):
        second = rig.operate(plan, ctid)
        assert second.code == 9
        assert second.end["error"] == f"The container is locked by pid {holder} (start)."
        assert second.steps == []
    (tmp_path / "go").touch()
    assert rig.finish(first).state is UP


def test_a_shell_that_holds_the_lock_keeps_the_panel_out(rig: Rig, ctid: int) -> None:
    lock = rig.paths(ctid).lock
    lock.write_text("1\nstopping\n")  # as one that was killed has left it
    shell = subprocess.Popen(["flock", f"{lock}", "sh", "-c", "echo held; read x"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    with shell:
        assert shell.stdin
        assert shell.stdout
        assert shell.stdout.readline() == b"held\n"
        refused = rig.operate("start", ctid)
        shell.stdin.write(b"\n")

    assert (refused.code, rig.state(ctid)) == (9, DOWN)
    assert f"locked by pid {shell.pid}: flock {lock}" in refused.end["error"]
    assert rig.operate("start", ctid).code == 0


def test_what_a_dead_runner_left_is_tidied_up_once_a_shell_lets_go_of_the_lock(
    rig: Rig, ctid: int
) -> None:
    number = run_dying(rig, "start", ctid, "create", "ended")
    lock = ["flock", f"{rig.paths(ctid).lock}", "sh", "-c", "echo held; read x"]
    with subprocess.Popen(lock, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdin
        assert shell.stdout
        assert shell.stdout.readline() == b"held\n"
        runner = rig.zygote.recover(number)
        rig.wait_for(lambda: observed.started(runner) is None, "the recovery to give way")
        assert not rig.ended(number)
        shell.stdin.write(b"\n")

    rig.zygote.recover(number)
    outcome = rig.finish(number)
    assert (outcome.end["progress"], outcome.state) == ("interrupted", DOWN)
    assert rig.operate("start", ctid).code == 0


# A full disk


@pytest.fixture(scope="module")
def beta() -> Iterator[Rig]:
    """A second node, whose pool is small."""
    with node("beta", "200M") as conf:
        busybox.publish(conf)
        zygote = Zygote.start(conf)
        try:
            with bell_of(conf) as bell:
                yield Rig(conf, zygote, bell)
        finally:
            zygote.close()


@pytest.fixture
def small(beta: Rig) -> Iterator[int]:
    """A container on it."""
    assert beta.operate("create", 101).code == 0
    yield 101
    beta.clear(101)


def test_on_a_full_pool_nothing_is_made_and_nothing_is_lost(beta: Rig, small: int) -> None:
    beta.write(small, "mount", "#!/bin/sh\necho of old\n")
    assert beta.operate("start", small).code == 0
    settings = beta.paths(small).ve_conf.read_text()
    with full(beta.conf.vz):
        made = beta.operate("create", 102)
        assert (made.code, made.end["problem"]) == (46, "pool-reserve")
        assert not beta.paths(102).private.exists()
        assert not beta.paths(102).conf_link.is_symlink()

        changed = beta.operate("set", small, spec={"hostname": "other", "description": "x" * 3000})
        assert (changed.code, changed.state) == (46, UP)
        assert "full" in changed.end["error"]
        assert beta.paths(small).ve_conf.read_text() == settings

        stopped = beta.operate("stop", small)
        assert (stopped.code, stopped.state) == (0, DOWN), stopped.log

        beta.write(small, "mount", "#!/bin/sh\n" + "# longer than before\n" * 500)
        started = beta.operate("start", small)
        assert (started.code, started.state) == (46, DOWN), started.log
        assert "full" in started.end["error"]
        assert "of old" in (beta.paths(small).scripts / "mount").read_text()
    started = beta.operate("start", small)
    assert (started.code, started.state) == (0, UP), started.log


LONGER = "# longer than before\n" * 500


def test_on_a_full_pool_all_that_goes_down_goes_down_and_nothing_else_is_stopped(
    beta: Rig, small: int
) -> None:
    beta.write(small, "stop", "echo of old\n")
    assert beta.operate("start", small).code == 0
    init = beta.init(small)
    beta.write(small, "stop", f"echo anew\n{LONGER}")
    beta.write(small, "umount", f"#!/bin/sh\n{LONGER}")
    with full(beta.conf.vz):
        kept_up = beta.operate("restart", small)
        assert (kept_up.code, beta.init(small)) == (46, init), kept_up.log

        stopped = beta.operate("stop", small, skip_umount=True)
        assert (stopped.code, stopped.state) == (0, MOUNTED), stopped.log
        assert "Warning: " in stopped.log
        assert "stop could not be written (No space left on device); what is there" in stopped.log
        assert "umount could not be written (No space left on device); it does not" in stopped.log
        assert "of old\n" in stopped.log
        assert [path.name for path in beta.paths(small).scripts.iterdir()] == ["stop"]

        dismounted = beta.operate("umount", small)
        assert (dismounted.code, dismounted.state) == (0, DOWN), dismounted.log
        assert dismounted.scripts == []
        destroyed = beta.operate("destroy", small)
        assert destroyed.code == 0, destroyed.log
    assert not beta.paths(small).private.exists()


@pytest.fixture
def tight(beta: Rig, small: int) -> Iterator[int]:
    """The spool on a disk of its own, with room for the journal and little more."""
    call(["mount", "-t", "tmpfs", "-o", "size=1536k", "none", f"{beta.conf.spool}"])
    yield small
    call(["umount", "--lazy", f"{beta.conf.spool}"])


def test_a_log_that_finds_no_room_ends_its_script_and_the_undo_runs(beta: Rig, tight: int) -> None:
    beta.write(tight, "mount", "#!/bin/sh\necho first\nseq 1000000\n")

    outcome = beta.operate("start", tight, patience=0.2)

    assert (outcome.code, outcome.state) == (46, DOWN), outcome.log[-500:]
    assert outcome.scripts == ["mount"]
    assert outcome.end["lost"] > 0
    assert outcome.end["problem"] == Problem.LOG_FULL
    assert outcome.end["undone"] == [{"step": "dismount", "label": "dismount its file system"}]
    assert not observed.mounted(beta.paths(tight).root)
    assert "first\n1\n2\n" in outcome.log
    for each in beta.conf.spool.glob("[0-9]*/log"):
        os.truncate(each, 0)
    beta.write(tight, "mount", "#!/bin/sh\necho again\n")
    assert beta.operate("start", tight, patience=0.2).code == 0


def test_output_waits_for_room_rather_than_being_lost(beta: Rig, tight: int) -> None:
    filler = beta.conf.spool / "filler"
    go = beta.conf.state / "go"
    beta.write(
        tight, "mount", f"#!/bin/sh\necho here; until [ -e {go} ]; do sleep .02; done; seq 9999"
    )
    number = beta.begin("mount", tight, patience=20)
    beta.wait_for(lambda: "here" in beta.said(number), "the script to run")
    fill(filler)
    go.touch()
    beta.wait_for(lambda: "\n1\n" in beta.said(number), "the log to be full")
    filler.unlink()

    outcome = beta.finish(number)
    go.unlink()
    assert (outcome.code, outcome.end["lost"]) == (0, 0)
    assert "".join(f"{n}\n" for n in range(1, 10000)) in outcome.log


def test_without_room_for_its_journal_an_operation_does_not_begin(beta: Rig, tight: int) -> None:
    beta.write(tight, "mount", "#!/bin/sh\necho ran\n")
    number = beta.request("start", tight, patience=0.2)
    filler = beta.conf.spool / "filler"
    fill(filler)

    runner = beta.zygote.run(number)
    beta.wait_for(lambda: observed.started(runner) is None, "its runner to leave")
    assert not beta.ended(number)
    assert (beta.state(tight), beta.said(number)) == (DOWN, "")

    filler.unlink()
    beta.zygote.recover(number)
    outcome = beta.finish(number)
    assert (outcome.end["progress"], outcome.state, outcome.scripts) == ("interrupted", DOWN, [])
    assert beta.operate("start", tight, patience=0.2).code == 0


def test_a_runner_that_can_not_begin_for_want_of_room_says_so(
    beta: Rig, small: int, capfd: pytest.CaptureFixture[str]
) -> None:
    number = beta.request("start", small)
    beta.spool(number).runner.unlink(missing_ok=True)
    call(["mount", "-t", "tmpfs", "-o", "nr_inodes=2,size=64k", "none", f"{beta.conf.spool}"])
    try:
        beta.spool(number).path.mkdir()
        child = os.fork()
        if not child:
            try:
                runner.main(beta.conf, number)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        with pytest.raises(NoSpace):
            beta.spool(number).require_room()
    finally:
        call(["umount", "--lazy", f"{beta.conf.spool}"])

    said = capfd.readouterr().err
    assert said == f"operation {number}: The disk that holds the log is full.\n"
    assert beta.operate("start", small).code == 0


def test_nothing_is_left_of_a_note_that_finds_no_room(beta: Rig, small: int) -> None:
    """A reinstallation notes which area is which; its draft is gone again, whole or not."""
    with full(beta.conf.vz), contextlib.suppress(NoSpace):
        beta.operate("reinstall", small, skipbackup=True)
    left = [path.name for path in beta.paths(small).private.iterdir()]
    assert not [name for name in left if name.endswith(".new")]


@contextlib.contextmanager
def full(place: Path) -> Iterator[None]:
    """A disk with no room left, for files nor for what is kept about them."""
    folder = place / "filler"
    folder.mkdir()
    try:
        for size in (1 << 20, 4096, 1000):
            for n in range(200_000):
                try:
                    (folder / f"{size}-{n}").write_bytes(b"x" * size)
                except OSError:
                    break
            os.sync()
        yield
    finally:
        for each in folder.iterdir():
            each.unlink()
        folder.rmdir()
        os.sync()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def bring(rig: Rig, ctid: int, state: State) -> None:
    plans = {UP: "start", MOUNTED: "mount"}
    if state in plans:
        assert rig.operate(plans[state], ctid).code == 0
    assert rig.state(ctid) is state


def cancel(rig: Rig, number: int) -> None:
    os.kill(rig.runner(number), signal.SIGTERM)
