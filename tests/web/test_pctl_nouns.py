"""Scripts, people, templates and nodes from the command line."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.test import RequestFactory
from django.utils.http import urlsafe_base64_decode
from pytest_django import Settings

from containers.commands import pctl
from containers.models import AuditEvent, Container, Node, Operation, Script, Template
from containers.node.conf import NodeConf

pytestmark = pytest.mark.django_db(transaction=True)
MOUNT = b"#!/bin/bash\n# caf\xe9\nexit 0"
Run = Callable[..., tuple[int, bytes, str]]


@pytest.fixture(autouse=True)
def node(node_conf: NodeConf, alpha: Node, settings: Settings) -> Node:
    settings.NODE = node_conf
    settings.WEB = node_conf.state
    (node_conf.state / "secret.key").write_text("key")
    return alpha


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Types a command line; returns exit code, stdout (bytes) and stderr."""

    def run(*words: object) -> tuple[int, bytes, str]:
        capfdbinary.readouterr()
        code = pctl.main([f"{word}" for word in words])
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return run


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def typed(text: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    return typed


def body_of(**which: str) -> bytes:
    current = Script.objects.get(**which).current
    assert current
    return bytes(current.body)


def put(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def test_a_script_is_saved_shown_and_looked_back_at(
    run: Run, typed: Callable[[bytes], None], ct101: Container
) -> None:
    typed(b"#!/bin/sh\nfalse\n")
    assert run("script", "save", "101", "mount")[0] == 0
    typed(b"#!/bin/sh\ntrue\n")
    assert run("script", "save", "101", "mount", "--reason", "it failed")[0] == 0
    assert run("script", "show", "101", "mount")[1] == b"#!/bin/sh\ntrue\n"
    assert run("script", "show", "101", "mount", "--version", "1")[1] == b"#!/bin/sh\nfalse\n"
    history = json.loads(run("script", "history", "101", "mount", "--json")[1])
    assert [(v["version"], v["reason"]) for v in history] == [(2, "it failed"), (1, "")]
    listed = run("script", "list", "101")[1].decode()
    assert listed.splitlines()[1].split()[:3] == ["mount", "2", "yes"]
    assert AuditEvent.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("mount", b"", "empty"),
        ("mount", b"echo no shebang\n", "interpreter"),
        ("mount", b"#!/bin/sh\n\0", "NUL"),
        ("start", b" \n", "empty"),
        ("start", b"#" * (10 << 20), "longer than"),
        ("nosuch", b"#!/bin/sh\n", "CT 101 has no script nosuch, only: premount"),
    ],
)
def test_what_can_be_no_script_is_refused(
    run: Run, typed: Callable[[bytes], None], ct101: Container, name: str, body: bytes, says: str
) -> None:
    typed(body)
    code, _, err = run("script", "save", "101", name)
    assert code == 21
    assert says in err
    assert not Script.objects.exists()


def test_import_takes_the_places_of_both_documents_byte_for_byte(
    run: Run, node_conf: NodeConf, ct101: Container
) -> None:
    put(node_conf.scripts / "101.mount", MOUNT)
    put(node_conf.vz / "private/101/scripts/start", b"echo started\r\n")
    code, _, err = run("script", "import", "101")
    assert code == 0
    assert f"from {node_conf.scripts}/101.mount: mount script of CT 101, version 1." in err
    assert "CRLF" in err
    assert body_of(name="mount") == MOUNT
    assert body_of(name="start") == b"echo started\r\n"
    assert run("script", "import", "101", "mount")[0] == 0
    assert Script.objects.get(name="mount").versions.count() == 1


def test_import_asks_when_the_two_places_differ(
    run: Run, node_conf: NodeConf, ct101: Container
) -> None:
    old, new = node_conf.scripts / "101.mount", node_conf.vz / "private/101/scripts/mount"
    put(old, MOUNT)
    put(new, b"#!/bin/sh\n")
    code, _, err = run("script", "import", "101")
    assert code == 21
    assert f"{old}" in err
    assert f"{new}" in err
    assert run("script", "import", "101", "mount", "--file", old)[0] == 0
    assert body_of() == MOUNT


OF_OPENVZ = b"""#!/bin/bash
# vzctl is not called here
. $VE_CONFFILE
mount -n -t simfs -o /srv/share /srv/share $VE_ROOT/mnt
tc class add dev venet0 parent 1: classid 1:$VEID htb rate 8mbit
cp /etc/hosts ${VE_PRIVATE}/etc/hosts
"""


def test_import_looks_in_openvzs_own_place_too_and_says_what_is_done_differently(
    run: Run, node_conf: NodeConf, ct101: Container
) -> None:
    place = node_conf.openvz / "conf"
    for name in ("premount", "mount", "start", "stop", "umount", "postumount"):
        put(place / f"101.{name}", OF_OPENVZ)
    put(place / "vps.mount", OF_OPENVZ)
    code, _, err = run("script", "import", "101")
    assert code == 0
    assert f"Looked for {node_conf.vz}/private/101/scripts/{{premount,mount,start,stop," in err
    assert f", {place}/101.{{premount,mount,start,stop,umount,postumount" in err
    assert {script.name for script in ct101.scripts.all()} == {
        "premount", "mount", "start", "stop", "umount", "postumount",
    }  # fmt: skip
    assert body_of(name="umount") == OF_OPENVZ
    mine = [line for line in err.splitlines() if line.startswith(f"{place}/101.mount: ")]
    assert all(word in " ".join(mine) for word in ("mount --bind", "Traffic shaping", "/fs"))
    assert len(mine) == 3
    assert run("script", "import", "--global")[0] == 0
    assert Script.objects.get(node__name="alpha").name == "mount"


def test_a_file_that_is_the_same_in_both_places_is_one(
    run: Run, node_conf: NodeConf, ct101: Container
) -> None:
    put(node_conf.scripts / "101.mount", MOUNT)
    node_conf.openvz.mkdir()
    (node_conf.openvz / "conf").symlink_to(node_conf.scripts)
    _, _, err = run("script", "import", "101")
    assert err.count("101.{") == 1
    assert body_of() == MOUNT


def test_import_of_nothing_is_an_error_that_says_where_it_looked(
    run: Run, node_conf: NodeConf, ct101: Container
) -> None:
    code, _, err = run("script", "import", "101", "mount")
    assert code == 21
    assert (
        f"there is no script of CT 101 here. Looked for {node_conf.vz}/private/101/scripts/mount,"
        f" {node_conf.scripts}/101.mount, {node_conf.openvz}/conf/101.mount."
    ) in err


def test_global_scripts_are_imported_and_published(run: Run, node_conf: NodeConf) -> None:
    put(node_conf.scripts / "vps.umount", MOUNT)
    put(node_conf.scripts / "vps.reinstall", MOUNT)
    assert run("script", "import", "--global")[0] == 0
    assert {s.name for s in Script.objects.filter(node__name="alpha")} == {"umount", "reinstall"}
    operation = Operation.objects.get()
    assert (operation.kind, operation.resource) == ("publish", "global scripts")
    assert run("script", "save", "101", "mount", "--global")[0] == 20
    assert run("script", "import", "--global", "start")[0] == 21


def test_a_new_person_gets_a_link_that_sets_a_password_once(run: Run) -> None:
    code, out, _ = run("user", "create", "dora", "--email", "dora@example.org")
    assert code == 0
    link = out.decode().strip()
    uid, token = link.rstrip("/").split("/")[-2:]
    assert link.startswith("http://127.0.0.1:8000/people/set-password/")
    user = User.objects.get(pk=urlsafe_base64_decode(uid).decode())
    assert (user.username, user.is_staff, user.has_usable_password()) == ("dora", False, False)
    assert default_token_generator.check_token(user, token)
    user.set_password("another")
    user.save()
    assert not default_token_generator.check_token(user, token)
    assert run("user", "create", "dora")[0] == 44
    assert run("user", "create", "a b")[0] == 21


def test_a_password_can_come_on_standard_input(run: Run, typed: Callable[[bytes], None]) -> None:
    typed(b"correct horse battery\n")
    code, out, _ = run("user", "create", "eve", "--staff", "--password-stdin")
    assert (code, out) == (0, b"")
    assert User.objects.get(username="eve").check_password("correct horse battery")
    typed(b"123\n")
    assert run("user", "password", "eve", "--password-stdin")[0] == 74
    assert User.objects.get(username="eve").check_password("correct horse battery")


def test_who_is_disabled_signs_in_no_more_until_enabled(
    run: Run, bob: User, rf: RequestFactory
) -> None:
    request = rf.post("/login/")
    assert run("user", "disable", "bob")[0] == 0
    assert authenticate(request, username="bob", password="bob's own") is None
    assert run("user", "enable", "bob")[0] == 0
    assert authenticate(request, username="bob", password="bob's own") == bob
    assert run("user", "list")[1].decode().splitlines()[1].split()[:3] == ["bob", "no", "yes"]


def test_the_last_of_the_staff_is_not_shut_out(run: Run, typed: Callable[[bytes], None]) -> None:
    for name in ("eve", "faye"):
        typed(b"correct horse battery\n")
        assert run("user", "create", name, "--staff", "--password-stdin")[0] == 0
    User.objects.exclude(username__in=["eve", "faye"]).update(is_staff=False)
    assert run("user", "disable", "eve")[0] == 0
    code, _, err = run("user", "disable", "faye")
    assert (code, User.objects.get(username="faye").is_active) == (21, True)
    assert "make another first" in err


def test_a_nodes_settings_are_shown_and_changed(run: Run, alpha: Node) -> None:
    assert b"undo_profile: documented" in run("node", "show")[1]
    assert run("node", "set", "--undo-profile", "vzctl", "--script-timeout", "30")[0] == 0
    alpha.refresh_from_db()
    assert (alpha.undo_profile, alpha.script_timeout) == ("vzctl", 30)
    assert run("node", "set", "--undo-profile", "nice")[0] == 21
    assert run("node", "set", "--log-limit", "8")[0] == 0
    assert Node.objects.get().log_limit == 8
    assert run("node", "set", "--reach", "all")[0] == 0
    assert Node.objects.get().reach == "all"
    assert run("node", "set", "--reach", "some")[0] == 21
    for option, said in (
        ("--log-limit", "The size limit of a log must be from 1 to 1024 MiB."),
        ("--script-timeout", "The time limit of a script must be from 0 to 2592000 seconds."),
    ):
        assert run("node", "set", option, "9" * 20)[2] == f"{said}\n"
    assert run("node", "set", "--log-limit", "0")[0] == 21
    assert run("node", "set")[0] == 20
    Node.objects.all().delete()
    assert run("node", "show")[0] == 3


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("template build nix", 21, "There is no recipe for nix, only for debian-12,"),
        ("create 150 --ostemplate nix", 91, "There is no template nix: pctl template list tells"),
        ("create 150 --ostemplate debian-12", 91, "pctl template build debian-12 makes it."),
        (
            "node set",
            20,
            "There is nothing to change: give an option, as --undo-profile.",
        ),
        ("node set --script-timeout -5", 21, "This is not a whole number from 0 on: '-5'."),
        ("node set --script-timeout 5", 0, "The new settings of node alpha apply"),
        (
            "user disable bob",
            0,
            "The user bob can no longer sign in, and is signed out everywhere.",
        ),
        ("user enable bob", 0, "The user bob can sign in again.\n"),
        (
            "script import 101",
            21,
            "There is nothing to import: there is no script of CT 101 here. Looked",
        ),
        ("exec 101", 20, "The operand COMMAND is missing (usage: pctl exec CTID COMMAND...)."),
        ("set 101 --diskinodes 5:5", 0, "makes inodes as they are needed.\n"),
    ],
)
def test_what_is_said_is_a_sentence_that_helps(
    run: Run, ct101: Container, words: str, code: int, says: str
) -> None:
    found, _, err = run(*words.split())
    assert (found, says in err) == (code, True), err


def test_a_node_is_shown_a_fact_a_line(run: Run, node: Node) -> None:
    Node.objects.update(facts={"kernel": "6.1", "network": [], "disk": {"size": 5}})
    shown = run("node", "show")[1].decode().splitlines()
    assert shown[-5:] == ["facts:", "  kernel: 6.1", "  network: -", "  disk:", "    size: 5"]


def test_templates_are_listed_and_a_build_is_an_operation(run: Run, busybox: Template) -> None:
    assert run("template", "list")[1].decode().splitlines()[1].split()[:2] == ["busybox@1", "alpha"]
    operation = Operation.request_on(busybox.node, "build_template", "template debian-12")
    code, _, err = run("template", "build", "debian-12")
    assert code == 9
    assert f"operation {operation.pk}" in err
    assert run("template", "import", "old", "/nowhere.tar.gz")[0] == 21
    assert run("template", "build", "../x")[0] == 29
