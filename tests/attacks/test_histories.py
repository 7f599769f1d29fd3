"""Attacks on what is left of others: the history of a number, and templates made of their files."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from containers.forms.reinstallation import templates_for
from containers.models import AuditEvent, Container, Node, Operation, Snapshot, Template
from containers.node.conf import NodeConf
from containers.node.operations import build_template
from containers.node.states import Progress
from containers.node.templates import catalogue
from containers.worker.templates import sync
from tests.attacks.test_second_factor import text

UUID = "11111111-2222-3333-4444-555555555555"
HISTORY = "/containers/101/operations/"


@pytest.fixture
def second(ct101: Container, carol: User, as_bob: Client, alpha: Node) -> Container:
    """CT 101 was bob's, who did something with it; now another with that number is carol's."""
    as_bob.post("/containers/101/password/", {"password_choice": "generate"})
    AuditEvent.record("run in CT 101: mysql -p hunter2", by=None, via="pctl", ctid=101)
    operation = ct101.operations.get()
    operation.chunks.create(offset=0, data=b"said in bob's container\n")
    operation.end(Progress.SUCCEEDED)
    ct101.delete()
    return Container.objects.create(
        ctid=101, node=alpha, owner=carol, hostname="web9", state="stopped"
    )


def test_the_new_owner_of_a_number_reads_what_its_former_owner_did(
    second: Container, as_carol: Client, as_alice: Client
) -> None:
    old = Operation.objects.get()
    shown = text(as_carol.get(HISTORY)) + text(as_carol.get("/operations/?q=101"))
    assert "hunter2" not in shown
    assert "root's password" not in shown.replace("&#x27;", "'")
    for path in ("", "log", "log/download"):
        assert as_carol.get(f"/operations/{old.pk}/{path}").status_code == 404
    assert "hunter2" in text(as_alice.get(HISTORY))
    assert "hunter2" in text(as_alice.get("/audit/?q=101"))


def test_the_former_owner_reads_on_in_what_is_anothers_now(
    second: Container, as_bob: Client
) -> None:
    AuditEvent.record("set root's password in CT 101", by=None, via="browser", ctid=101)
    assert as_bob.get(HISTORY).status_code == 404
    assert "CT 101" not in text(as_bob.get("/operations/"))


def test_what_staff_do_to_a_container_is_hidden_from_its_owner(
    ct101: Container, as_alice: Client, as_bob: Client
) -> None:
    ct101.snapshots.create(uuid=UUID)
    as_alice.post(HISTORY, {"kind": "mount"})
    as_alice.post("/containers/101/scripts/mount/", {"body": "#!/bin/sh\nexit 0\n"})
    form = {"ctid": "102", "hostname": "copy"}
    as_alice.post(f"/containers/101/snapshots/{UUID}/clone/", form)
    shown = text(as_bob.get(HISTORY))
    assert "mount CT 101" in shown
    assert "save the mount script of CT 101: version 1" in shown
    if Container.objects.filter(ctid=102).exists():
        assert "clone CT 101 to CT 102" in shown
    assert "exit 0" not in shown


def test_a_command_run_in_the_browser_leaves_no_trace(
    ct101: Container, as_alice: Client, as_bob: Client
) -> None:
    Container.objects.update(state="running")
    answer: Any = as_alice.post(HISTORY, {"kind": "exec", "command": "cat /root/.my.cnf"})
    assert "Command: cat /root/.my.cnf" in text(as_alice.get(answer["Location"]))
    assert "Command: cat /root/.my.cnf" in text(as_bob.get(answer["Location"]))
    assert "run in CT 101: cat /root/.my.cnf" in text(as_alice.get("/audit/"))
    assert "run in CT 101: cat /root/.my.cnf" in text(as_bob.get(HISTORY))


def facts(conf: NodeConf, name: str, version: int, recipe: str) -> None:
    path = conf.templates / f"{name}@{version}"
    (path / "fs").mkdir(parents=True)
    made = catalogue.Facts(distribution="Debian", init="systemd", arch="x86_64", base=200000,
                           size=1, files=1, created="2026-01-02T03:04:05Z",
                           recipe=recipe)  # fmt: skip
    catalogue.write(path, made)


def test_a_customers_files_are_offered_to_all_once_staff_publish_them(
    node_conf: NodeConf, alpha: Node, ct101: Container, bob: User, alice: User
) -> None:
    """Also under the name of one of the panel's own: customers keep the version before."""
    facts(node_conf, "debian-12", 1, "debian-12")
    facts(node_conf, "debian-12", 2, "")  # published, or imported
    facts(node_conf, "shop", 1, "")
    sync(node_conf, alpha)
    assert {f"{t}" for t in Template.objects.filter(offered=True)} == {"busybox@1", "debian-12@1"}
    assert [f"{t}" for t in templates_for(bob, ct101)] == ["debian-12@1"]
    assert [f"{t}" for t in templates_for(alice, ct101)] == ["debian-12@2", "shop@1"]
    Template.objects.filter(name="shop").update(offered=True)
    sync(node_conf, alpha)  # what staff decided stays
    assert Template.objects.get(name="shop").offered


def test_publishing_says_what_stays_in_a_template(ct101: Container, as_alice: Client) -> None:
    Snapshot.objects.create(container=ct101, uuid=UUID)
    page = text(as_alice.get(f"/containers/101/snapshots/{UUID}/template/"))
    for what in ("Passwords of its users", "SSH keys", "What was typed", "Everything in /root"):
        assert what in page
    assert "offered to nobody" in page


def test_a_root_file_system_that_a_node_has_from_elsewhere_is_offered_to_nobody(
    tmp_path: Path,
) -> None:
    assert Template._meta.get_field("offered").default is False


@pytest.mark.parametrize(
    ("params", "own"),
    [
        ({"name": "debian-12"}, True),
        ({"name": "debian-12", "path": "/root/debian.tar.gz"}, False),
        ({"name": "debian-12", "source": 101, "snapshot": UUID}, False),
    ],
)
def test_a_tarball_passes_for_one_of_the_panels_own_by_its_name(
    params: dict[str, Any], own: bool
) -> None:
    whose: Any = SimpleNamespace(params=params)
    assert build_template.is_built(whose) is own
