"""A failure on its way: raised on the node, an event, a row, and what staff and customers read."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from containers.commands import osctl, pctl
from containers.models import Container, Operation, Snapshot, outcome
from containers.node.actions import Scope
from containers.node.conf import NodeConf
from containers.node.errors import NoSpace, OperationError, Problem, Refused, ScriptFailed
from containers.node.plan import Step
from containers.node.runner import Ending, Runner
from containers.node.spool import Nudge, Spool, Writer
from containers.node.states import Progress, State
from containers.worker.journal import record
from containers.worker.shipment import Shipment
from containers.worker.step_rows import StepRows

FOREIGN = "/vz/private/101/scripts/start"
FAILURES: list[tuple[OperationError, str, str]] = [
    (
        ScriptFailed(Problem.SCRIPT_FAILED, scope=Scope.OWN, action="start", exit=3),
        "Its start script ended with exit code 3.",
        "Its start script failed.",
    ),
    (
        Refused(Problem.FOREIGN_FILE, path=FOREIGN, scope=Scope.OWN, action="start"),
        f"The file {FOREIGN} was not written by the panel, or was changed since: import it, or "
        "replace it with what the panel has.",
        "A script of the container was changed on the server. The hosting staff has to look at it.",
    ),
    (
        NoSpace(step="copy", path="/vz/private/101/fs"),
        "The disk that holds the containers is full.",
        "The server has too little disk space left. The hosting staff has to look at it.",
    ),
]
IDS = [error.problem.value for error, _, _ in FAILURES]


def text(answer: Any) -> str:
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(html.unescape(words).split())


def no_act(ct: Any) -> None: ...


MOUNT = Step("mount", "mount the private area", do=no_act)
DISMOUNT = Step("dismount", "dismount the private area", do=no_act)
BOOT = Step("boot", "start its init", do=no_act)


def fail(operation: Operation, error: OperationError, conf: NodeConf, *, undone: bool) -> None:
    """As a runner does it: a step that is undone, then the end."""
    writer = Writer(Spool(conf.spool / f"{operation.pk}"), Nudge(Path("/nowhere"), "x"))
    runner = Runner(conf, {"plan": operation.kind}, writer, None)
    journal = runner.journal
    if undone:
        journal.planned([MOUNT, BOOT])
        journal.began(MOUNT)
        journal.ended(MOUNT)
        journal.began(BOOT)
        journal.ended(BOOT, error)
        journal.began(DISMOUNT, undoing=True)
        journal.ended(DISMOUNT)
    runner.end(Ending(Progress.FAILED, error, State.STOPPED))
    writer.close()
    record(StepRows.of(operation), writer.spool.read_events()[0])
    operation.refresh_from_db()


@pytest.fixture
def conf(node_conf: NodeConf, operation: Operation) -> NodeConf:
    (node_conf.spool / f"{operation.pk}").mkdir(parents=True)
    return node_conf


@pytest.mark.parametrize(("error", "staff", "customers"), FAILURES, ids=IDS)
def test_a_failure_is_told_to_staff_and_to_customers_in_their_own_words(
    error: OperationError, staff: str, customers: str, operation: Operation, conf: NodeConf,
    as_alice: Client, as_bob: Client,
) -> None:  # fmt: skip
    fail(operation, error, conf, undone=not isinstance(error, Refused))
    assert (operation.problem, operation.error) == (error.problem, staff)
    assert operation.details == error.details
    for page in (operation.get_absolute_url(), "/containers/101/", "/operations/"):
        for client, said, other in ((as_alice, staff, customers), (as_bob, customers, staff)):
            shown = text(client.get(page))
            assert said[:85] in shown
            assert other[:85] not in shown
    own = text(as_bob.get(operation.get_absolute_url()))
    assert "exit code" not in own
    assert "/vz/" not in own


def test_the_outcome_says_what_was_undone_and_how_the_container_is(
    operation: Operation, conf: NodeConf
) -> None:
    fail(operation, FAILURES[0][0], conf, undone=True)
    assert outcome.sentences(operation, staff=True) == [
        "Its start script ended with exit code 3.",
        "Undone: dismount the private area.",
        "The container is stopped now.",
    ]
    assert outcome.sentences(operation, staff=False) == [
        "Its start script failed.",
        "What it had done was undone.",
        "The container is stopped now.",
    ]


def test_the_log_tells_it_to_staff_only(
    operation: Operation, conf: NodeConf, as_alice: Client, as_bob: Client
) -> None:
    fail(operation, FAILURES[0][0], conf, undone=True)
    shipment = Shipment.of(operation, Spool(conf.spool / f"{operation.pk}"))
    Operation.objects.filter(pk=operation.pk).update(events_len=0)
    operation.refresh_from_db()
    shipment.operation = operation
    while shipment.ship():
        pass
    log = f"{operation.get_absolute_url()}log"
    assert FAILURES[0][1] in as_alice.get(log).content.decode()
    assert FAILURES[0][1] not in as_bob.get(log).content.decode()


def test_what_was_refused_has_changed_nothing_and_says_no_more(
    operation: Operation, conf: NodeConf
) -> None:
    fail(operation, FAILURES[1][0], conf, undone=False)
    assert outcome.sentences(operation, staff=True) == [FAILURES[1][1]]


def test_output_for_which_there_was_no_room_is_said_to_staff(operation: Operation) -> None:
    end = {"ev": "end", "t": 0.0, "progress": "failed", "code": 46, "state": None, "lost": 7}
    record(StepRows.of(operation), [{**end, **NoSpace(Problem.LOG_FULL).record}])
    operation.refresh_from_db()
    assert outcome.sentences(operation, staff=True) == [
        "The disk that holds the log is full.",
        "7 bytes of output found no room in the log.",
    ]
    assert len(outcome.sentences(operation, staff=False)) == 1


def test_an_event_of_an_older_runner_keeps_its_sentence(
    operation: Operation, as_bob: Client
) -> None:
    end = {"ev": "end", "t": 0.0, "progress": "failed", "code": 79, "state": "stopped"}
    record(StepRows.of(operation), [{**end, "error": "It broke. The container is stopped now."}])
    shown = text(as_bob.get(operation.get_absolute_url()))
    assert "It failed. It broke. The container is stopped now." in shown


@pytest.mark.parametrize(("error", "staff", "customers"), FAILURES, ids=IDS)
def test_a_snapshots_page_tells_them_too(
    error: OperationError, staff: str, customers: str, ct101: Container, node_conf: NodeConf,
    as_alice: Client, as_bob: Client,
) -> None:  # fmt: skip
    operation = Snapshot.take(ct101)
    (node_conf.spool / f"{operation.pk}").mkdir(parents=True)
    fail(operation, error, node_conf, undone=False)
    for client, said in ((as_alice, staff), (as_bob, customers)):
        assert said in text(client.get("/containers/101/snapshots/"))


def test_json_has_the_word_and_the_details(
    operation: Operation, conf: NodeConf, capfd: pytest.CaptureFixture[str]
) -> None:
    fail(operation, FAILURES[0][0], conf, undone=True)
    assert pctl.main(["--json", "operation", "show", f"{operation.pk}"]) == 0
    shown = json.loads(capfd.readouterr().out)
    assert (shown["problem"], shown["details"]["exit"]) == ("script-failed", 3)
    assert shown["error"] == FAILURES[0][1]


@pytest.mark.parametrize(
    ("program", "words", "problem", "detail"),
    [
        (pctl, "start 999", "no-container", ("ctid", 999)),
        (pctl, "start 101", "busy", ("what", "CT 101")),
        (pctl, "set 101 --hostname -bad-", "bad-value", ("fault", "not-a-hostname")),
        (pctl, "levitate", "bad-usage", ("fault", "bad-command")),
        (osctl, "psc delete 101 nosuch", "bad-value", ("fault", "no-snapshot")),
    ],
)
def test_a_refusal_before_there_is_an_operation_has_them_too(
    program: Any, words: str, problem: str, detail: tuple[str, Any],
    operation: Operation, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert program.main([*words.split(), "--json"]) != 0
    said = json.loads(capfd.readouterr().out)
    assert (said["state"], said["problem"]) == ("refused", problem)
    assert said["details"][detail[0]] == detail[1]
