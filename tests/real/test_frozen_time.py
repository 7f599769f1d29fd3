"""Processes that once froze a container for a minute: handled, or named before it is frozen."""

import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL
from threading import Thread

import pytest

from containers.node import observed
from containers.node.checkpoint import obstacles
from containers.node.states import State
from tests.real import elf
from tests.real.counter import count, counting, read
from tests.real.rig import Outcome, Rig
from tests.real.snapshots import Kept, fresh, listed, take

pytestmark = pytest.mark.criu
UP = State.RUNNING
SHORT = 3.0  # seconds that a container of a few processes may stand still, on a busy machine
PTRACE_SEIZE, CLONE_NEWNET = 0x4206, 0x40000000
STALLING = 10  # lines of its log after which CRIU has not touched a process yet
OUT = ">/dev/null 2>&1"
QUIET = f"</dev/null {OUT}"


@pytest.fixture
def running(criu: str, rig: Rig, ctid: int) -> int:
    counting(rig, ctid)
    return ctid


def pid_of(rig: Rig, ctid: int, name: str) -> int:
    """The node's, of a process of a container."""
    found = [pid for pid in obstacles.members(rig.init(ctid).pid) if obstacles.name_of(pid) == name]
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


def state_of(rig: Rig, ctid: int, name: str) -> str:
    return obstacles.state_of(pid_of(rig, ctid, name))


def stop(rig: Rig, ctid: int, name: str) -> None:
    os.kill(pid_of(rig, ctid, name), signal.SIGSTOP)
    rig.wait_for(lambda: state_of(rig, ctid, name) == "T", f"{name} to stop")


def stopped_counter(rig: Rig, ctid: int) -> None:
    """The counter is stopped, with a signal waiting that it must not see before it goes on."""
    stop(rig, ctid, "counter")
    os.kill(pid_of(rig, ctid, "counter"), signal.SIGUSR1)


def leave(rig: Rig, ctid: int, line: str) -> None:
    """What an exec leaves running."""
    rig.inside(ctid, "sh", "-c", f"{line} {QUIET} &")


def goes_on(rig: Rig, ctid: int) -> int:
    before = read(rig, ctid)
    os.kill(pid_of(rig, ctid, "counter"), signal.SIGCONT)
    rig.wait_for(lambda: read(rig, ctid) == before + 1, "the counter to see its signal")
    return read(rig, ctid)


def refused(rig: Rig, ctid: int, plan: str = "snapshot") -> Outcome:
    outcome = rig.operate(plan, ctid, **({"snapshot": fresh()} if plan == "snapshot" else {}))
    assert (outcome.code, outcome.state) == (16, UP), outcome.log
    assert listed(rig, ctid) == []
    return outcome


def test_a_stopped_process_is_kept_and_comes_back_stopped(rig: Rig, running: int) -> None:
    stopped_counter(rig, running)

    outcome = rig.operate("snapshot", running, snapshot=fresh())
    assert outcome.code == 0, outcome.log
    assert outcome.facts["frozen"] < SHORT
    assert (state_of(rig, running, "counter"), read(rig, running)) == ("T", 0)
    assert goes_on(rig, running) == 1

    kept = Kept(rig, running, outcome.facts["snapshot"])
    restored = rig.operate("restore", running, **kept.params, safety=fresh())
    assert restored.code == 0, restored.log
    assert (state_of(rig, running, "counter"), read(rig, running)) == ("T", 0)
    assert goes_on(rig, running) == 1


def test_a_stopped_process_is_suspended_and_kept_by_a_restore(rig: Rig, running: int) -> None:
    kept = take(rig, running)
    stopped_counter(rig, running)

    assert rig.operate("suspend", running).state is State.SUSPENDED
    assert rig.operate("resume", running).state is UP
    assert (state_of(rig, running, "counter"), read(rig, running)) == ("T", 0)

    restored = rig.operate("restore", running, **kept.params, safety=fresh())
    assert (restored.code, state_of(rig, running, "counter")) == (0, "S"), restored.log
    safety = Kept(rig, running, restored.facts["snapshot"])
    assert rig.operate("restore", running, **safety.params).code == 0
    assert (state_of(rig, running, "counter"), read(rig, running)) == ("T", 0)
    assert goes_on(rig, running) == 1


def test_a_failed_dump_leaves_a_stopped_process_stopped(rig: Rig, running: int) -> None:
    stopped_counter(rig, running)
    queue(rig, running)

    for plan in ("snapshot", "suspend"):
        refused(rig, running, plan)
        assert (state_of(rig, running, "counter"), read(rig, running)) == ("T", 0)
    assert goes_on(rig, running) == 1


def test_a_stopped_exec_session_holds_nothing_up(rig: Rig, running: int) -> None:
    session = rig.begin("exec", running, command=["cat", "/dev/zero"])
    rig.wait_for(lambda: named(rig, running, "cat"), "the session")
    stop(rig, running, "cat")

    outcome = rig.operate("snapshot", running, snapshot=fresh())

    assert outcome.code == 0, outcome.log
    assert outcome.facts["frozen"] < SHORT
    assert state_of(rig, running, "cat") == "T"
    os.kill(pid_of(rig, running, "cat"), signal.SIGKILL)
    rig.finish(session)


def named(rig: Rig, ctid: int, name: str) -> bool:
    members = obstacles.members(rig.init(ctid).pid)
    return any(obstacles.name_of(pid) == name for pid in members)


@pytest.mark.parametrize("plan", ["snapshot", "suspend"])
def test_a_traced_process_is_named_before_anything_stands_still(
    rig: Rig, running: int, plan: str
) -> None:
    pid = pid_of(rig, running, "counter")
    with tracing(pid):
        outcome = refused(rig, running, plan)

    assert "frozen" not in outcome.facts
    assert f"the process counter ({inside(rig, running)}) is being traced" in outcome.end["error"]
    assert count(rig, running) == 1


def inside(rig: Rig, ctid: int) -> int:
    """The counter's pid as the container has it."""
    return int((rig.paths(ctid).fs / "tmp/counter.pid").read_text())


@contextmanager
def tracing(pid: int) -> Iterator[None]:
    """By a child: only who traces a process can let it go, and does so by its end."""
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        os.close(done[1])
        libc = ctypes.CDLL(None, use_errno=True)
        failed = libc.ptrace(ctypes.c_long(PTRACE_SEIZE), ctypes.c_long(pid), None, None)
        os.write(ready[1], b"-" if failed else b"+")
        os.read(done[0], 1)
        os._exit(0)
    try:
        assert os.read(ready[0], 1) == b"+"
        yield
    finally:
        os.close(done[1])
        os.waitpid(child, 0)
        for fd in (*ready, done[0]):
            os.close(fd)


def test_who_waits_for_a_vfork_is_named_before_anything_stands_still(
    rig: Rig, running: int
) -> None:
    elf.write(rig.paths(running).fs / "root/vforker", elf.vforking())
    leave(rig, running, "exec /root/vforker")

    for plan in ("snapshot", "suspend"):
        outcome = refused(rig, running, plan)
        assert "frozen" not in outcome.facts
        assert "the process vforker (" in outcome.end["error"]
        assert "waits for a program that it is about to start (vfork)" in outcome.end["error"]
    assert count(rig, running) == 1


def queue(rig: Rig, ctid: int) -> None:
    elf.write(rig.paths(ctid).fs / "root/queuer", elf.queueing(b"orders"))
    leave(rig, ctid, "exec /root/queuer")
    rig.wait_for(lambda: named(rig, ctid, "queuer"), "the queue")


def test_a_message_queue_is_named_with_who_has_it(rig: Rig, running: int) -> None:
    queue(rig, running)
    held = refused(rig, running)
    os.kill(pid_of(rig, running, "queuer"), signal.SIGKILL)
    left = refused(rig, running)

    assert "the process queuer (" in held.end["error"]
    assert "has the POSIX message queue /orders open" in held.end["error"]
    assert "There are POSIX message queues in it".lower() in left.end["error"].lower()
    assert "/orders" in left.end["error"]
    rig.inside(running, "rm", "/dev/mqueue/orders")
    assert count(rig, running) == 1
    take(rig, running)


def test_a_socket_of_the_nodes_is_named_with_who_has_it(
    rig: Rig, running: int, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as server, ours_in(rig, running) as end:
        server.bind(f"{tmp_path}/service")
        server.listen()
        end.connect(f"{tmp_path}/service")
        accepted, _ = server.accept()
        runc = ["runc", "--root", f"{rig.paths(running).runc_root}", "exec", "--detach"]
        subprocess.run([*runc, f"{running}", "sh", "-c", f"exec 5<&0; sleep 4711 <&5 {OUT} &"],
                       stdin=end.fileno(), stdout=DEVNULL, stderr=DEVNULL, check=True)  # fmt: skip
        rig.wait_for(lambda: named_by(rig, running, "4711"), "who has it")
        with accepted:
            outcome = refused(rig, running)

    assert "the process sleep (" in outcome.end["error"]
    assert f"connected by the socket {tmp_path}/service" in outcome.end["error"]
    assert "to a process outside the container" in outcome.end["error"]
    assert count(rig, running) == 1


def ours_in(rig: Rig, ctid: int) -> socket.socket:
    """A unix socket of the container's network, as it has made it."""
    made: list[socket.socket] = []

    def make() -> None:
        with open(f"/proc/{rig.init(ctid).pid}/ns/net") as network:
            assert ctypes.CDLL(None).setns(network.fileno(), CLONE_NEWNET) == 0
        made.append(socket.socket(socket.AF_UNIX))

    thread = Thread(target=make)  # a network namespace is the thread's
    thread.start()
    thread.join()
    return made[0]


def test_a_deleted_file_with_another_name_is_kept_and_the_disk_stays_clean(
    rig: Rig, running: int
) -> None:
    """As what sem_open leaves: one is on the disk, and one in the memory of the container."""
    for place in ("/tmp", "/dev/shm"):
        rig.inside(running, "sh", "-c",
                   f"echo {place} >{place}/a; ln {place}/a {place}/b; "
                   f"(exec 7<{place}/a; rm {place}/a; exec sleep 1000) {QUIET} &")  # fmt: skip
    before = sorted(os.listdir(rig.paths(running).fs / "tmp"))

    outcome = rig.operate("snapshot", running, snapshot=fresh())

    assert outcome.code == 0, outcome.log
    assert sorted(os.listdir(rig.paths(running).fs / "tmp")) == before
    kept = Kept(rig, running, outcome.facts["snapshot"])
    assert (kept.verify().answer, sorted(os.listdir(kept.saved.path))[:2]) == (
        "ok", ["config.json", "fs"],
    )  # fmt: skip
    assert rig.operate("trial_restore", running, **kept.params).code == 0
    restored = rig.operate("restore", running, **kept.params, safety=fresh())
    assert restored.code == 0, restored.log
    assert sorted(os.listdir(rig.paths(running).fs / "tmp")) == before
    said = rig.inside(running, "sh", "-c",
                      "for pid in $(pidof sleep); do cat /proc/$pid/fd/7; done 2>/dev/null;"
                      " ls /dev/shm")  # fmt: skip
    assert sorted(said.split()) == ["/dev/shm", "/tmp", "b"]


def test_a_dump_that_makes_no_progress_is_ended_and_the_container_goes_on(
    rig: Rig, running: int
) -> None:
    """CRIU itself is stopped while it has not touched a process yet."""
    with rig.configured(DUMP_PATIENCE="1"):
        for plan in ("snapshot", "suspend"):
            outcome = stalled(rig, running, plan)
            assert outcome.end["problem"] == "dump-stalled", outcome.log
            assert "no progress for 1 s" in outcome.end["error"]
            assert outcome.facts.get("frozen", 0) < 1 + SHORT
            assert (outcome.code, outcome.state, listed(rig, running)) == (16, UP, [])
            assert not observed.paused(rig.paths(running))
    assert count(rig, running) == 1


def stalled(rig: Rig, ctid: int, plan: str) -> Outcome:
    """One whose CRIU was stopped early enough."""
    while True:
        number = rig.begin(plan, ctid, **({"snapshot": fresh()} if plan == "snapshot" else {}))
        log = rig.conf.run / f"criu-{number}/dump.log"
        rig.wait_for(lambda: obstacles.read(f"{log}").count("\n") > STALLING, "CRIU")  # noqa: B023
        pids = [pid for pid in observed.processes() if is_criu(pid)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        if pids and "Dumping task" not in obstacles.read(f"{log}"):
            return rig.finish(number)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        again = rig.finish(number)
        assert again.code == 0, again.log
        if plan == "suspend":
            assert rig.operate("resume", ctid).code == 0
        else:
            assert rig.operate("delete_snapshot", ctid, **again.facts["snapshot"]).code == 0


def is_criu(pid: int) -> bool:
    return "\0swrk\0" in obstacles.read(f"/proc/{pid}/cmdline")


def test_what_an_exec_leaves_in_a_restored_container_has_its_clocks(rig: Rig, running: int) -> None:
    kept = take(rig, running)
    assert rig.operate("restore", running, **kept.params).code == 0
    leave(rig, running, "exec sleep 4712")
    clocks = {os.readlink(f"/proc/{pid}/ns/time") for pid in
              (rig.init(running).pid, pid_of_command(rig, running, "4712"))}  # fmt: skip
    assert len(clocks) == 1

    again = take(rig, running)
    assert rig.operate("restore", running, **again.params, safety=fresh()).code == 0
    assert pid_of_command(rig, running, "4712")
    assert rig.operate("suspend", running).code == 0
    assert rig.operate("resume", running).code == 0
    leave(rig, running, "exec sleep 4713")
    take(rig, running)


def pid_of_command(rig: Rig, ctid: int, word: str) -> int:
    (found,) = named_by(rig, ctid, word)
    return found


def named_by(rig: Rig, ctid: int, word: str) -> list[int]:
    """The processes with an argument like that."""
    return [pid for pid in obstacles.members(rig.init(ctid).pid)
            if word in obstacles.read(f"/proc/{pid}/cmdline").split("\0")]  # fmt: skip


def test_a_trial_restore_names_what_did_not_come_back(rig: Rig, running: int) -> None:
    """As tail -F of Debian 12: it ends when a system call is interrupted."""
    whole = take(rig, running)
    told = rig.operate("trial_restore", running, **whole.params).facts["tried"]
    assert (told["processes"], told["ended"]) == (told["of"], [])

    elf.write(rig.paths(running).fs / "root/waiter", elf.giving_up())
    leave(rig, running, "exec /root/waiter")
    rig.wait_for(lambda: named(rig, running, "waiter"), "the waiter")
    kept = take(rig, running)
    outcome = rig.operate("trial_restore", running, **kept.params)

    tried = outcome.facts["tried"]
    assert (outcome.code, tried["ended"]) == (0, ["waiter"]), outcome.log
    assert (tried["processes"], tried["of"]) == (told["of"], told["of"] + 1)
    assert f"{told['of']} of {told['of'] + 1} processes came back; ended: waiter." in outcome.log


def test_a_command_waits_until_the_container_goes_on(rig: Rig, running: int) -> None:
    runc = ["runc", "--root", f"{rig.paths(running).runc_root}"]
    subprocess.run([*runc, "pause", f"{running}"], check=True)
    number = rig.begin("exec", running, command=["echo", "here"])
    rig.wait_for(lambda: rig.spool(number).pid(), "the runner")
    subprocess.run([*runc, "resume", f"{running}"], check=True)
    done = rig.finish(number)
    assert (done.code, "here" in done.log) == (0, True), done.log
