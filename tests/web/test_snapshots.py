"""Snapshots in the panel: rows made of what the node says, pages, who may do what."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localtime, now

from containers.models import Container, Inquiry, Node, Operation, Snapshot, Template, outcome
from containers.node.checkpoint.reason import Reason
from containers.node.errors import BadValue, Doubts, OperationError, Problem
from containers.node.states import Progress, State
from containers.node.templates import remains
from containers.worker import journal, snapshots
from containers.worker.step_rows import StepRows
from tests.web.scribe import settle
from tests.web.test_pages import text

pytestmark = pytest.mark.django_db(transaction=True)
HASH = "0123456789abcdef" * 4
OFF = "Process snapshots are off on this node: the kernel can't dump processes."


def told(operation: Operation, *events: dict[str, Any]) -> None:
    """What a runner of it says, in its journal."""
    journal.record(StepRows.of(operation), [{"t": now().timestamp(), **event} for event in events])


def kept(operation: Operation, **facts: Any) -> dict[str, Any]:
    container = operation.container
    said = {
        "template": f"{container.template}" if container and container.template else "",
        "uuid": operation.params["snapshot"], "kind": "snapshot", "manifest": HASH,
        "processes": True, "size": 12 << 20, "created": now().isoformat(), "version": 256,
        "criu": "3.19", "kernel": "6.18", "caps": "123", "addresses": ["10.0.0.2"], "mounts": [],
        "init": "busybox", "hostname": "web1",
    }  # fmt: skip
    return {"ev": "fact", "key": "snapshot", "value": said | facts}


def end(progress: str = "succeeded", **how: Any) -> dict[str, Any]:
    return {"ev": "end", "progress": progress, "code": 0, "error": "", "state": None, **how}


def taken(container: Container, **how: Any) -> Snapshot:
    container.refresh_from_db()
    operation = Snapshot.take(container, **how)
    told(operation, kept(operation), end())
    return Snapshot.objects.get(uuid=operation.params["snapshot"])


def page(client: Client, name: str, snapshot: Snapshot | None = None) -> Any:
    return client.get(reverse(name, args=[101, snapshot.uuid] if snapshot else [101]))


def test_a_snapshot_becomes_a_row_that_the_container_goes_on_from(
    ct101: Container, bob: User
) -> None:
    first = taken(ct101, name="before the update", note="all fine", by=bob)
    second = taken(ct101)
    ct101.refresh_from_db()
    assert (first.name, first.note, first.by, first.with_processes, first.size, first.manifest) == (
        "before the update", "all fine", bob, True, 12 << 20, HASH,
    )  # fmt: skip
    assert (first.parent, second.parent, ct101.here) == (None, first, second)
    assert first.facts["criu"] == "3.19"


def test_a_new_snapshot_is_verified_without_being_asked(ct101: Container) -> None:
    snapshot = taken(ct101)
    inquiry = Inquiry.objects.get()
    assert (inquiry.kind, inquiry.ctid, inquiry.args) == (
        "verdict", 101, {"snapshot": snapshot.uuid},
    )  # fmt: skip


@pytest.mark.parametrize("name", ["x" * 81, "two\nlines", "a bell\a"])
def test_a_name_that_would_not_fit_a_line_is_refused(ct101: Container, name: str) -> None:
    with pytest.raises(BadValue, match="The name"):
        Snapshot.take(ct101, name=name)
    assert not ct101.operations.exists()


def test_a_node_says_what_snapshots_it_can_make(
    worker: Any, alpha: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PANEL_CRIU", raising=False)
    worker.arrive()
    alpha.refresh_from_db()
    assert alpha.facts["snapshot_version"] == 256
    assert int(alpha.facts["caps"]) > 0
    assert "Process snapshots are off on this node" in alpha.facts["snapshots_off"]
    assert "timezone" in alpha.facts


def test_the_list_offers_to_resume_a_suspended_container(ct101: Container, as_bob: Client) -> None:
    Container.objects.update(state=State.SUSPENDED)
    assert "Resume" in text(as_bob.get("/containers/"))


def test_one_that_was_left_mounted_says_so_and_offers_the_ways_out(
    ct101: Container, as_alice: Client, as_bob: Client
) -> None:
    Container.objects.update(state=State.SUSPENDED, facts={"mounted": True})
    staff, customer = (text(client.get("/containers/101/")) for client in (as_alice, as_bob))
    assert "It is suspended and still mounted: an umount script failed." in staff
    assert "It is suspended, but its files are still in use on the server." in customer
    assert "umount script" not in customer
    for shown in (staff, customer):
        assert "Resume" in shown
        assert "Start" in shown
    assert refusal(ct101, "umount") == ""

    Container.objects.update(facts={})
    assert "still mounted" not in text(as_alice.get("/containers/101/"))
    assert refusal(ct101, "umount") == "The container is not mounted."


def refusal(container: Container, kind: str) -> str:
    container.refresh_from_db()
    alice = User.objects.get(username="alice")
    return next(each.refusal for each in container.offers(alice) if each.kind.name == kind)


def test_processes_that_are_nowhere_else_stay_until_somebody_deletes_them(
    ct101: Container,
) -> None:
    wanted = taken(ct101)
    operation = wanted.restore()
    uuid = operation.params["safety"]
    remains = OperationError(Problem.PROCESSES_KEPT, uuid=uuid).cause
    failed = OperationError(Problem.MOUNT_MISSING, path="/mnt")
    told(operation, kept(operation, kind="safety", uuid=uuid, only=True),
         end("failed", code=79, state="stopped", **failed.record
             | {"details": {**failed.details, "remains": remains}}))  # fmt: skip
    snapshot = ct101.snapshots.get(uuid=uuid)
    assert (snapshot.protected, snapshot.expires) == (True, None)
    operation.refresh_from_db()
    staff, customer = (outcome.sentences(operation, staff=each)[-1] for each in (True, False))
    assert uuid in staff
    assert customer.endswith("as a snapshot. Restore that one.")


def test_what_a_failed_snapshot_takes_back_leaves_no_row(ct101: Container) -> None:
    operation = Snapshot.take(ct101)
    uuid = operation.params["snapshot"]
    gone = {"ev": "fact", "key": "snapshot_gone", "value": uuid}
    told(operation, kept(operation), gone, end("failed", code=16, error="the disk is full"))
    ct101.refresh_from_db()
    assert (ct101.snapshots.count(), ct101.here) == (0, None)


def test_a_restore_moves_here_back_and_keeps_a_safety_snapshot(ct101: Container) -> None:
    first, second = taken(ct101, name="one"), taken(ct101, name="two")
    operation = first.restore()
    told(operation, kept(operation, kind="safety", uuid=operation.params["safety"]), end())
    ct101.refresh_from_db()
    safety = ct101.snapshots.get(uuid=operation.params["safety"])
    assert (ct101.here, safety.parent, safety.safety) == (first, second, True)
    assert safety.note == "before the restore of one"
    assert safety.expires
    assert timedelta(days=6) < safety.expires - now() < timedelta(days=8)
    assert operation.params["manifest"] == HASH


def test_a_deleted_snapshot_leaves_no_gap_in_the_line(ct101: Container) -> None:
    first, second, third = (taken(ct101) for _ in range(3))
    for snapshot in (second, third):
        told(
            snapshot.delete_from_node(),
            {"ev": "fact", "key": "snapshot_gone", "value": snapshot.uuid},
            end(),
        )
    ct101.refresh_from_db()
    assert [*ct101.snapshots.all()] == [first]
    assert ct101.here == first


def test_a_reinstalled_container_comes_from_no_snapshot(ct101: Container) -> None:
    taken(ct101)
    told(ct101.request("reinstall"), end())
    ct101.refresh_from_db()
    assert ct101.here is None


def test_a_restore_that_is_refused_for_what_was_found_leaves_that_verdict(
    ct101: Container,
) -> None:
    snapshot = taken(ct101)
    changed = Reason.doubt(Doubts.FILES_CHANGED, names=["img/pages-1.img"])
    older = Reason.read("it is old")  # as a runner of an older version says
    failure = OperationError(Problem.NOT_RESTORABLE, reasons=[changed.words(), older.error])
    told(snapshot.restore(), end("failed", code=17, **failure.record))
    snapshot.refresh_from_db()
    assert snapshot.verdict == "broken"
    assert [why.words() for why in snapshot.doubts] == [changed.words(), older.words()]


def test_a_safety_snapshot_is_deleted_at_its_date_unless_it_is_protected(
    ct101: Container, alpha: Node
) -> None:
    due, protected, later = taken(ct101), taken(ct101), taken(ct101)
    Snapshot.objects.update(safety=True, expires=now() - timedelta(minutes=1))
    Snapshot.objects.filter(pk=protected.pk).update(protected=True)
    Snapshot.objects.filter(pk=later.pk).update(expires=now() + timedelta(days=1))
    snapshots.go(alpha)
    snapshots.go(alpha)  # the container is busy: nothing is asked for twice
    asked = Operation.objects.filter(kind="delete_snapshot")
    assert [(o.params["snapshot"], o.via) for o in asked] == [(due.uuid, "schedule")]


def test_restores_are_no_way_round_the_limit_and_never_use_it_up(
    ct101: Container, alpha: Node, as_bob: Client
) -> None:
    """Their safety snapshots are the newest two, and whatever staff protect."""
    Container.objects.update(snapshot_limit=1)
    target = taken(ct101)
    for _ in range(5):
        operation = target.restore()
        safety = kept(operation, uuid=operation.params["safety"], kind="safety")
        told(operation, safety, end())
        if not Snapshot.objects.filter(protected=True).exists():
            Snapshot.objects.filter(safety=True).update(protected=True)
    safeties = list(Snapshot.objects.filter(safety=True).order_by("pk"))
    assert len(safeties) == 5
    asked = []
    for _ in range(4):
        snapshots.go(alpha)
        if queued := ct101.operations.filter(state="queued").first():
            asked.append(queued.params["snapshot"])
            told(queued, {"ev": "fact", "key": "snapshot_gone", "value": asked[-1]}, end())
    assert sorted(asked) == sorted(each.uuid for each in safeties[1:3])

    target.delete()
    assert Snapshot.left(ct101) == 1
    assert as_bob.post("/containers/101/snapshots/", {"name": "again"}).status_code == 302


def test_a_customer_takes_no_more_than_staff_allow(
    ct101: Container, as_bob: Client, as_alice: Client
) -> None:
    Container.objects.update(snapshot_limit=2)
    for _ in range(2):
        taken(ct101)
    Snapshot.objects.create(container=ct101, uuid=f"{uuid4()}", safety=True)  # does not count
    answer = as_bob.post("/containers/101/snapshots/", {"name": "a third"})
    assert answer.status_code == 409
    assert "There are 2 snapshots already, and no more are allowed." in text(answer)
    assert "You have as many snapshots as you are allowed" in text(answer)
    assert not ct101.operations.filter(state=Progress.QUEUED).exists()
    answer = as_alice.post("/containers/101/snapshots/", {"name": "staff's"})
    assert answer.status_code == 302


def test_a_customer_takes_restores_and_deletes_own_snapshots(
    ct101: Container, as_bob: Client, bob: User
) -> None:
    Container.objects.update(state=State.RUNNING)
    answer = as_bob.post("/containers/101/snapshots/", {"name": "mine", "what": "all"})
    operation = Operation.objects.get()
    assert answer["Location"] == operation.get_absolute_url()
    assert (operation.kind, operation.by, operation.params["name"]) == ("snapshot", bob, "mine")
    told(operation, kept(operation), end())
    snapshot = Snapshot.objects.get()

    asked = page(as_bob, "restoration", snapshot)
    assert "What it loses: every file written since" in text(asked)
    assert "whatever its processes are doing now" in text(asked)
    restore = as_bob.post(asked.wsgi_request.path, {"safety": "on", "what": "closed"})
    operation = Operation.objects.all()[0]
    assert restore["Location"] == operation.get_absolute_url()
    assert operation.params["tcp_close"]
    assert operation.params["safety"]
    told(operation, end("failed", code=17, error="it was not to be"))

    as_bob.post(reverse("snapshot_deletion", args=[101, snapshot.uuid]))
    operation = Operation.objects.all()[0]
    assert operation.kind == "delete_snapshot"


def test_a_protected_snapshot_is_not_deleted(
    ct101: Container, as_alice: Client, as_bob: Client
) -> None:
    snapshot = taken(ct101)
    as_alice.post(reverse("protection", args=[101, snapshot.uuid]), {"protected": "1"})
    answer = as_bob.post(reverse("snapshot_deletion", args=[101, snapshot.uuid]))
    assert answer.status_code == 409
    assert "It is protected" in text(answer)
    as_alice.post(reverse("protection", args=[101, snapshot.uuid]))
    answer = as_bob.post(reverse("snapshot_deletion", args=[101, snapshot.uuid]))
    assert answer.status_code == 302


def test_the_line_says_where_one_is_and_what_each_stop_holds(
    ct101: Container, as_bob: Client
) -> None:
    empty = text(page(as_bob, "snapshots"))
    assert "There are no snapshots yet" in empty
    assert "on the same disk, so not a backup" in empty
    first, second = taken(ct101, name="one"), taken(ct101, name="two", note="with a note")
    told(first.restore(safety=False), end())
    Snapshot.objects.filter(pk=second.pk).update(with_processes=False)
    shown = text(page(as_bob, "snapshots"))
    line = shown[: shown.index("Take a snapshot")]
    assert line.index("two") < line.index("You are here") < line.rindex("one")
    assert "with a note" in line
    assert "with processes, 12.0" in line
    assert "disk only" in line
    assert "being verified" in line


def test_where_processes_cannot_be_kept_the_page_says_why_and_offers_the_disk(
    ct101: Container, alpha: Node, as_alice: Client, as_bob: Client
) -> None:
    Container.objects.update(state=State.RUNNING)
    snapshot = taken(ct101)
    alpha.facts["snapshots_off"] = OFF
    alpha.save()
    shown = text(page(as_alice, "snapshots"))
    assert "the kernel can't dump processes" in shown
    assert "make setup" in shown
    assert "make setup" not in text(page(as_bob, "snapshots"))
    answer = as_bob.post("/containers/101/snapshots/", {"what": "all"})
    assert answer.status_code == 422
    as_bob.post("/containers/101/snapshots/", {"what": "disk"})
    operation = Operation.objects.first()
    assert operation
    assert operation.params["disk_only"] is True
    told(operation, end("failed"))
    place = reverse("restoration", args=[101, snapshot.uuid])
    assert as_bob.post(place, {"what": "all"}).status_code == 422
    assert as_bob.post(place, {"what": "disk"}).status_code == 302
    told(ct101.operations.get(state="queued"), end("failed"))
    shown = text(as_bob.get("/containers/101/"))
    assert "Suspend: Processes can't be kept in snapshots on this server" in shown


def test_a_verdict_is_asked_of_the_node_and_kept_with_its_age(
    ct101: Container, as_bob: Client, worker: Any
) -> None:
    snapshot = Snapshot.objects.create(container=ct101, uuid=f"{uuid4()}", manifest=HASH)
    for _ in range(2):  # the second is not asked: the first is under way
        as_bob.post(reverse("verification", args=[101, snapshot.uuid]))
    assert Inquiry.objects.count() == 1
    assert "being verified" in text(page(as_bob, "snapshots"))
    settle(worker)
    while Inquiry.objects.filter(answered=None).exists():
        worker.verdicts.threads.submit(lambda: None).result()  # those before it are done
        worker.kicked = True
        worker.turn()
    answer = Inquiry.objects.get().answer
    assert answer == {
        "verdict": "broken", "exit": 2, "reasons": ["There is no such snapshot on this node."],
        "problems": [{"problem": "doubtful", "details": {"fault": "no-such-snapshot"}}],
    }  # fmt: skip
    shown = text(page(as_bob, "snapshots"))
    assert "Broken 0 minutes ago There is no such snapshot on the server." in shown.replace(
        "\xa0", " "
    )


def test_staff_read_their_sentences_and_all_read_reasons_from_before_they_had_words(
    ct101: Container, as_bob: Client, as_alice: Client
) -> None:
    words = Reason.doubt(Doubts.OTHER_CRIU, made="4.1", here="3.19").words()
    Snapshot.objects.create(
        container=ct101, uuid=f"{uuid4()}", verdict="broken", verified=now(),
        reasons=["its disk is missing", words],
    )  # fmt: skip
    for_staff = text(page(as_alice, "snapshots"))
    for_customers = text(page(as_bob, "snapshots"))
    assert "its disk is missing It was made with CRIU 4.1, and this node has 3.19." in for_staff
    assert "its disk is missing Its processes were kept by a newer program" in for_customers


def test_a_trial_restore_is_an_operation_whose_verdict_is_shown_with_its_age(
    ct101: Container, as_bob: Client, bob: User
) -> None:
    snapshot = taken(ct101)
    snapshot.judge("can't tell", [Reason.doubt(Doubts.SYSTEMD)], now())
    assert "Trial restore" in text(page(as_bob, "snapshots"))
    answer = as_bob.post(reverse("trial", args=[101, snapshot.uuid]))
    operation = Operation.objects.get(kind="trial_restore")
    assert answer["Location"] == operation.get_absolute_url()
    assert (operation.by, operation.params) == (bob, snapshot.named)
    fact = {"uuid": snapshot.uuid, "processes": 7}
    told(operation, {"ev": "fact", "key": "tried", "value": fact}, end())
    snapshot.refresh_from_db()
    assert (snapshot.verdict, snapshot.reasons) == ("ok", [])
    for place in ("snapshots", "snapshot"):
        shown = text(page(as_bob, place, snapshot if place == "snapshot" else None))
        assert "Trial restore 0 minutes ago: All 7 processes came back in a test copy." in shown


@pytest.mark.parametrize(
    ("problem", "verdict"),
    [(Problem.INIT_ENDED, "broken"), (Problem.NO_SPACE, "can't tell")],
    ids=["processes", "no room"],
)
def test_a_trial_restore_that_fails_says_why_and_only_its_processes_break_the_verdict(
    ct101: Container, as_alice: Client, as_bob: Client, problem: Problem, verdict: str
) -> None:
    snapshot = taken(ct101)
    snapshot.judge("can't tell", [Reason.doubt(Doubts.SYSTEMD)], now())
    told(snapshot.try_restore(), end("failed", code=17, **OperationError(problem).record))
    snapshot.refresh_from_db()
    assert snapshot.verdict == verdict
    for client, said in ((as_alice, problem.staff), (as_bob, problem.customers)):
        shown = text(page(client, "snapshot", snapshot))
        assert f"Trial restore 0 minutes ago: it failed. {said}" in shown


def test_processes_whose_init_dies_in_a_trial_break_the_verdict(ct101: Container) -> None:
    snapshot = taken(ct101)
    died = OperationError(Problem.INIT_DIED, exit=-11, lived=0.02, last=[])
    told(snapshot.try_restore(), end("failed", code=17, **died.record))
    snapshot.refresh_from_db()
    assert snapshot.verdict == "broken"


def test_what_cannot_be_tried_says_why(ct101: Container, as_bob: Client) -> None:
    snapshot = taken(ct101)
    place = reverse("trial", args=[101, snapshot.uuid])
    holder = ct101.request("start")
    assert "The snapshot was not tried. Operation" in text(as_bob.post(place, follow=True))
    holder.cancel()
    Snapshot.objects.update(with_processes=False)
    assert "there is nothing to try" in text(as_bob.post(place, follow=True))
    assert not Operation.objects.filter(kind="trial_restore").exists()


def test_start_of_a_suspended_container_warns_and_offers_resume(
    ct101: Container, as_bob: Client
) -> None:
    Container.objects.update(state=State.SUSPENDED)
    shown = text(as_bob.get("/containers/101/"))
    assert "Resume" in shown
    assert "Suspend" not in shown.replace("Suspended", "")
    answer = as_bob.post("/containers/101/operations/", {"kind": "start"})
    assert answer.status_code == 422
    assert "Start deletes them" in text(answer)
    assert "Resume it instead" in text(answer)
    assert not ct101.operations.exists()
    as_bob.post("/containers/101/operations/", {"kind": "start", "discard": "on"})
    assert ct101.operations.get().params == {"discard": True}


def test_staff_set_how_many_a_customer_may_have(ct101: Container, as_alice: Client) -> None:
    answer = as_alice.post(
        "/containers/101/settings/",
        {"hostname": "web1", "owner": ct101.owner_id, "snapshot_limit": "9"},
    )
    assert answer.status_code == 302
    ct101.refresh_from_db()
    assert ct101.snapshot_limit == 9
    assert not ct101.operations.exists()


def test_a_clone_is_a_container_of_its_own_with_the_limits_of_its_source(
    ct101: Container, as_alice: Client, bob: User
) -> None:
    Container.objects.update(ram=512)
    snapshot = taken(ct101)
    answer = as_alice.post(
        reverse("cloning", args=[101, snapshot.uuid]),
        {"ctid": "102", "hostname": "web2", "owner": bob.pk, "processes": "on"},
    )
    clone = Container.objects.get(ctid=102)
    operation = clone.operations.get()
    assert answer["Location"] == operation.get_absolute_url()
    assert (clone.ram, clone.owner, clone.hostname) == (512, bob, "web2")
    assert operation.kind == "clone"
    assert operation.params == {
        "snapshot": snapshot.uuid, "manifest": HASH, "source": 101, "processes": True,
    }  # fmt: skip
    told(operation, end("failed", code=17, error="it was not to be", state="broken"))
    assert not Container.objects.filter(ctid=102).exists()


def test_a_snapshot_is_published_as_a_template(ct101: Container, as_alice: Client) -> None:
    snapshot = taken(ct101)
    place = reverse("snapshot_template", args=[101, snapshot.uuid])
    assert as_alice.post(place, {"template": "../etc"}).status_code == 422
    assert as_alice.post(place, {"template": "golden"}).status_code == 302
    operation = Operation.objects.get(kind="publish_snapshot")
    assert operation.resource == "template golden"
    assert operation.params["name"] == "golden"
    assert operation.params["clean"] == []  # as a form without a tick says


def test_publishing_shows_what_stays_in_the_template(ct101: Container, as_alice: Client) -> None:
    snapshot = taken(ct101)
    Node.objects.update(heartbeat=now())
    place = reverse("snapshot_template", args=[101, snapshot.uuid])
    page = as_alice.get(place).content.decode()
    assert "the node is looking" in page
    assert page.count("checked") == len(remains.DEFAULT)
    inquiry = Inquiry.objects.get(kind="remains")
    inquiry.answer = [{"group": "logs", "count": 214, "paths": ["/var/log/<b>"]}]
    inquiry.answered = now()
    inquiry.save()
    part = as_alice.get(place, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="groups").content.decode()
    assert "/var/log/&lt;b&gt;" in part
    assert "214:" in part
    assert "hx-get" not in part
    assert Inquiry.objects.filter(kind="remains").count() == 1  # not asked anew each time
    assert as_alice.post(place, {"template": "x", "clean_groups": "all"}).status_code == 422
    form = {"template": "golden", "clean_groups": ["logs", "keys"]}
    assert as_alice.post(place, form).status_code == 302
    assert Operation.objects.get(kind="publish_snapshot").params["clean"] == ["logs", "keys"]


def changed(container: Container, **values: Any) -> None:
    Container.objects.filter(pk=container.pk).update(**values)
    container.refresh_from_db()


def test_a_restored_container_is_of_the_template_that_its_disk_was_made_of(
    ct101: Container, alpha: Node
) -> None:
    """F10."""
    old = Template.objects.create(node=alpha, name="old", version=1, created=now())
    new = Template.objects.create(node=alpha, name="new", version=7, created=now())
    changed(ct101, template=old)
    snapshot = taken(ct101)
    assert snapshot.facts["template"] == "old@1"
    changed(ct101, template=new)

    operation = snapshot.restore()
    told(operation, {"ev": "fact", "key": "template", "value": "old@1"}, end())

    ct101.refresh_from_db()
    assert ct101.template == old
    changed(ct101, template=new)
    clone = snapshot.clone(202)
    assert clone.container
    assert clone.container.template == old


@pytest.mark.parametrize(
    ("person", "choice", "then"),
    [
        ("as_alice", "now", {}),
        ("as_alice", "then", {"ram": 512, "hostname": "web1"}),
        ("as_bob", "then", {"hostname": "web1"}),
    ],
)
def test_settings_that_were_changed_since_are_shown_and_taken_back_on_demand(
    ct101: Container,
    request: pytest.FixtureRequest,
    person: str,
    choice: str,
    then: dict[str, Any],
) -> None:
    """A customer never gets a limit back that staff have lowered."""
    client = request.getfixturevalue(person)
    changed(ct101, ram=512, hostname="web1")
    snapshot = taken(ct101)
    changed(ct101, ram=256, hostname="web2")

    shown = text(page(client, "restoration", snapshot))
    assert "Memory: 512 MiB then, 256 MiB now" in shown
    assert ("stays as it is now" in shown) is (person == "as_bob")
    url = reverse("restoration", args=[101, snapshot.uuid])
    client.post(url, {"safety": "on", "what": "all", "settings": choice})

    operation = Operation.objects.get(kind="restore")
    assert operation.params.get("take", {}) == then
    told(operation, end())
    ct101.refresh_from_db()
    assert {"ram": ct101.ram, "hostname": ct101.hostname} == {
        "ram": 256, "hostname": "web2", **then,
    }  # fmt: skip


def test_nothing_is_asked_where_nothing_was_changed(ct101: Container, as_alice: Client) -> None:
    snapshot = taken(ct101)
    shown = text(page(as_alice, "restoration", snapshot))
    assert "What it was set to then" not in shown
    assert "Take those of then" not in shown


def test_no_two_snapshots_of_a_container_have_one_name(ct101: Container, as_bob: Client) -> None:
    """U15."""
    taken(ct101, name="base")
    with pytest.raises(BadValue, match="Another snapshot of CT 101 is called 'base'") as refused:
        Snapshot.take(ct101, name="base")
    assert refused.value.code == 131
    assert ct101.operation is None
    answer = as_bob.post(reverse("snapshots", args=[101]), {"name": "base", "what": "all"})
    assert answer.status_code == 409
    assert "choose another name" in text(answer)
    taken(ct101)
    taken(ct101)
    assert sorted(ct101.snapshots.values_list("name", flat=True)) == ["", "", "base"]


def test_one_that_was_asked_for_before_names_were_its_own_gets_another(ct101: Container) -> None:
    """Its files are there already: that it can't have the name must not keep its row away."""
    early = Snapshot.take(ct101, name="base")
    Snapshot.objects.create(container=ct101, uuid=f"{uuid4()}", name="base", manifest=HASH)
    told(early, kept(early), end())
    assert Snapshot.objects.get(uuid=early.params["snapshot"]).name == "base (2)"


def test_the_names_of_unnamed_ones_tell_which_came_first(ct101: Container, as_bob: Client) -> None:
    snapshot = taken(ct101)
    second = f"{localtime(snapshot.created):%H:%M:%S}"
    assert snapshot.title.endswith(second)
    for name in ("snapshots", "snapshot", "restoration"):
        shown = page(as_bob, name, None if name == "snapshots" else snapshot)
        assert second in text(shown), name


def test_what_scripts_had_mounted_is_shown_with_what_is_kept_of_it(
    ct101: Container, as_bob: Client
) -> None:
    operation = Snapshot.take(ct101)
    told(operation, kept(operation, mounts=["/ram", "/data"], carried=["/ram"]), end())
    shown = text(page(as_bob, "snapshot", Snapshot.objects.get()))
    assert "/ram a tmpfs: what was in it is kept" in shown
    assert "own files: no part of the snapshot" in shown


@pytest.mark.django_db(transaction=True)
def test_names_that_are_equal_already_are_numbered(ct101: Container) -> None:
    """The oldest keeps its name; another container's is its own affair."""
    from importlib import import_module

    from django.db import connection

    constraint = Snapshot._meta.constraints[0]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Snapshot, constraint)
    for number, name in enumerate(["base (2)", "base", "base", "base", "", ""]):
        at = now() + timedelta(minutes=number)
        Snapshot.objects.create(
            container=ct101, uuid=f"{number}", name=name, manifest=HASH, created=at
        )

    import_module("containers.migrations.0014_snapshot_names").number_equal_names(apps, None)

    names = Snapshot.objects.order_by("uuid").values_list("name", flat=True)
    assert list(names) == ["base (2)", "base", "base (3)", "base (4)", "", ""]
    with connection.schema_editor() as editor:
        editor.add_constraint(Snapshot, constraint)
