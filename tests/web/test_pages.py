"""What pages show, and what sending their forms does."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now
from pytest_django import Settings

from containers.models import (
    AuditEvent,
    Container,
    Node,
    Operation,
    OperationStep,
    Template,
    UndoProfile,
    publication,
)
from containers.node.errors import Problem, ScriptFailed
from containers.node.states import Progress, State
from containers.views import failures

FORBIDDEN = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.I)


def text(answer: Any) -> str:
    """What a reader sees, in single blanks."""
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(words.replace("&#x27;", "'").replace("&quot;", '"').split())


@pytest.fixture
def fleet(alpha: Node, busybox: Template, bob: User, ct101: Container) -> None:
    for ctid in range(102, 140):
        container = Container.objects.create(
            ctid=ctid, node=alpha, template=busybox, hostname=f"h{ctid}.example.com",
            name=f"name {ctid}", owner=bob if ctid % 2 else None,
            state=State.RUNNING if ctid > 130 else State.STOPPED,
        )  # fmt: skip
        container.address_set.create(address=f"10.99.0.{ctid}")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=105", ["CT 105"]),
        ("q=CT+106", ["CT 106"]),
        ("q=h107.example", ["CT 107"]),
        ("q=name+109", ["CT 109"]),
        ("q=10.99.0.111", ["CT 111"]),
        ("q=h1+138", ["CT 138"]),
        ("state=running&owner=bob", ["CT 131", "CT 133", "CT 135", "CT 137", "CT 139"]),
        ("owner=-&q=10.99.0.102", ["CT 102"]),
        ("q=nowhere", []),
    ],
)
def test_containers_are_found(query: str, found: list[str], fleet: None, as_alice: Client) -> None:
    shown = text(as_alice.get(f"/containers/?{query}"))
    assert re.findall(r"CT \d{3}(?= |$)", shown) == found


@pytest.mark.parametrize(
    ("path", "states"),
    [
        ("/containers/", [f"{state}" for state in State]),
        ("/operations/", ["unfinished", *(f"{state}" for state in Progress)]),
    ],
)
def test_every_state_can_be_chosen_to_filter_a_list(
    path: str, states: list[str], ct101: Container, as_alice: Client
) -> None:
    select = as_alice.get(path).content.decode().partition('name="state"')[2]
    assert re.findall(r'value="([^"]+)"', select.partition("</select>")[0]) == states


def test_a_long_list_has_pages(fleet: None, as_alice: Client) -> None:
    first, second = (text(as_alice.get(f"/containers/?page={n}")) for n in (1, 2))
    assert "CT 125" in first
    assert "CT 126" not in first
    assert "25 of 39" in first
    assert "CT 126" in second


def test_a_customer_sees_their_own_containers_only(fleet: None, as_bob: Client) -> None:
    shown = text(as_bob.get("/containers/"))
    assert "CT 103" in shown
    assert "CT 102" not in shown


def test_htmx_gets_the_part_it_asks_for(ct101: Container, as_bob: Client) -> None:
    part = as_bob.get("/containers/101/", headers={"hx-request": "true", "hx-target": "state"})
    assert "Start" in text(part)
    assert b"<html" not in part.content
    assert "HX-Target" in part["Vary"]
    whole = as_bob.get("/containers/101/", headers={"hx-request": "true", "hx-target": "nonsense"})
    assert b"<html" in whole.content


def test_a_page_says_what_cannot_be_done_and_why(ct101: Container, as_bob: Client) -> None:
    shown = text(as_bob.get("/containers/101/"))
    assert "Stop: The container is not running." in shown
    Container.objects.update(disabled=True)
    assert "is disabled" in text(as_bob.get("/containers/101/"))


def test_a_page_shows_what_is_used_of_what_may_be_used(ct101: Container, as_bob: Client) -> None:
    Container.objects.update(
        ram=1024,
        state=State.RUNNING,
        usage={"memory": {"used": 512 << 20, "limit": 1 << 30}, "oom_kills": 3},
        usage_at="2026-01-02T03:04:05Z",
    )
    shown = text(as_bob.get("/containers/101/"))
    assert "512.0 MiB of 1.0 GiB" in shown
    assert "It ran out of memory, and the kernel ended 3 of its processes" in shown
    assert "Measured 2 Jan 2026, 03:04 UTC" in shown
    Container.objects.update(state=State.STOPPED)
    assert "0 bytes of 1.0 GiB" in text(as_bob.get("/containers/101/"))


@pytest.mark.parametrize(
    "url",
    ["/containers/101/", "/containers/new/", "/templates/", "/nodes/alpha/",
     "/containers/101/reinstallation/"],
)  # fmt: skip
def test_sizes_are_told_in_the_units_that_limits_are_set_in(
    url: str, ct101: Container, as_alice: Client
) -> None:
    Node.objects.update(facts={"memory": 8 << 30, "disk": {"size": 9 << 40, "free": 9 << 30}})
    Template.objects.update(size=215 << 20)
    Container.objects.update(diskspace=2048, ram=512)
    sizes = set(re.findall(r"[\d.]+\s([KMGT]i?B)\b", text(as_alice.get(url))))
    assert sizes
    assert sizes <= {"KiB", "MiB", "GiB", "TiB"}


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        ("btrfs", "Inodes not limited on btrfs"),
        ("directory", "Disk neither measured nor limited on this node"),
        ("directory", "Inodes limited only by the node"),
    ],
)
def test_a_page_says_why_something_is_not_counted(
    storage: str, said: str, ct101: Container, as_bob: Client
) -> None:
    Node.objects.update(storage=storage)
    Container.objects.update(usage={}, usage_at="2026-01-02T03:04:05Z")
    assert said in text(as_bob.get("/containers/101/"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("it was cancelled before it began", "Start failed: It was cancelled before it began. See"),
        ("It broke. The container is stopped now.", "broke. The container is stopped now. See"),
    ],
)
def test_the_last_failure_is_told_in_sentences(
    error: str, said: str, operation: Operation, as_bob: Client
) -> None:
    operation.end(Progress.FAILED, code=79, error=error, state=State.STOPPED)
    assert said in text(as_bob.get("/containers/101/"))


def test_a_second_operation_gets_409_naming_the_first(
    ct101: Container, operation: Operation, as_bob: Client
) -> None:
    answer = as_bob.post("/containers/101/operations/", {"kind": "stop"})
    assert answer.status_code == 409
    assert f"operation {operation.pk} (Start) has been queued since " in text(answer)
    assert ct101.operations.count() == 1


def test_what_the_state_forbids_gets_409_with_the_reason(
    ct101: Container, as_alice: Client
) -> None:
    answer = as_alice.post("/containers/101/operations/", {"kind": "umount"})
    assert answer.status_code == 409
    assert "The container is not mounted." in text(answer)
    assert not ct101.operations.exists()


def test_a_container_page_says_what_its_node_gives_it_no_network_for(
    ct101: Container, as_bob: Client
) -> None:
    ct101.node.facts = {"network": ["containers have loopback only: this machine forbids more"]}
    ct101.node.save()

    assert "loopback only: this machine forbids more" in text(as_bob.get("/containers/101/"))


def test_acting_is_never_a_get(ct101: Container, as_alice: Client) -> None:
    as_alice.get("/containers/101/operations/?kind=start")
    as_alice.get("/containers/101/operations/new/destroy/?confirmation=101")
    assert not ct101.operations.exists()


def test_the_owner_sees_what_staff_did(ct101: Container, as_alice: Client, as_bob: Client) -> None:
    as_alice.post("/containers/101/operations/", {"kind": "start"})
    shown = text(as_bob.get("/containers/101/operations/"))
    assert "alice start CT 101" in shown


def test_every_change_is_in_the_audit_log(
    ct101: Container, alice: User, as_alice: Client, busybox: Template, alpha: Node
) -> None:
    as_alice.post("/containers/101/scripts/start/", {"body": "#!/bin/sh\n", "reason": "why not"})
    as_alice.post("/containers/101/scripts/start/disabling/")
    as_alice.post(
        "/nodes/alpha/",
        {"undo_profile": "vzctl", "script_timeout": "5", "log_limit": "64", "reach": "owner"},
    )
    as_alice.post(f"/templates/{busybox.pk}/", {})
    as_alice.post("/people/new/", {"username": "dave", "is_staff": "1"})
    as_alice.post("/containers/101/password/", {"password_choice": "generate"})
    said = [event.what for event in AuditEvent.objects.order_by("pk")]
    assert said == [
        "save the start script of CT 101: version 1",
        "disable the start script of CT 101",
        "change node alpha",
        "withdraw busybox@1 from customers",
        "add the staff member dave",
        "make a set-password link for dave",
        "set root's password in CT 101",
    ]
    event = AuditEvent.objects.latest("pk")
    assert (event.by, event.name, event.via) == (alice, "alice", "browser")
    assert event.address == "127.0.0.1"
    assert "why not" in text(as_alice.get("/audit/?q=script"))


def test_a_nodes_settings_are_changed(alpha: Node, as_alice: Client) -> None:
    as_alice.post(
        "/nodes/alpha/",
        {"undo_profile": "vzctl", "script_timeout": "5", "log_limit": "64", "reach": "owner"},
    )
    alpha.refresh_from_db()
    assert (alpha.undo_profile, alpha.script_timeout) == (UndoProfile.VZCTL, 5)


def test_the_lifecycle_follows_the_undo_profile(ct101: Container, as_alice: Client) -> None:
    for name in ("start", "umount"):
        ct101.scripts.create(name=name).write(b"#!/bin/sh\n", by=None)
    fate = "If it fails remove the container from the runtime"
    documented = text(as_alice.get("/containers/101/"))
    assert f"{fate} dismount its file system The container is then stopped" in documented
    Node.objects.update(undo_profile=UndoProfile.VZCTL)
    assert f"{fate} run its umount script" in text(as_alice.get("/containers/101/"))


def test_a_log_is_read_by_offset(operation: Operation, as_bob: Client) -> None:
    for offset, data in ((0, b"0123456789"), (10, b"abcdef"), (16, b"XYZ")):
        operation.chunks.create(offset=offset, data=data)
    Operation.objects.update(log_len=19)
    address = reverse("log", args=[operation.pk])
    answer = as_bob.get(f"{address}?from=4&max=8")
    assert (answer.content, answer["Log-Next"], answer["Log-End"]) == (b"456789ab", "12", "19")
    rest = as_bob.get(f"{address}?from=12")
    assert (rest.content, rest["Log-Next"]) == (b"cdefXYZ", "19")
    assert as_bob.get(f"{address}?from=99").content == b""


def test_the_offsets_of_a_log_stay_where_something_is_left_out(
    operation: Operation, as_bob: Client
) -> None:
    operation.chunks.create(offset=0, data=b"seen")
    operation.chunks.create(offset=4, data=b"hidden", staff_only=True)
    operation.chunks.create(offset=10, data=b"seen too")
    Operation.objects.update(log_len=18)
    address = reverse("log", args=[operation.pk])
    assert as_bob.get(address).content == b"seenseen too"
    answer = as_bob.get(f"{address}?from=4&max=4")
    assert (answer.content, answer["Log-Next"]) == (b"seen", "14")


def test_a_failure_is_told_with_what_was_undone_and_the_state_now(
    operation: Operation, as_alice: Client, as_bob: Client
) -> None:
    for number, (key, label, state, undo) in enumerate(
        [
            ("own-start", "run its start script", "failed", False),
            ("delete", "remove the container from the runtime", "undone", True),
            ("dismount", "dismount its file system", "undo-failed", True),
        ]
    ):
        OperationStep.objects.create(
            operation=operation,
            number=number,
            key=key,
            label=label,
            state=state,
            undo=undo,
            began=now(),
        )
    failure = ScriptFailed(Problem.SCRIPT_FAILED, scope="own", action="start", exit=7)
    operation.end(Progress.FAILED, code=79, **failure.record, state=State.MOUNTED)
    shown = text(as_alice.get(operation.get_absolute_url()))
    assert (
        "It failed. Its start script ended with exit code 7. Undone: remove the container from "
        "the runtime. Undoing it got stuck: it could not dismount its file system. The "
        "container is mounted, but not running now." in shown
    )
    assert "exit code 79" in shown
    shown = text(as_bob.get(operation.get_absolute_url()))
    assert (
        "It failed. Its start script failed. What it had done was undone. Not everything could be "
        "undone. The hosting staff has to look at it. The container is not running now." in shown
    )
    assert "exit code" not in shown


def test_a_container_that_shall_start_once_created_is_started(
    alice: User, alpha: Node, busybox: Template, as_alice: Client
) -> None:
    form = {"ctid": "105", "template": busybox.pk, "hostname": "web5", "start": "1",
            "password_choice": "none", "addressing": "none"}  # fmt: skip
    answer = as_alice.post("/containers/new/", form)
    creation = Operation.objects.get()
    assert answer["Location"] == creation.get_absolute_url()
    creation.end(Progress.SUCCEEDED, code=0, state=State.STOPPED)
    start = Operation.objects.get(kind="start")
    assert (start.ctid, start.by) == (105, alice)
    assert f'href="{start.get_absolute_url()}"' in as_alice.get(answer["Location"]).content.decode()


def test_a_generated_password_is_shown_on_one_page_once(
    ct101: Container, as_bob: Client, as_alice: Client
) -> None:
    answer = as_bob.post("/containers/101/password/", {"password_choice": "generate"})
    assert 'id="secret"' in as_bob.get(answer["Location"]).content.decode()
    assert 'id="secret"' not in as_bob.get(answer["Location"]).content.decode()
    assert 'id="secret"' not in as_alice.get(answer["Location"]).content.decode()


def test_a_busy_publication_keeps_the_script_and_says_so(
    alpha: Node, alice: User, as_alice: Client
) -> None:
    publication.publish(alpha, by=alice)
    answer = as_alice.post("/scripts/alpha/mount/", {"body": "#!/bin/sh\n"}, follow=True)
    assert alpha.scripts.get(name="mount").current
    assert "Publish again once it has ended." in text(answer)


@pytest.mark.parametrize(
    ("form", "params"),
    [
        (
            {"kind": "build_template", "build_-name": "busybox", "build_-node": "alpha"},
            {"name": "busybox"},
        ),
        (
            {"kind": "import_template", "import-name": "centos-7", "import-node": "alpha",
             "import-path": "/root/centos-7.tar.gz"},
            {"name": "centos-7", "path": "/root/centos-7.tar.gz", "clean": []},
        ),
    ],
)  # fmt: skip
def test_a_template_is_built_or_imported_by_an_operation(
    form: dict[str, str], params: dict[str, str], alpha: Node, as_alice: Client
) -> None:
    answer = as_alice.post("/templates/", form)
    operation = Operation.objects.get()
    assert answer["Location"] == operation.get_absolute_url()
    assert (operation.kind, operation.params) == (form["kind"], params)
    assert operation.resource == f"template {params['name']}"


def test_staff_cannot_shut_themselves_out(alice: User, as_alice: Client) -> None:
    answer = as_alice.post(f"/people/{alice.pk}/", {"username": "alice"})
    assert answer.status_code == 422
    alice.refresh_from_db()
    assert alice.is_staff
    assert alice.is_active


def test_whoever_is_shut_out_is_signed_out(bob: User, as_alice: Client, as_bob: Client) -> None:
    as_alice.post(f"/people/{bob.pk}/", {"username": "bob"})
    assert as_bob.get("/containers/")["Location"].startswith("/login/")


def test_after_three_wrong_passwords_a_name_waits_a_moment(
    settings: Settings, bob: User, client: Client
) -> None:
    settings.SUPPORT = "support@hosting.example"
    for _ in range(4):
        answer = client.post("/login/", {"username": "bob", "password": "wrong"})
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert "Wait 1 s" in text(answer)
    assert "support@hosting.example" in text(answer)


@pytest.mark.parametrize("path", ["/login/", "/nowhere/"])
def test_sign_in_and_failure_pages_name_whom_to_ask(
    path: str, settings: Settings, client: Client, db: None
) -> None:
    settings.SUPPORT = "support@hosting.example"
    assert "support@hosting.example" in text(client.get(path))


def test_a_request_from_another_site_does_nothing(ct101: Container, bob: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post("/containers/101/operations/", {"kind": "start"})
    assert answer.status_code == 403
    assert "Nothing was done." in text(answer)
    assert not ct101.operations.exists()


def test_a_theme_leads_nowhere_else(client: Client, db: None) -> None:
    answer = client.post("/account/theme/", {"theme": "dark", "next": "https://elsewhere.example"})
    assert answer["Location"] == "/"
    assert answer.cookies["theme"].value == "dark"


PATHS = ("/containers/", "/containers/new/", "/containers/101/", "/containers/101/settings/",
         "/containers/101/password/", "/containers/101/operations/",
         "/containers/101/operations/new/stop/", "/containers/101/scripts/mount/",
         "/containers/101/scripts/mount/versions/", "/scripts/", "/operations/", "/nodes/alpha/",
         "/templates/", "/people/", "/audit/", "/account/")  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_nothing_in_it_that_its_policy_forbids(
    path: str, ct101: Container, as_alice: Client
) -> None:
    ct101.scripts.create(name="mount").write(b"#!/bin/sh\n", by=None)
    answer = as_alice.get(path)
    assert answer.status_code == 200
    assert not FORBIDDEN.search(answer.content.decode())
    assert re.search("script-src 'self'(;|$)", answer["Content-Security-Policy"])


def test_a_list_takes_few_queries_however_long(
    fleet: None, as_alice: Client, django_assert_max_num_queries: Any
) -> None:
    as_alice.get("/account/")  # of a session's first page it is noted that it's there
    with django_assert_max_num_queries(12):
        as_alice.get("/containers/")


def test_a_failure_page_needs_no_database(rf: Any) -> None:
    request = rf.get("/containers/")
    answer = failures.server_error(request)
    assert answer.status_code == 500
    assert "Containers are not affected." in text(answer)


def test_a_browser_that_asks_for_the_favicon_is_shown_the_logo(client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, "/static/logo.svg")


def test_a_command_that_was_run_stands_in_the_history_and_the_audit(
    ct101: Container, as_alice: Client
) -> None:
    Container.objects.update(state=State.RUNNING)
    command = "echo " + "x" * 300
    as_alice.post("/containers/101/operations/", {"kind": "exec", "command": command})
    operation = Operation.objects.get()
    assert command in text(as_alice.get(operation.get_absolute_url()))
    for path in ("/operations/", "/containers/101/", "/containers/101/operations/"):
        assert "echo xxx" in text(as_alice.get(path))
    event = AuditEvent.objects.latest("pk")
    assert event.what.startswith("run in CT 101: echo xxx")
    assert event.what.endswith("x…")
    assert (event.details["command"], event.name) == (command, "alice")


@pytest.mark.parametrize(
    ("params", "called"),
    [
        ({"userpasswd": {"user": "root", "hash": "$6$x"}}, "Set root's password"),
        ({"userpasswd": {"user": "web", "hash": "$6$x"}, "sshkeys": ["ssh-rsa A"]},
         "Set web's password and add SSH keys"),
        ({"sshkeys": ["ssh-rsa A"]}, "Add SSH keys"),
        ({}, "Change settings"),
    ],
)  # fmt: skip
def test_setting_a_password_is_called_so_also_once_it_is_forgotten(
    params: dict[str, Any], called: str, ct101: Container, as_alice: Client
) -> None:
    shall: dict[str, Any] = {} if params else {"hostname": "web2"}
    operation = ct101.change(params=params, **shall)
    operation.end(Progress.SUCCEEDED, code=0)
    assert "userpasswd" not in Operation.objects.get().params
    shown = as_alice.get("/containers/101/operations/").content.decode()
    assert f">{called}</a>" in shown.replace("&#x27;", "'")
    heading = as_alice.get(operation.get_absolute_url()).content.decode().replace("&#x27;", "'")
    assert f"<h1>{called} {'in' if params else 'of'} web" in heading
    assert "$6$" not in shown + heading
