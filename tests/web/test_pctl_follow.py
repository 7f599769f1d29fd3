"""pctl beside the node's own process: it follows the rows, and takes over when nobody is there."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TypeVar

import pytest
from django.db import connection
from pytest_django import Settings

from containers.commands import pctl
from containers.commands.output import Output
from containers.models import Container, LogChunk, Node, Operation
from containers.node.conf import NodeConf
from containers.node.errors import Problem, ScriptFailed
from containers.node.states import Progress, State
from containers.worker import lock

pytestmark = pytest.mark.django_db(transaction=True)
ENDED_WITHIN = 20  # seconds
T = TypeVar("T")


@pytest.fixture(autouse=True)
def node(node_conf: NodeConf, alpha: Node, settings: Settings) -> Node:
    settings.NODE = node_conf
    return alpha


@contextmanager
def at_work(node_conf: NodeConf, act: Callable[[], object]) -> Iterator[None]:
    """Another process has the node's lock, and does this while pctl looks on."""
    failures = []

    def work() -> None:
        try:
            act()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    with lock.hold(node_conf, "runnode"):
        thread = Thread(target=work)
        thread.start()
        yield
        thread.join()
    assert not failures


def claimed(node: Node) -> Operation:
    return until(lambda: Operation.objects.claim(node))


def until(found: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + ENDED_WITHIN
    while time.monotonic() < deadline:
        if it := found():
            return it
        Event().wait(0.01)
    raise AssertionError("it did not happen")


def said(operation: Operation, *chunks: bytes) -> None:
    offset = 0
    for data in chunks:
        LogChunk.objects.create(operation=operation, offset=offset, data=data)
        offset += len(data)


def test_the_log_comes_byte_for_byte_and_the_end_in_a_sentence(
    node: Node, node_conf: NodeConf, ct101: Container, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def work() -> None:
        operation = claimed(node)
        said(operation, b"one\xff\n", b"two\0\r\n", b"no newline")
        operation.end(
            Progress.FAILED,
            code=79,
            **ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="mount", exit=7).record,
            state=State.STOPPED,
        )

    with at_work(node_conf, work):
        assert pctl.main(["start", "101"]) == 79
    out, err = capfdbinary.readouterr()
    assert out == b"one\xff\ntwo\0\r\nno newline"
    assert err == (
        b"Start of CT 101 failed. Its mount script ended with exit code 7.\n"
        b"What can be done now: pctl script save 101 mount --file FILE\n"
    )


OWN = b"\x1b[1;34mCT 101: mounted\x1b[0m\n"
SCRIPTS = b"\x1b[31mred\x1b[0m \x1b[1;34mink\n\x1b[0m\x1b["
WRITTEN = b"x\x1b[0m\n" + OWN + SCRIPTS + OWN + b"\x1b[1;3"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_only_the_panels_own_lines_lose_their_colour_in_a_pipe(
    node: Node,
    node_conf: NodeConf,
    ct101: Container,
    capfdbinary: pytest.CaptureFixture[bytes],
    size: int,
) -> None:
    def work() -> None:
        operation = claimed(node)
        said(operation, *(WRITTEN[at : at + size] for at in range(0, len(WRITTEN), size)))
        operation.end(Progress.SUCCEEDED, code=0, state=State.RUNNING)

    with at_work(node_conf, work):
        assert pctl.main(["start", "101"]) == 0
    seen = capfdbinary.readouterr().out
    assert seen == WRITTEN.replace(OWN, b"CT 101: mounted\n")

    assert pctl.main(["operation", "log", f"{Operation.objects.get().pk}"]) == 0
    assert capfdbinary.readouterr().out == WRITTEN


@pytest.mark.parametrize(("setting", "coloured"), [("", True), ("1", False)])
def test_a_terminal_sees_the_colour_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, setting: str, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", setting)
    ours, theirs = os.openpty()
    with open(theirs, "w") as terminal, open(ours, "rb", buffering=0) as screen:
        monkeypatch.setattr("sys.stdout", terminal)
        Output().log(OWN)
        assert (b"\x1b[1;34m" in screen.read(100)) == coloured


def test_json_keeps_the_log_off_stdout(
    node: Node, node_conf: NodeConf, ct101: Container, capfd: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        operation = claimed(node)
        said(operation, b"loud\n")
        operation.end(Progress.SUCCEEDED, code=0, state=State.RUNNING)

    with at_work(node_conf, work):
        assert pctl.main(["--json", "start", "101"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("{")
    assert "loud" not in out
    assert "loud" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_terminal_a_signal_cancels(
    node: Node,
    node_conf: NodeConf,
    ct101: Container,
    capfd: pytest.CaptureFixture[str],
    number: int,
) -> None:
    def work() -> None:
        operation = claimed(node)
        os.kill(os.getpid(), number)
        cancelling = Operation.objects.filter(pk=operation.pk, state=Progress.CANCELLING)
        until(cancelling.exists)
        operation.end(Progress.CANCELLED, code=79, error="it was cancelled", state=State.STOPPED)

    with at_work(node_conf, work):
        assert pctl.main(["start", "101"]) == 79
    err = capfd.readouterr().err
    assert "The operation is being cancelled." in err
    assert "Start of CT 101 was cancelled." in err


def test_a_second_ctrl_c_leaves_and_says_that_it_goes_on(
    node: Node, node_conf: NodeConf, ct101: Container, capfd: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        operation = claimed(node)
        os.kill(os.getpid(), signal.SIGINT)
        until(Operation.objects.filter(pk=operation.pk, state=Progress.CANCELLING).exists)
        os.kill(os.getpid(), signal.SIGINT)

    with at_work(node_conf, work):
        assert pctl.main(["start", "101"]) == 130
    operation = Operation.objects.get()
    assert operation.state == Progress.CANCELLING
    assert capfd.readouterr().err.endswith(
        f"Operation {operation.pk} (Start of CT 101) continues on its node.\n"
    )


def test_pctl_takes_over_when_whoever_was_at_work_leaves(
    node: Node, node_conf: NodeConf, ct101: Container, capfd: pytest.CaptureFixture[str]
) -> None:
    """As another pctl does, once its own operation has ended: nobody else would come."""

    def leave_soon() -> None:
        with lock.hold(node_conf, "pctl"):
            held.set()
            until(Operation.objects.filter(state=Progress.QUEUED).exists)
        connection.close()

    held = Event()
    other = Thread(target=leave_soon)
    other.start()
    held.wait(ENDED_WITHIN)
    assert pctl.main(["start", "101"]) == 0
    other.join()
    ct101.refresh_from_db()
    assert ct101.state == State.RUNNING
