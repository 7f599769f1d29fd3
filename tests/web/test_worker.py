"""From a queued row to a runner, and from its spool back to rows."""

import sqlite3
import subprocess
import sys
from threading import Timer

import pytest
from django.contrib.auth.models import User
from django.db import connection

from containers.models import Container, Inquiry, LogChunk, Node, Operation, Template
from containers.node.actions import Scope
from containers.node.conf import NodeConf
from containers.node.errors import Locked, Problem
from containers.node.spool import Event, Spool, Writer
from containers.node.states import Progress, State, StepState
from containers.worker import Worker, lock
from tests.web.scribe import Scribe, settle

pytestmark = pytest.mark.django_db(transaction=True)
MOUNT = {"step": "own-mount", "label": "run its mount script", "where": "node"}
START = {"step": "own-start", "label": "run its start script", "where": "container"}


def log_of(operation: Operation) -> bytes:
    return b"".join(bytes(chunk.data) for chunk in operation.chunks.all())


def began(writer: Writer, i: int, step: Event, *, undo: bool = False) -> None:
    writer.event("began", i=i, **step, undo=undo, off=writer.off)


def ended(writer: Writer, i: int, code: int = 0, error: str = "") -> None:
    writer.event("ended", i=i, code=code, signal=None, error=error, ignored=False, off=writer.off)


def over(
    writer: Writer,
    progress: str = "succeeded",
    state: str | None = None,
    code: int = 0,
    error: str = "",
) -> None:
    writer.event(
        "end", progress=progress, code=code, error=error, state=state, lost=0, off=writer.off
    )
    writer.close()


def test_a_dry_run_of_a_start_goes_from_row_to_runner_to_row(
    node_conf: NodeConf, ct101: Container, operation: Operation
) -> None:
    Worker(node_conf, ct101.node).run(until=operation.pk)
    operation.refresh_from_db()
    ct101.refresh_from_db()
    assert (operation.state, ct101.state) == (Progress.SUCCEEDED, State.RUNNING), operation.error
    assert b"==> mount its file system" in log_of(operation)
    assert operation.log_len == len(log_of(operation))
    assert operation.steps.filter(state=StepState.DONE).exists()
    assert not (node_conf.spool / f"{operation.pk}").exists()


def test_a_spool_of_another_databases_operation_is_not_taken_for_this_ones(
    node_conf: NodeConf, ct101: Container, operation: Operation
) -> None:
    stale = Spool(node_conf.spool / f"{operation.pk}")
    stale.write_request({"asked": "2001-01-01T00:00:00+00:00"})
    stale.events.write_text('{"n": 0, "t": 0, "ev": "end", "progress": "failed", "code": 3}\n')
    stale.log.write_text("of another time\n")

    Worker(node_conf, ct101.node).run(until=operation.pk)

    operation.refresh_from_db()
    assert operation.state == Progress.SUCCEEDED, operation.error
    assert b"of another time" not in log_of(operation)


def test_the_runner_is_told_all_it_has_to_know(
    worker: Worker, node_conf: NodeConf, ct101: Container, operation: Operation, alice: User
) -> None:
    ct101.scripts.create(name="start").write(b"echo hello\n", by=alice)
    stop = ct101.scripts.create(name="stop")
    stop.write(b"exit 1\n", by=alice)
    stop.disable()
    ct101.node.scripts.create(name="mount").write(b"#!/bin/sh\n", by=alice)
    settle(worker)
    request = Spool(node_conf.spool / f"{operation.pk}").read_request()
    assert (request["plan"], request["op"], request["fence"]) == ("start", operation.pk, 1)
    assert request["ct"]["template"] == "busybox@1"
    assert request["ct"]["state"] == State.STOPPED
    assert {(s["scope"], s["action"]) for s in request["scripts"]} == {
        (Scope.OWN, "start"),
        (Scope.GLOBAL, "mount"),
    }


def test_steps_states_and_facts_become_rows(
    worker: Worker, scribe: Scribe, ct101: Container, operation: Operation
) -> None:
    settle(worker)
    writer = scribe.writer(operation)
    writer.event("plan", steps=[MOUNT, START])
    began(writer, 0, MOUNT)
    writer.event("script", i=0, sha256="ab" * 32, version=3, foreign=False)
    ended(writer, 0)
    writer.event("state", state="mounted")
    writer.event("fact", key="init", value="busybox")
    began(writer, 1, START)
    settle(worker)
    ct101.refresh_from_db()
    assert (ct101.state, ct101.facts) == (State.MOUNTED, {"init": "busybox"})
    mount, start = operation.steps.all()
    assert (mount.state, mount.version, mount.code) == (StepState.DONE, 3, 0)
    assert (start.state, start.where) == (StepState.RUNNING, "container")
    ended(writer, 1, code=7, error="the own start script exited with 7")
    undo = {"step": "dismount", "label": "dismount", "where": "node"}
    began(writer, 2, undo, undo=True)
    ended(writer, 2)
    over(writer, "failed", state="stopped", code=79, error="The own start script exited with 7.")
    settle(worker)
    assert [s.state for s in operation.steps.all()] == ["done", "failed", "undone"]
    operation.refresh_from_db()
    ct101.refresh_from_db()
    assert (operation.state, operation.code) == (Progress.FAILED, 79)
    assert ct101.state == State.STOPPED
    assert operation.finished is not None


def test_only_what_a_step_said_on_the_node_is_for_staff(
    worker: Worker, scribe: Scribe, operation: Operation
) -> None:
    settle(worker)
    writer = scribe.writer(operation)
    writer.event("plan", steps=[MOUNT, START])
    writer.write(b"==> mount\n")
    began(writer, 0, MOUNT)
    writer.write(b"secret " * 20_000)
    ended(writer, 0)
    writer.write(b"==> start\n")
    began(writer, 1, START)
    writer.write(b"open ")
    settle(worker)
    writer.write(b"and more\n")
    ended(writer, 1)
    over(writer)
    settle(worker)
    seen = b"".join(bytes(c.data) for c in operation.chunks.filter(staff_only=False))
    hidden = b"".join(bytes(c.data) for c in operation.chunks.filter(staff_only=True))
    assert seen == b"==> mount\n==> start\nopen and more\n"
    assert hidden == b"secret " * 20_000
    assert max(len(c.data) for c in operation.chunks.all()) <= 64 * 1024


def test_a_new_worker_goes_on_where_the_old_one_was_ended(
    worker: Worker, scribe: Scribe, operation: Operation, node_conf: NodeConf
) -> None:
    settle(worker)
    writer = scribe.writer(operation)
    began(writer, 0, MOUNT)
    writer.write(b"first ")
    settle(worker)
    second = Worker(node_conf, worker.node, runners=worker.runners)
    with writer.spool.hold():  # its runner lives
        second.arrive()
        writer.write(b"second")
        settle(second)
        settle(worker)  # the old one has come to life again: it has lost its right to ship
        assert operation.pk not in worker.supervised
    ended(writer, 0)
    over(writer)
    settle(second)
    assert log_of(operation) == b"first second"
    assert all(chunk.staff_only for chunk in operation.chunks.all())
    assert [step.number for step in operation.steps.all()] == [0]
    assert scribe.asked == [("run", operation.pk)]


def test_an_operation_claimed_but_never_handed_over_is_begun(
    worker: Worker, scribe: Scribe, operation: Operation
) -> None:
    Operation.objects.claim(worker.node)
    worker.arrive()
    settle(worker)
    assert scribe.asked == [("run", operation.pk)]


def test_a_runner_that_dies_is_followed_by_one_that_tidies_up(
    worker: Worker, scribe: Scribe, operation: Operation
) -> None:
    settle(worker)
    writer = scribe.writer(operation)
    began(writer, 0, MOUNT)
    settle(worker)
    assert scribe.asked == [("run", operation.pk)]
    scribe.kill(operation.pk)
    settle(worker)
    assert scribe.asked[1:] == [("recover", operation.pk)]
    over(writer, "interrupted", state="stopped", code=3, error="Its runner ended unexpectedly.")
    settle(worker)
    operation.refresh_from_db()
    assert operation.state == Progress.INTERRUPTED
    assert [(s.state, s.note) for s in operation.steps.all()] == [
        (StepState.FAILED, "it was interrupted")
    ]


def test_a_runner_that_ended_properly_is_not_tidied_up_after(
    worker: Worker, scribe: Scribe, operation: Operation
) -> None:
    settle(worker)
    over(scribe.writer(operation))
    scribe.kill(operation.pk)
    settle(worker)
    operation.refresh_from_db()
    assert operation.state == Progress.SUCCEEDED
    assert scribe.asked == [("run", operation.pk)]


def test_what_nobody_can_tidy_up_is_not_under_way_for_ever(
    worker: Worker, scribe: Scribe, operation: Operation
) -> None:
    settle(worker)
    scribe.kill(operation.pk)
    supervision = worker.supervised[operation.pk]
    while operation.pk in worker.supervised:
        supervision.not_before = 0.0
        settle(worker)
        scribe.kill(operation.pk)
    operation.refresh_from_db()
    assert operation.state == Progress.INTERRUPTED
    assert operation.problem == Problem.NOT_TIDIED
    assert operation.details["cause"]["problem"] == Problem.RECOVERIES_ENDED


RUNNER = """
import signal, sys
from pathlib import Path
from containers.node.spool import Spool
heard = []
signal.signal(signal.SIGTERM, lambda *_: print("asked to end", flush=True))
with Spool(Path(sys.argv[1])).hold() as mine:
    print(mine, flush=True)
    while line := sys.stdin.readline():
        print("still here", flush=True)
"""


def test_cancelling_asks_the_runner_once(
    worker: Worker, scribe: Scribe, node_conf: NodeConf, operation: Operation
) -> None:
    settle(worker)
    spool = node_conf.spool / f"{operation.pk}"
    argv = [sys.executable, "-c", RUNNER, f"{spool}"]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as runner:
        assert runner.stdin
        assert runner.stdout
        assert runner.stdout.readline() == "True\n"
        assert operation.cancel()
        settle(worker)
        assert runner.stdout.readline() == "asked to end\n"
        settle(worker)
        print("anything else?", file=runner.stdin, flush=True)
        assert runner.stdout.readline() == "still here\n"
        over(scribe.writer(operation), "cancelled", error="It was cancelled.")
        runner.stdin.close()
    settle(worker)
    operation.refresh_from_db()
    assert operation.state == Progress.CANCELLED


def test_a_creation_cancelled_before_it_began_leaves_no_container(
    alpha: Node, busybox: Template, alice: User
) -> None:
    operation = Container.make(
        105, node=alpha, template=busybox, by=alice, params={"userpasswd": {"hash": "$6$x"}}
    )
    assert operation.cancel()
    assert operation.state == Progress.CANCELLED
    assert operation.params == {}
    assert not Container.objects.filter(ctid=105).exists()


@pytest.mark.parametrize(
    ("kind", "progress", "state", "stays"),
    [
        ("create", "failed", "creating", False),
        ("create", "failed", "broken", False),
        ("create", "interrupted", "stopped", True),
        ("create", "succeeded", "stopped", True),
        ("destroy", "succeeded", "broken", False),
        ("destroy", "failed", "stopped", True),
        ("start", "failed", "stopped", True),
    ],
)
def test_a_row_is_there_as_long_as_the_container(
    worker: Worker,
    scribe: Scribe,
    ct101: Container,
    kind: str,
    progress: str,
    state: str,
    stays: bool,
) -> None:
    operation = ct101.request(kind, params={"userpasswd": {"hash": "$6$x"}, "changed": ["ram"]})
    settle(worker)
    over(scribe.writer(operation), progress, state=state)
    settle(worker)
    operation.refresh_from_db()
    assert operation.ctid == 101
    assert operation.params == {"changed": ["ram"]}
    assert Container.objects.filter(ctid=101).exists() is stays


def test_a_database_that_is_away_for_a_while_costs_nothing(
    worker: Worker, scribe: Scribe, operation: Operation, caplog: pytest.LogCaptureFixture
) -> None:
    settle(worker)
    writer = scribe.writer(operation)
    writer.write(b"said while nobody could write it down")
    over(writer)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(connection.settings_dict["NAME"], check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    Timer(1, other.rollback).start()
    worker.ticked = 0.0
    worker.persist(worker.turn)
    settle(worker)
    other.close()
    assert "the database is locked" in caplog.text
    assert log_of(operation) == b"said while nobody could write it down"
    operation.refresh_from_db()
    assert operation.state == Progress.SUCCEEDED


def test_a_commit_nobody_knows_the_outcome_of_is_not_done_twice(
    worker: Worker, scribe: Scribe, operation: Operation
) -> None:
    settle(worker)
    writer = scribe.writer(operation)
    writer.write(b"once")
    settle(worker)
    shipment = worker.supervised[operation.pk].shipment
    shipment.operation.log_len = 0  # as if the answer to its last commit had been lost
    writer.write(b" only")
    settle(worker)
    assert log_of(operation) == b"once only"


def test_a_second_worker_is_refused_by_name(node_conf: NodeConf, worker: Worker) -> None:
    with (
        lock.hold(node_conf, "pctl"),
        pytest.raises(Locked, match=r"pctl \(pid \d+\) is at work on node alpha"),
    ):
        worker.run()


def test_a_worker_for_one_operation_leaves_the_others_alone(
    node_conf: NodeConf, alpha: Node, busybox: Template, ct101: Container, operation: Operation
) -> None:
    other = Container.objects.create(ctid=102, node=alpha, template=busybox, state="stopped")
    waits = other.request("start")
    Worker(node_conf, alpha, who="pctl").run(until=operation.pk)
    operation.refresh_from_db()
    waits.refresh_from_db()
    assert (operation.state, waits.state) == (Progress.SUCCEEDED, Progress.QUEUED)


def test_questions_are_answered(
    worker: Worker, node_conf: NodeConf, ct101: Container, alice: User
) -> None:
    node_conf.scripts.mkdir(parents=True)
    (node_conf.scripts / "101.mount").write_text("#!/bin/sh\n")
    listed = Inquiry.ask(ct101.node, "scripts", ctid=101, by=alice)
    read = Inquiry.ask(ct101.node, "script", ctid=101, by=alice, action="mount", legacy=True)
    missing = Inquiry.ask(ct101.node, "script", ctid=101, by=alice, action="stop")
    unheard = Inquiry.ask(ct101.node, "weather", by=alice)
    settle(worker)
    for inquiry in (listed, read, missing, unheard):
        inquiry.refresh_from_db()
        assert inquiry.answered
    assert listed.answer
    assert [found["action"] for found in listed.answer] == ["mount"]
    assert read.answer
    assert read.answer["body"] == "IyEvYmluL3NoCg=="
    assert f"looked for {node_conf.vz}/private/101/scripts/stop" in missing.error
    assert unheard.error == "The node knows no answer to 'weather'."


def test_a_long_log_is_shipped_whole(worker: Worker, scribe: Scribe, operation: Operation) -> None:
    settle(worker)
    writer = scribe.writer(operation)
    text = b"".join(b"%d\n" % n for n in range(1_000_000))
    writer.write(text)
    over(writer)
    settle(worker)
    assert log_of(operation) == text
    assert LogChunk.objects.filter(operation=operation).count() == -(-len(text) // 65536)
