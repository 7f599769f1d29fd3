"""Scripts that wait for approval: on the command line of the node, and in the browser."""

import contextlib
import io
import json
import os
import pty
import sys
from collections.abc import Iterator
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from containers.commands import pctl
from containers.models import AuditEvent, Container, Node, Operation, ScriptTarget, Via
from containers.node import approvals, veconf
from containers.node.actions import MOUNT, REINSTALL, START, UMOUNT, Scope
from containers.node.conf import NodeConf
from containers.worker import approvals as told
from tests.web.typist import Typist, typist

pytestmark = pytest.mark.django_db(transaction=True)
OLD = b"#!/bin/sh\necho one\necho two\n"
NEW = b"#!/bin/sh\necho one\necho \x1b[2Ktwo\xe2\x80\xae\n"


@pytest.fixture
def conf(node_conf: NodeConf, alpha: Node, settings: Settings) -> NodeConf:
    """Node alpha, where scripts have to be approved."""
    settings.NODE, settings.WEB = node_conf, node_conf.state
    node_conf.etc.mkdir(parents=True, exist_ok=True)
    node_conf.vz_conf.write_text(veconf.render({approvals.KEY: "yes"}))
    return node_conf


@pytest.fixture
def run(conf: NodeConf, capfd: pytest.CaptureFixture[str]) -> Typist:
    return typist(pctl.main, capfd)


@pytest.fixture
def mount(ct101: Container, alice: User) -> ScriptTarget:
    """The mount script of CT 101, which nobody has approved."""
    target = ScriptTarget(ct101, MOUNT)
    target.write(OLD, by=alice, via=Via.BROWSER)
    return target


@contextlib.contextmanager
def terminal(patch: pytest.MonkeyPatch, types: bytes) -> Iterator[int]:
    """Somebody sits there, who types that; what they see can be read here."""
    master, slave = pty.openpty()
    os.write(master, types)
    with (
        os.fdopen(slave, "r", closefd=False) as stdin,
        os.fdopen(slave, "w") as stderr,
        patch.context() as sits,
    ):
        sits.setattr(sys, "stdin", stdin)
        sits.setattr(sys, "stderr", stderr)
        yield master
    os.close(master)


def text(response: object) -> str:
    return unescape(" ".join(response.content.decode().split()))  # type: ignore[attr-defined]


def hear(conf: NodeConf, node: Node) -> Node:
    """What the node says of it."""
    node.refresh_from_db()
    told.sync(conf, node)
    return node


def test_approving_shows_the_text_asks_and_lets_it_run(
    run: Typist, conf: NodeConf, mount: ScriptTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    with terminal(monkeypatch, b"n\n"):
        assert run("script approve 101 mount")[0] == 0
    assert not list(approvals.texts(conf, 101, MOUNT))
    with terminal(monkeypatch, b"y\n") as screen:
        assert run("script approve 101 mount")[0] == 0
        said = os.read(screen, 65536).decode()
    assert "echo two" in said
    assert "Approve it? It will run as root on this node." in said
    assert approvals.latest(conf, 101, MOUNT) == OLD
    event = AuditEvent.objects.first()
    assert event
    assert event.what == "approve the mount script of CT 101: version 1"
    (line,) = map(json.loads, (approvals.store(conf) / "log").read_text().splitlines())
    assert (line["did"], line["ctid"], line["action"]) == ("approve", 101, "mount")


def test_nobody_to_ask_and_no_yes_is_refused(
    run: Typist, conf: NodeConf, mount: ScriptTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    code, _, said = run("script approve 101 mount")
    assert (code, "give --yes" in said) == (20, True)
    assert not list(approvals.texts(conf, 101, MOUNT))


def test_a_change_is_shown_against_the_last_approved_text_and_can_hide_nothing(
    run: Typist, conf: NodeConf, mount: ScriptTarget, alice: User
) -> None:
    run("script approve 101 mount --yes")
    mount.write(NEW, by=alice, via=Via.BROWSER)
    code, _, said = run("script approve 101 mount --yes")
    assert code == 0
    assert "-echo two" in said
    assert "+echo \\x1b[2Ktwo\\u202e" in said
    assert "\x1b" not in said
    code, _, said = run("script approve 101 mount")
    assert (code, said) == (0, "Version 2 of the mount script of CT 101 is approved.\n")


def test_what_waits_is_listed_and_all_of_it_can_be_approved(
    run: Typist, conf: NodeConf, mount: ScriptTarget, alpha: Node, alice: User
) -> None:
    ScriptTarget(alpha, UMOUNT).write(OLD, by=alice, via=Via.BROWSER)
    ScriptTarget(mount.owner, START).write(OLD, by=alice, via=Via.BROWSER)  # in the container
    rows = json.loads(run("script approvals --json")[1])
    assert [(r["ctid"], r["name"], r["approved"], r["blocks"]) for r in rows] == [
        (None, "umount", False, False),
        (101, "mount", False, True),
    ]
    assert run("script approve 101 --yes --quiet")[0] == 0
    assert "101" not in run("script approvals")[1]
    assert "101" in run("script approvals --all")[1]
    assert run("script withdraw 101 mount")[0] == 0
    assert "101" in run("script approvals")[1]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("script approve 101 start --yes", 21, "runs in the container"),
        ("script approve 101 umount --yes", 21, "There is no umount script of CT 101"),
        ("script approve 101 mount --global --yes", 20, "not both"),
        ("script approve 102 mount --yes", 14, "There is no CT 102"),
    ],
)
def test_what_can_not_be_approved(
    run: Typist, mount: ScriptTarget, line: str, code: int, said: str
) -> None:
    ended, _, err = run(line)
    assert (ended, said in err) == (code, True), err


def test_pages_say_what_waits_and_buttons_why_not(
    conf: NodeConf, mount: ScriptTarget, alpha: Node, as_alice: Client, as_bob: Client
) -> None:
    assert "wait" not in text(as_alice.get("/nodes/"))
    hear(conf, alpha)
    command = "pctl script approve 101 mount"
    for path in ("/nodes/alpha/", "/containers/101/", "/containers/101/scripts/mount/"):
        shown = text(as_alice.get(path))
        assert command in shown, path
        assert "1 script waits for approval on alpha" in shown
    assert "1 script waits for approval" in text(as_alice.get("/nodes/"))
    assert "only approved ones run" in text(as_alice.get("/nodes/alpha/"))
    refused = as_alice.post("/containers/101/operations/", {"kind": "start"})
    assert refused.status_code == 409
    assert command in text(refused)
    refused = as_bob.post("/containers/101/operations/", {"kind": "start"})
    assert refused.status_code == 409
    assert "has to be approved before it runs" in text(refused)
    assert "pctl" not in text(refused)
    assert not Operation.objects.exists()
    assert as_alice.post("/containers/101/operations/", {"kind": "destroy"}).status_code != 409
    approvals.approve(conf, 101, MOUNT, OLD, who="root")
    hear(conf, alpha)
    assert "wait" not in text(as_alice.get("/nodes/"))
    assert as_bob.post("/containers/101/operations/", {"kind": "start"}).status_code == 302


def test_a_global_script_that_is_not_published_holds_nobody_up(
    conf: NodeConf, ct101: Container, alpha: Node, alice: User, as_alice: Client
) -> None:
    ScriptTarget(alpha, MOUNT).write(OLD, by=alice, via=Via.BROWSER)
    hear(conf, alpha)
    assert "waits for approval" in text(as_alice.get("/scripts/"))
    assert "until then, it is not published" in text(as_alice.get("/scripts/alpha/mount/"))
    assert "waits for approval" not in text(as_alice.get("/containers/101/"))
    assert not ct101.not_now(next(o.kind for o in ct101.offers(alice) if o.kind.name == "start"),
                             alice)  # fmt: skip


def test_a_file_from_elsewhere_waits_too_and_its_own_hook_goes_before_the_global_one(
    conf: NodeConf, ct101: Container, alpha: Node, alice: User
) -> None:
    path = conf.scripts / REINSTALL.file(Scope.GLOBAL)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(NEW)
    hear(conf, alpha)
    assert [(s["ctid"], s["version"], s["blocks"]) for s in alpha.facts["approval"]] == [
        (None, None, True)
    ]
    ct101.refresh_from_db()
    reinstall = next(o for o in ct101.offers(alice) if o.kind.name == "reinstall")
    assert "pctl script approve --global reinstall" in reinstall.refusal
    ScriptTarget(ct101, REINSTALL).write(OLD, by=alice, via=Via.BROWSER)
    approvals.approve(conf, 101, REINSTALL, OLD, who="root")
    hear(conf, alpha)
    ct101.refresh_from_db()
    assert not next(o for o in ct101.offers(alice) if o.kind.name == "reinstall").refusal


def test_without_the_setting_nothing_is_said(
    conf: NodeConf, mount: ScriptTarget, alpha: Node, as_alice: Client
) -> None:
    conf.vz_conf.write_text(veconf.render({approvals.KEY: "no"}))
    hear(conf, alpha)
    assert "approval" not in alpha.facts
    assert "approv" not in text(as_alice.get("/containers/101/"))
