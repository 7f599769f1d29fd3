"""Why a step was left out, and what a Cancel button does: in the words people read."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from containers.models import Container, Operation
from containers.node.states import Omission, Progress
from containers.worker import Worker
from tests.web.scribe import Scribe, settle
from tests.web.test_pages import text
from tests.web.typist import Typist

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = [
    {"step": "own-stop", "label": "run its stop script", "where": "container"},
    {"step": "own-umount", "label": "run its umount script", "where": "node"},
    {"step": "unpause", "label": "let the paused container go on", "where": "node"},
]


@pytest.fixture
def stopped(ct101: Container, worker: Worker, scribe: Scribe) -> Operation:
    """A stop that has left out all there is."""
    operation = ct101.request("stop")
    settle(worker)
    writer = scribe.writer(operation)
    writer.event("plan", steps=STEPS)
    for i, why in enumerate((Omission.ASKED, Omission.NO_SCRIPT, Omission.NEEDLESS)):
        writer.event("skipped", i=i, step=STEPS[i]["step"], why=why)
    writer.event("end", progress="succeeded", code=0, error="", state="stopped", lost=0, off=0)
    writer.close()
    settle(worker)
    operation.refresh_from_db()
    assert operation.state == Progress.SUCCEEDED
    return operation


def test_a_step_says_why_it_was_left_out(
    stopped: Operation, as_alice: Client, as_bob: Client, run: Typist
) -> None:
    for client in (as_alice, as_bob):
        page = text(client.get(stopped.get_absolute_url()))
        assert "Run its stop script in the container left out, as asked" in page
        assert "Run its umount script node no such script" in page
        assert "Let the paused container go on not needed here" in page
        assert "there is none" not in page
    shown = run(f"operation show {stopped.pk}")[1]
    for why in Omission:
        assert why in shown


def test_a_row_of_before_says_no_more_than_it_knows(stopped: Operation, as_alice: Client) -> None:
    stopped.steps.update(note="")
    page = text(as_alice.get(stopped.get_absolute_url()))
    assert "Run its umount script node left out" in page
    assert "no such script" not in page


def test_cancel_says_what_it_does_to_what_waits_and_to_what_runs(
    ct101: Container, worker: Worker, bob: User, as_bob: Client
) -> None:
    operation = ct101.request("start", by=bob)
    waits = text(as_bob.get(operation.get_absolute_url()))
    assert "Removes it from the queue; nothing has been done yet." in waits
    assert "Ends the running step" not in waits
    settle(worker)
    runs = text(as_bob.get(operation.get_absolute_url()))
    assert "Ends the running step and undoes the steps before it." in runs


def test_a_cancelled_one_is_told_once(ct101: Container, as_bob: Client, run: Typist) -> None:
    operation = ct101.request("start")
    assert operation.cancel()
    page = text(as_bob.get(operation.get_absolute_url()))
    assert page.count("was cancelled") == 1
    assert run(f"operation show {operation.pk}")[1].count("It was cancelled") == 1


def test_the_page_of_a_stop_says_the_same_whatever_is_ticked(
    ct101: Container, as_alice: Client
) -> None:
    Container.objects.update(state="running")
    for query in ("", "?without_stop_script=1"):
        page = text(as_alice.get(f"{reverse('request', args=[101, 'stop'])}{query}"))
        assert "Its stop script runs first, unless it is to be left out." in page
