"""What follows a reinstallation: its template, scripts turned off, the old system for a while."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import now

from containers.models import (
    AuditEvent,
    Container,
    Inquiry,
    Node,
    Operation,
    ReplacedSystem,
    Template,
    Via,
)
from containers.node import observed
from containers.node.conf import NodeConf
from containers.node.layout import Layout
from containers.node.spool import Writer
from containers.node.states import Progress, State
from containers.worker import Worker, replaced_systems
from tests.web.scribe import Scribe, settle

pytestmark = pytest.mark.django_db(transaction=True)
BEGIN = {"step": "begin-new", "label": "make room for the new system", "where": "node"}


def over(writer: Writer, progress: str = "succeeded", code: int = 0) -> None:
    writer.event("end", progress=progress, code=code, error="", state="running", lost=0,
                 off=writer.off)  # fmt: skip
    writer.close()


@pytest.fixture
def debian(alpha: Node) -> Template:
    return Template.objects.create(
        node=alpha,
        name="debian-12",
        version=3,
        init="systemd",
        created="2026-01-02T03:04:05Z",
        offered=True,
    )


@pytest.fixture
def reinstallation(worker: Worker, ct101: Container) -> Operation:
    operation = ct101.request("reinstall", params={"without_own_scripts": True})
    settle(worker)
    return operation


def keep(node_conf: NodeConf, number: int, until: datetime, ctid: int = 101) -> Path:
    """A replaced system on the disk."""
    place = Layout(node_conf, ctid).old / f"{number}"
    (place / "fs").mkdir(parents=True)
    facts = {"until": until.isoformat(), "template": "busybox@1"}
    (place / "kept.json").write_text(json.dumps(facts))
    return place


def test_the_container_is_of_the_template_it_was_reinstalled_with(
    worker: Worker, scribe: Scribe, ct101: Container, debian: Template, reinstallation: Operation
) -> None:
    writer = scribe.writer(reinstallation)
    writer.event("plan", steps=[BEGIN])
    settle(worker)
    ct101.refresh_from_db()
    assert ct101.template
    assert ct101.template.name == "busybox"
    writer.event("fact", key="template", value="debian-12@3")
    writer.event("fact", key="template", value="gone@9")  # nobody has a row of it
    settle(worker)
    ct101.refresh_from_db()
    assert ct101.template == debian


@pytest.mark.parametrize("progress", ["succeeded", "failed"])
def test_scripts_it_went_without_stay_off_and_staff_reads_of_it(
    progress: str,
    worker: Worker,
    scribe: Scribe,
    ct101: Container,
    reinstallation: Operation,
    alice: User,
    as_alice: Client,
) -> None:
    for name in ("start", "stop", "mount"):
        ct101.scripts.create(name=name).write(b"#!/bin/sh\n", by=alice)
    writer = scribe.writer(reinstallation)
    writer.event("plan", steps=[BEGIN])
    over(writer, progress)
    settle(worker)
    enabled = set(ct101.scripts.filter(enabled=True).values_list("name", flat=True))
    switched_off = progress == "succeeded"
    assert enabled == ({"mount"} if switched_off else {"mount", "start", "stop"})
    page = as_alice.get("/containers/101/").content.decode()
    assert ("start and stop scripts have been off since" in page) is switched_off
    assert AuditEvent.objects.filter(ctid=101).exists() is switched_off


def test_a_password_is_forgotten_once_the_reinstallation_has_ended(
    worker: Worker, scribe: Scribe, ct101: Container
) -> None:
    operation = ct101.request("reinstall", params={"userpasswd": {"user": "root", "hash": "$6$"}})
    settle(worker)
    writer = scribe.writer(operation)
    writer.event("plan", steps=[BEGIN])
    over(writer)
    settle(worker)
    operation.refresh_from_db()
    assert operation.params == {}


def test_what_lies_on_the_disk_is_what_can_be_put_back(
    worker: Worker, node_conf: NodeConf, ct101: Container
) -> None:
    until = now() + timedelta(days=7)
    place = keep(node_conf, 7, until)
    keep(node_conf, 8, until, ctid=999)  # of no container
    half = keep(node_conf, 9, until)
    (half / "fs").rmdir()
    (keep(node_conf, 10, until) / "kept.json").write_text("{")
    replaced_systems.sync(node_conf, worker.node)
    row = ReplacedSystem.objects.get()
    assert (row.container, row.number, row.until, row.template) == (ct101, 7, until, "busybox@1")
    (place / "fs").rmdir()
    replaced_systems.sync(node_conf, worker.node)
    assert not ReplacedSystem.objects.exists()


def test_it_is_there_to_be_put_back_as_soon_as_the_reinstallation_has_ended(
    worker: Worker, node_conf: NodeConf, scribe: Scribe, reinstallation: Operation
) -> None:
    writer = scribe.writer(reinstallation)
    writer.event("plan", steps=[BEGIN])
    keep(node_conf, reinstallation.pk, now() + timedelta(days=7))
    over(writer)
    settle(worker)
    assert ReplacedSystem.objects.get().number == reinstallation.pk


@pytest.mark.parametrize(("hours", "goes"), [(-1, True), (1, False)])
def test_it_is_deleted_after_its_date_and_never_before(
    hours: int, goes: bool, worker: Worker, node_conf: NodeConf, ct101: Container
) -> None:
    worker.node.runtime, worker.node.boot_id = "runc", observed.boot_id()
    worker.node.save()
    keep(node_conf, 7, now() + timedelta(hours=hours))
    worker.periodic.go(worker.periodic.replaced_due + 1)
    operation = Operation.objects.first()
    assert bool(operation) is goes
    if operation:
        asked = operation.kind, operation.params, operation.via
        assert asked == ("delete_replaced", {"replaced": 7}, Via.SCHEDULE)


@pytest.mark.parametrize("state", [State.PAUSED, State.BROKEN])
def test_it_waits_where_its_container_can_not_be_worked_on(
    state: State, node_conf: NodeConf, ct101: Container, alpha: Node
) -> None:
    Container.objects.update(state=state)
    ct101.replaced_systems.create(number=7, since=now(), until=now() - timedelta(hours=1))
    replaced_systems.forget_due(alpha)
    assert not Operation.objects.exists()


def test_a_deletion_that_failed_is_not_tried_all_the_time(ct101: Container, alpha: Node) -> None:
    ct101.replaced_systems.create(number=7, since=now(), until=now() - timedelta(hours=1))
    replaced_systems.forget_due(alpha)
    Operation.objects.get().end(Progress.FAILED, code=3)
    replaced_systems.forget_due(alpha)
    assert Operation.objects.count() == 1
    Operation.objects.update(requested=now() - timedelta(hours=2))
    replaced_systems.forget_due(alpha)
    assert Operation.objects.count() == 2


def test_the_node_says_what_a_reinstallation_would_find(
    worker: Worker, node_conf: NodeConf, ct101: Container, bob: User
) -> None:
    paths = Layout(node_conf, 101)
    for name in ("etc", "bin"):
        (paths.fs / name).mkdir(parents=True)
    (paths.fs / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\ndora:x:1000:1000::/:/bin/sh\n")
    (paths.fs / "bin/sh").touch()
    (node_conf.scripts).mkdir(parents=True)
    (node_conf.scripts / "vps.reinstall").touch()
    ct101.scripts.create(name="configure").write(b"exit 0\n", by=bob)
    ct101.scripts.create(name="stop").write(b"exit 0\n", by=bob)
    inquiry = Inquiry.ask(worker.node, "reinstall", ctid=101, by=bob, template="gone@1")
    settle(worker)
    inquiry.refresh_from_db()
    found = inquiry.answer
    assert found, inquiry.error
    assert (found["users"], found["shell"], found["credentials"]) == (["root", "dora"], True, "")
    assert found["old"]["files"] == 5
    assert "no template gone@1" in found["template"]
    assert found["hooks"] == {"reinstall": "global", "configure": "own"}
    assert found["scripts"] == {"start": False, "stop": True}
    (paths.fs / "etc/passwd").unlink()
    (paths.fs / "etc/passwd").symlink_to("/etc/passwd")
    inquiry = Inquiry.ask(worker.node, "reinstall", ctid=101, by=bob, template="gone@1")
    settle(worker)
    inquiry.refresh_from_db()
    assert inquiry.answer, inquiry.error
    assert inquiry.answer["users"] == []
    assert "/etc/passwd" in inquiry.answer["credentials"]
