"""Snapshots that a node makes by itself: when, how many are kept, and what a failure leads to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from containers.models import Container, Node, Operation, Schedule, Snapshot
from containers.node.states import State
from containers.worker import snapshots
from tests.web.test_pages import text
from tests.web.test_snapshots import end, kept, told

pytestmark = pytest.mark.django_db(transaction=True)
PLACE = "/containers/101/snapshots/schedule/"


def scheduled(container: Container, **columns: Any) -> Schedule:
    schedule = Schedule(container=container, **{"every": 60, **columns})
    schedule.begin()
    return schedule


def overdue(schedule: Schedule, by: timedelta = timedelta(0)) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(next=now() - by)


def made(node: Node) -> Operation | None:
    snapshots.go(node)
    return Operation.objects.filter(kind="snapshot", state="queued").first()


def test_one_that_is_due_is_made_and_those_missed_meanwhile_are_not(
    ct101: Container, alpha: Node
) -> None:
    schedule = scheduled(ct101)
    assert made(alpha) is None
    overdue(schedule, by=timedelta(days=3))
    operation = made(alpha)
    assert operation
    assert operation.via == "schedule"
    told(operation, kept(operation), end())
    assert made(alpha) is None
    schedule.refresh_from_db()
    assert timedelta(minutes=59) < schedule.next - now() <= timedelta(minutes=60)
    assert schedule.last
    assert Snapshot.objects.get().scheduled


def test_a_busy_container_has_its_turn_once_it_is_free(ct101: Container, alpha: Node) -> None:
    overdue(scheduled(ct101))
    holder = ct101.request("start")
    assert made(alpha) is None
    holder.cancel()
    assert made(alpha)


def test_a_failed_one_is_tried_again_ever_later_and_shown(
    ct101: Container, alpha: Node, as_bob: Client
) -> None:
    schedule, waits = scheduled(ct101, every=24 * 60), []
    for _ in range(9):
        overdue(schedule)
        operation = made(alpha)
        assert operation
        told(operation, end("failed", code=46, error="the disk is full"))
        schedule.refresh_from_db()
        waits.append(round((schedule.next - now()).total_seconds() / 60))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    shown = text(as_bob.get("/containers/101/"))
    assert "The last scheduled snapshot was not made: The disk is full. 9 in a row failed." in shown

    overdue(schedule)
    operation = made(alpha)
    assert operation
    told(operation, kept(operation), end())
    schedule.refresh_from_db()
    assert (schedule.failures, schedule.error) == (0, "")
    assert "was not made" not in text(as_bob.get("/containers/101/"))


def test_a_suspended_container_is_left_out_and_that_is_said(ct101: Container, alpha: Node) -> None:
    schedule = scheduled(ct101)
    overdue(schedule)
    Container.objects.update(state=State.SUSPENDED)
    assert made(alpha) is None
    schedule.refresh_from_db()
    assert "suspended" in schedule.error
    assert schedule.next > now()


def test_the_last_ones_and_protected_ones_are_kept(ct101: Container, alpha: Node) -> None:
    scheduled(ct101, keep=2)
    at = now()
    for age in range(5):
        Snapshot.objects.create(
            container=ct101, uuid=f"{age}", scheduled=True, created=at - timedelta(hours=age),
            protected=age == 3,
        )  # fmt: skip
    Snapshot.objects.create(container=ct101, uuid="by hand", created=at - timedelta(days=9))
    asked = []
    for _ in range(4):
        snapshots.go(alpha)
        if operation := ct101.operations.filter(state="queued").first():
            uuid = operation.params["snapshot"]
            asked.append(uuid)
            told(operation, {"ev": "fact", "key": "snapshot_gone", "value": uuid}, end())
    assert asked == ["2", "4"]


def test_a_deletion_that_failed_is_not_asked_for_again_at_once(
    ct101: Container, alpha: Node
) -> None:
    Snapshot.objects.create(container=ct101, uuid="old", expires=now())
    snapshots.go(alpha)
    told(ct101.operations.get(), end("failed", error="it would not go"))
    snapshots.go(alpha)
    assert ct101.operations.count() == 1


def test_where_processes_cannot_be_kept_the_disk_is(ct101: Container, alpha: Node) -> None:
    alpha.facts["snapshots_off"] = "there is no CRIU"
    alpha.save()
    overdue(scheduled(ct101))
    operation = made(alpha)
    assert operation
    assert operation.params["disk_only"] is True


def test_cron_times_are_those_of_the_node(ct101: Container, alpha: Node) -> None:
    alpha.facts["timezone"] = "Europe/Berlin"
    alpha.save()
    ct101.node.refresh_from_db()
    schedule = Schedule(container=ct101, cron="30 3 * * *")
    summer = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert schedule.following(summer) == datetime(2026, 7, 2, 1, 30, tzinfo=UTC)
    winter = datetime(2026, 12, 1, 12, tzinfo=UTC)
    assert schedule.following(winter) == datetime(2026, 12, 2, 2, 30, tzinfo=UTC)


def test_staff_schedule_and_end_it(ct101: Container, alpha: Node, as_alice: Client) -> None:
    alpha.facts["timezone"] = "Asia/Tokyo"
    alpha.save()
    asked = {"count": "6", "unit": "60", "cron": "", "keep": "3"}
    assert as_alice.post(PLACE, asked).status_code == 302
    schedule = Schedule.objects.get()
    assert (schedule.every, schedule.keep, schedule.words) == (360, 3, "every 6 hours")
    shown = text(as_alice.get("/containers/101/snapshots/"))
    assert "Taken every 6 hours" in shown
    assert "Asia/Tokyo" in shown
    assert as_alice.post(PLACE, asked | {"count": "", "cron": "0 4 * * 0"}).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.every, schedule.cron) == (None, "0 4 * * 0")
    assert as_alice.post(PLACE, {"remove": "1"}).status_code == 302
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"count": "4", "unit": "1"}, "between 5 minutes and 366 days"),
        ({"count": ""}, "Enter how often"),
        ({"cron": "0 4 * * 0"}, "but not both"),
        ({"cron": "every day"}, "Enter five fields"),
        ({"cron": "61 * * * *"}, "Minute must be 0–59."),
        ({"cron": "0 24 * * *"}, "Hour must be 0–23."),
        ({"cron": "0 0 * * 8"}, "Day of the week must be 0–7"),
        ({"cron": "0 0 32 * *"}, "Day must be 1–31."),
        ({"cron": "0 0 30 2 *"}, "There is no such date."),
        ({"keep": "0"}, "must be between 1 and 100"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(
    wrong: dict[str, str], why: str, ct101: Container, as_alice: Client
) -> None:
    asked = {"count": "6", "unit": "60", "cron": "", "keep": "3"} | wrong
    answer = as_alice.post(PLACE, asked)
    assert answer.status_code == 422
    assert why in text(answer)
    assert not Schedule.objects.exists()
