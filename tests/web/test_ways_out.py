"""What may be done about a failure stands where it is seen, until the container needs no answer."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from containers.commands import follow
from containers.kind import KINDS
from containers.models import AuditEvent, Container, Operation, OperationStep
from containers.node.death import Death
from containers.node.errors import OperationError, Problem, ScriptFailed
from containers.node.states import Progress, State
from containers.views import ways_out
from tests.web.test_pages import text

PAGE = "/containers/101/"
WITHOUT = "Stop without its stop script"
STATES = (State.STOPPED, State.MOUNTED, State.RUNNING, State.SUSPENDED)
OF_CONTAINERS = sorted(
    name for name, kind in KINDS.items()
    if kind.plan.on_container and kind.alarms and not kind.plan.makes
)  # fmt: skip


def fail(container: Container, kind: str, error: OperationError, state: State) -> Operation:
    operation = container.request(kind)
    operation.end(Progress.FAILED, code=error.code, **error.record, state=state)
    container.refresh_from_db()
    return operation


def succeed(container: Container, kind: str, state: State) -> None:
    container.request(kind).end(Progress.SUCCEEDED, code=0, state=state)
    container.refresh_from_db()


@pytest.fixture
def stuck(ct101: Container) -> Operation:
    """A stop that failed by its stop script: CT 101 runs on."""
    error = ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="stop", exit=1)
    operation = fail(ct101, "stop", error, State.RUNNING)
    OperationStep.objects.create(
        operation=operation, number=1, key="own-stop", label="run its stop script",
        where="container", state="failed", code=1, version=12,
    )  # fmt: skip
    return operation


def test_the_ways_out_of_a_failed_stop_outlast_any_later_command(
    stuck: Operation, ct101: Container, as_alice: Client
) -> None:
    for kind in ("exec", "snapshot", "set", "trial_restore"):
        succeed(ct101, kind, State.RUNNING)
    fail(ct101, "exec", OperationError(Problem.NOT_RUNNING), State.RUNNING)
    for address in (PAGE, stuck.get_absolute_url()):
        page = text(as_alice.get(address))
        assert "Its stop script ended with exit code 1." in page
        assert "Edit its stop script v12" in page
        assert WITHOUT in page
        assert "Try again" in page
    succeed(ct101, "stop", State.STOPPED)
    assert WITHOUT not in text(as_alice.get(PAGE))
    assert WITHOUT not in text(as_alice.get(stuck.get_absolute_url()))


def test_failures_of_two_kinds_stand_beside_one_another(
    stuck: Operation, ct101: Container, as_alice: Client
) -> None:
    fail(ct101, "snapshot", OperationError(Problem.NO_SPACE), State.RUNNING)
    page = text(as_alice.get(PAGE))
    assert WITHOUT in page
    assert "The disk that holds the containers is full." in page


def test_what_went_down_by_itself_needs_no_stop_any_more(
    stuck: Operation, ct101: Container, as_alice: Client
) -> None:
    succeed(ct101, "halted", State.STOPPED)
    assert "Stop failed" not in text(as_alice.get(PAGE))


def test_a_start_that_died_is_not_answered_by_its_end(ct101: Container, as_alice: Client) -> None:
    started = ct101.request("start")
    started.end(Progress.SUCCEEDED, code=0, state=State.RUNNING)
    started.correct(Death(exit=-9, lived=1.0).error())
    succeed(ct101, "halted", State.STOPPED)
    page = text(as_alice.get(PAGE))
    assert "Start failed:" in page
    assert "Try again" in page


def test_it_is_dismissed_by_whoever_may_try_again(
    stuck: Operation, ct101: Container, as_bob: Client, as_alice: Client
) -> None:
    assert "Dismiss" in text(as_bob.get(PAGE))
    assert as_bob.post(f"/operations/{stuck.pk}/answer/")["Location"] == PAGE
    assert "Stop failed" not in text(as_alice.get(PAGE))
    assert AuditEvent.objects.filter(what__startswith="dismiss the failure").exists()


def test_a_customer_is_told_whose_script_it_is_and_whom_to_ask(
    stuck: Operation, as_bob: Client, settings: Any
) -> None:
    settings.SUPPORT = "help@example.org"
    for address in (PAGE, stuck.get_absolute_url()):
        page = text(as_bob.get(address))
        assert (
            "Its stop script is kept by the hosting staff; only they can change it, or stop the "
            f"container without it. Ask them, and name operation {stuck.pk}. Contact: "
            "help@example.org" in page
        )
        assert "Edit its stop script" not in page
        assert WITHOUT not in page
        assert "Try again" in page


def test_a_customer_may_leave_the_stop_script_out_where_that_is_granted(
    stuck: Operation, as_bob: Client, settings: Any
) -> None:
    settings.CUSTOMERS_MAY = frozenset({"stop_without_script"})
    for address in (PAGE, stuck.get_absolute_url()):
        assert WITHOUT in text(as_bob.get(address))
    asked = {"kind": "stop", "without_stop_script": "1", "reason": "it hangs"}
    assert as_bob.post(f"{PAGE}operations/", asked).status_code == 302
    assert Operation.objects.latest("pk").params == {"without_stop_script": True}


def test_what_a_customer_may_not_choose_is_not_asked(
    stuck: Operation, as_bob: Client, as_alice: Client
) -> None:
    asks = f"{PAGE}operations/new/stop/"
    assert "Stop it without its stop script" in text(as_alice.get(asks))
    page = as_bob.get(asks)
    assert page.status_code == 200
    assert "Stop it without its stop script" not in text(page)


def test_a_failed_reinstallation_has_its_ways_on_both_pages(
    ct101: Container, as_bob: Client
) -> None:
    error = ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="stop", exit=1)
    failed = fail(ct101, "reinstall", error, State.RUNNING)
    succeed(ct101, "exec", State.RUNNING)
    for address in (PAGE, failed.get_absolute_url()):
        page = text(as_bob.get(address))
        assert "Nothing is lost: web1 has the system it had before." in page
        assert "Stop it without its stop script" in page
        assert "Its stop script is kept by the hosting staff" in page


def test_a_script_of_the_node_is_nobodys_but_staffs(
    ct101: Container, as_bob: Client, as_alice: Client
) -> None:
    error = ScriptFailed(Problem.SCRIPT_FAILED, scope="global", action="mount", exit=1)
    fail(ct101, "start", error, State.STOPPED)
    assert "It is a script of the server" in text(as_bob.get(PAGE))
    assert "Edit the global mount script" in text(as_alice.get(PAGE))


def test_a_failed_restoration_says_what_gets_it_going(
    ct101: Container, as_bob: Client, as_alice: Client
) -> None:
    failed = fail(ct101, "restore", OperationError(Problem.NO_SPACE), State.STOPPED)
    for client in (as_bob, as_alice):
        for address in (PAGE, failed.get_absolute_url()):
            page = client.get(address).content.decode()
            assert 'value="start"' in page
            assert "Try again …" in page
    assert follow.ways_on(failed) == ["pctl start 101"]


def test_a_failed_resume_can_be_given_up(ct101: Container, as_bob: Client) -> None:
    failed = fail(ct101, "resume", OperationError(Problem.NO_SPACE), State.SUSPENDED)
    page = as_bob.get(failed.get_absolute_url()).content.decode()
    assert f"{PAGE}operations/new/start/" in page
    assert 'id="again"' in page
    assert follow.ways_on(failed) == ["pctl start 101 --discard"]


def test_pctl_names_the_commands(stuck: Operation) -> None:
    assert follow.ways_on(stuck) == [
        "pctl script save 101 stop --file FILE",
        "pctl stop 101 --without-stop-script --reason TEXT",
    ]


@pytest.mark.parametrize(
    ("problem", "word", "command"),
    [
        (Problem.DISABLED, "Change its settings", "pctl set 101 --disabled no"),
        (Problem.INIT_OUT_OF_MEMORY, "Change its settings", "pctl set 101 --ram SIZE"),
        (Problem.TOO_MANY_SNAPSHOTS, "Show its snapshots", "osctl psc delete 101 SNAPSHOT"),
    ],
)
def test_what_has_to_be_changed_first_is_one_click_away(
    problem: Problem, word: str, command: str, ct101: Container, as_alice: Client
) -> None:
    failed = fail(ct101, "snapshot", OperationError(problem, most=3), State.STOPPED)
    assert word in text(as_alice.get(PAGE))
    assert command in follow.ways_on(failed)


def test_while_something_holds_it_nothing_is_offered_that_would_be_refused(
    stuck: Operation, ct101: Container, as_alice: Client
) -> None:
    ct101.request("stop")
    page = text(as_alice.get(PAGE))
    assert WITHOUT not in page
    assert "Edit its stop script v12" in page


def test_who_can_do_nothing_is_told_whom_to_ask(ct101: Container, as_bob: Client) -> None:
    failed = fail(ct101, "umount", OperationError(Problem.NO_SPACE), State.MOUNTED)
    Container.objects.update(disabled=True)
    for address in (PAGE, failed.get_absolute_url()):
        page = text(as_bob.get(address))
        assert f"Ask the hosting staff, and name operation {failed.pk}." in page
        assert "Dismiss" not in page


@pytest.mark.parametrize("kind", OF_CONTAINERS)
def test_every_failure_leaves_something_to_be_done(
    kind: str, ct101: Container, alice: User, as_bob: Client
) -> None:
    for state in STATES:
        failed = fail(ct101, kind, OperationError(Problem.NO_SPACE), state)
        for ways in ways_out.standing(alice, ct101):
            assert ways.buttons or ways.rescue or offered(ct101, alice), state
        failed.answer()
    assert as_bob.get(failed.get_absolute_url()).status_code == 200


def offered(container: Container, user: User) -> bool:
    return any(offer.possible for offer in container.offers(user))
