"""Trial restores that a node makes by itself, what they change in a verdict, and the alarm."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from containers.models import AuditEvent, Container, Node, Operation, Snapshot
from containers.models.judged import TrialRestore
from containers.node.checkpoint import room
from containers.node.checkpoint.verdict import Answer, Verdict
from containers.node.conf import NodeConf
from containers.worker import trials
from tests.web.test_pages import text
from tests.web.test_snapshots import end, page, taken, told

pytestmark = pytest.mark.django_db(transaction=True)
OK = Verdict(Answer.OK)


@pytest.fixture
def at_night(node_conf: NodeConf) -> NodeConf:
    """Whose night never ends."""
    node_conf.vz_conf.parent.mkdir(parents=True, exist_ok=True)
    node_conf.vz_conf.write_text('TRIAL_RESTORES="12:00-12:00"\n')
    return node_conf


def asked(conf: NodeConf, node: Node) -> Operation | None:
    trials.go(conf, node)
    return Operation.objects.filter(kind="trial_restore", state="queued").first()


def came_back(operation: Operation, ended: tuple[str, ...] = ()) -> None:
    said = {"uuid": operation.params["snapshot"], "processes": 19 - len(ended), "of": 19,
            "ended": [*ended], "gone": [name for name in ended if name != "sleep"]}  # fmt: skip
    told(operation, {"ev": "fact", "key": "tried", "value": said}, end())


def tried(snapshot: Snapshot, *ended: str, **failure: Any) -> Snapshot:
    operation = snapshot.try_restore()
    if failure:
        told(operation, end("failed", code=17, **failure))
    else:
        came_back(operation, ended)
    snapshot.refresh_from_db()
    return snapshot


@pytest.mark.parametrize(
    ("said", "hour", "due"),
    [
        ("02:00-05:00", 1, False),
        ("02:00-05:00", 2, True),
        ("02:00-05:00", 5, False),
        ("22:30-04:00", 23, True),
        ("22:30-04:00", 3, True),
        ("22:30-04:00", 4, False),
        ("", 3, False),
        ("no", 3, False),
        ("3-5", 4, False),
    ],
)
def test_they_are_made_in_the_hours_that_are_said(said: str, hour: int, due: bool) -> None:
    assert trials.is_time(said, datetime(2026, 1, 1, hour, tzinfo=UTC)) is due


def test_the_newest_and_protected_ones_are_tried_one_at_a_time_and_once_a_week(
    ct101: Container, alpha: Node, at_night: NodeConf
) -> None:
    protected, _, newest = taken(ct101), taken(ct101), taken(ct101)
    Snapshot.objects.filter(pk=protected.pk).update(protected=True)
    found = []
    for _ in range(2):
        operation = asked(at_night, alpha)
        assert operation
        assert operation.via == "schedule"
        trials.go(at_night, alpha)
        assert Operation.objects.filter(kind="trial_restore", state="queued").count() == 1
        found.append(operation.params["snapshot"])
        came_back(operation)
    assert found == [newest.uuid, protected.uuid]
    assert asked(at_night, alpha) is None

    newest.refresh_from_db()
    trial = newest.trial
    assert trial
    newest.was_tried(TrialRestore(trial.at - timedelta(days=8), trial.operation, 19, 19))
    Operation.objects.update(requested=trial.at - timedelta(days=8))
    operation = asked(at_night, alpha)
    assert operation
    assert operation.params["snapshot"] == newest.uuid


def test_without_hours_memory_or_own_mounts_none_is_made(
    ct101: Container, alpha: Node, at_night: NodeConf
) -> None:
    snapshot = taken(ct101)
    hours = at_night.vz_conf.read_text()
    at_night.vz_conf.write_text("")
    assert asked(at_night, alpha) is None
    at_night.vz_conf.write_text(hours)
    Snapshot.objects.update(size=room.available())
    assert asked(at_night, alpha) is None
    Snapshot.objects.update(size=0, facts={"mounts": ["/srv"]})
    assert asked(at_night, alpha) is None
    Snapshot.objects.update(facts={})
    ct101.refresh_from_db()
    held = ct101.request("start")
    assert asked(at_night, alpha) is None
    told(held, end())
    operation = asked(at_night, alpha)
    assert operation
    assert operation.params["snapshot"] == snapshot.uuid


def test_processes_that_did_not_come_back_are_named_and_make_it_uncertain(
    ct101: Container, as_bob: Client
) -> None:
    snapshot = taken(ct101)
    snapshot.judge(Answer.OK, ())
    snapshot = tried(snapshot, "tail")

    said = "18 of 19 processes came back; ended: tail"
    assert snapshot.verdict == Answer.CANT_TELL
    assert snapshot.doubts_for_customers == [f"In a trial restore {said}."]
    assert f"{said} in a test copy." in text(page(as_bob, "snapshot", snapshot))

    snapshot.looked_at(OK)  # whoever looks at its files only does not forget that
    assert snapshot.verdict == Answer.CANT_TELL
    snapshot = tried(snapshot, "sleep")  # others of its name go on
    assert (snapshot.verdict, snapshot.reasons) == (Answer.OK, [])
    snapshot = tried(snapshot)
    assert (snapshot.verdict, snapshot.reasons) == (Answer.OK, [])
    shown = text(page(as_bob, "snapshot", snapshot))
    assert "All 19 processes came back in a test copy." in shown
    assert said in shown  # in the history
    assert [trial.ended for trial in snapshot.former_trials] == [["sleep"], ["tail"]]


def test_one_that_turns_broken_is_shown_on_the_containers_page_and_in_the_audit(
    ct101: Container, as_bob: Client, as_alice: Client
) -> None:
    snapshot = taken(ct101, name="before")
    snapshot.judge(Answer.OK, ())
    assert "can no longer be relied on" not in text(as_bob.get("/containers/101/"))

    error = {"error": "said", "problem": "restore-failed", "details": {"why": "a mount is missing"}}
    snapshot = tried(snapshot, **error)

    assert snapshot.verdict == Answer.BROKEN
    shown = text(as_alice.get("/containers/101/"))
    assert "The snapshot “before” can no longer be relied on:" in shown
    assert "a mount is missing" in shown
    assert "can no longer be relied on" in text(as_bob.get("/containers/101/"))
    event = AuditEvent.objects.get(ctid=101, details__snapshot=snapshot.uuid)
    assert (event.what, event.name) == (f"snapshot before of {ct101} was OK and is broken",
                                        "the panel")  # fmt: skip

    snapshot.looked_at(OK)  # its files are as they were: its processes did not live all the same
    assert snapshot.verdict == Answer.BROKEN
    assert AuditEvent.objects.filter(details__snapshot=snapshot.uuid).count() == 1
    snapshot = tried(snapshot)
    assert snapshot.verdict == Answer.OK
    assert "can no longer be relied on" not in text(as_bob.get("/containers/101/"))


def test_one_that_was_never_ok_makes_no_alarm(ct101: Container, as_bob: Client) -> None:
    snapshot = taken(ct101)
    snapshot.judge(Answer.BROKEN, ())
    assert not AuditEvent.objects.filter(details__snapshot=snapshot.uuid).exists()
    assert "can no longer be relied on" not in text(as_bob.get(reverse("container", args=[101])))
