"""What forms take, what they refuse, and the sentence they say then."""

from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from containers import shellcheck
from containers.forms.containers import CreateForm, SettingsForm, lowest_free
from containers.forms.requests import RequestForm
from containers.forms.scripts import ScriptForm
from containers.kind import KINDS
from containers.models import Busy, Container, Node, Template
from containers.node import actions


def creating(template: Template, **changes: Any) -> CreateForm:
    data = {
        "ctid": "102", "template": template.pk, "hostname": "web2", "start": "1",
        "password_choice": "generate", "addressing": "pool",
    }  # fmt: skip
    return CreateForm({**data, **changes})


def asking(kind: str, data: dict[str, str], container: Container) -> RequestForm:
    return RequestForm(data, kind=KINDS[kind], container=container)


@pytest.fixture
def pooled(alpha: Node) -> Node:
    alpha.pool = "10.99.0.0/24"
    alpha.save()
    return alpha


def test_a_container_is_made_with_an_address_of_the_pool(
    pooled: Node, busybox: Template, alice: User
) -> None:
    form = creating(busybox, ram="256", cpus="0.5", nameservers="9.9.9.9, 1.1.1.1")
    assert form.is_valid(), form.errors
    operation = form.request(by=alice)
    assert operation
    container = Container.objects.get(ctid=102)
    assert (container.addresses, container.ram) == (["10.99.0.102"], 256)
    assert container.nameservers == ["9.9.9.9", "1.1.1.1"]
    assert (operation.kind, operation.params["start"]) == ("create", True)


def test_a_password_is_never_in_an_operation_but_its_hash(
    pooled: Node, busybox: Template, alice: User
) -> None:
    form = creating(busybox, password_choice="type", password="correct horse")
    assert form.is_valid(), form.errors
    operation = form.request(by=alice)
    assert operation
    assert "correct horse" not in f"{operation.params}"
    assert operation.params["userpasswd"]["user"] == "root"
    assert operation.params["userpasswd"]["hash"].startswith("$6$")
    assert not form.generated


def test_a_generated_password_is_there_to_be_shown_once(
    pooled: Node, busybox: Template, alice: User
) -> None:
    form = creating(busybox)
    assert form.is_valid()
    operation = form.request(by=alice)
    assert operation
    assert len(form.generated) >= 16
    assert form.generated not in f"{operation.params}"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("ctid", "99", "must be from 100 to 2147483644"),
        ("ctid", "2147483645", "must be from 100 to 2147483644"),
        ("hostname", "web$(reboot)", "not a host name"),
        ("hostname", "a" * 65, "longer than 64"),
        ("name", "x/y", "can't be a container's name"),
        ("name", "123", "taken for a CT ID"),
        ("description", "two\nlines", "line break"),
        ("nameservers", "9.9.9.9 nonsense", "nonsense"),
        ("ram", "1", "memory"),
        ("sshkeys", "not a key", "not an OpenSSH public key"),
        ("sshkeys", "-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    field: str, value: str, says: str, busybox: Template
) -> None:
    form = creating(busybox, **{field: value})
    assert not form.is_valid()
    assert says in " ".join(map(str, form.errors[field]))


def test_an_address_in_use_is_refused_naming_who_has_it(
    ct101: Container, busybox: Template, alice: User
) -> None:
    ct101.address_set.create(address="203.0.113.7")
    form = creating(busybox, addressing="own", ips="203.0.113.7")
    assert form.is_valid()
    assert form.request(by=alice) is None
    assert "in use by CT 101" in " ".join(map(str, form.errors["ips"]))
    assert not Container.objects.filter(ctid=102).exists()


def test_a_ct_id_that_is_taken_is_refused(ct101: Container, busybox: Template, alice: User) -> None:
    form = creating(busybox, ctid="101")
    assert form.is_valid()
    assert form.request(by=alice) is None
    assert "exists already" in " ".join(map(str, form.errors["ctid"]))


def test_the_lowest_free_ct_id_is_suggested(ct101: Container) -> None:
    assert lowest_free() == 102


def settings_of(container: Container, **changes: Any) -> SettingsForm:
    initial = SettingsForm(container=container).initial
    data = {key: value for key, value in initial.items() if value not in (None, False)}
    data |= {key: " ".join(value) for key, value in data.items() if isinstance(value, list)}
    return SettingsForm({**data, **changes}, container=container)


def test_changed_settings_are_asked_of_the_node_and_the_row_waits(
    ct101: Container, alice: User
) -> None:
    form = settings_of(ct101, ram="512", ips="203.0.113.8")
    assert form.is_valid(), form.errors
    operation = form.request(by=alice)
    assert operation
    ct101.refresh_from_db()
    assert (operation.kind, ct101.ram, ct101.addresses) == ("set", None, [])
    assert operation.params["settings"] == {"ram": 512}
    assert operation.params["addresses"] == {"add": ["203.0.113.8"], "drop": []}


def test_an_owner_is_changed_without_an_operation(
    ct101: Container, alice: User, carol: User
) -> None:
    form = settings_of(ct101, owner=f"{carol.pk}")
    assert form.is_valid(), form.errors
    assert form.request(by=alice) is None
    ct101.refresh_from_db()
    assert ct101.owner == carol


def test_nothing_changes_while_another_operation_is_under_way(
    ct101: Container, alice: User
) -> None:
    ct101.request("start", by=alice)
    form = settings_of(ct101, hostname="other")
    assert form.is_valid()
    with pytest.raises(Busy, match=r"operation \d+ \(Start\) has been queued since"):
        form.request(by=alice)
    ct101.refresh_from_db()
    assert ct101.hostname == "web1"


def test_destroying_wants_the_ct_id_or_the_host_name(ct101: Container) -> None:
    assert asking("destroy", {"confirmation": "101"}, container=ct101).is_valid()
    assert asking("destroy", {"confirmation": "web1"}, container=ct101).is_valid()
    assert not asking("destroy", {"confirmation": "102"}, container=ct101).is_valid()


def test_passing_over_the_stop_script_wants_a_reason(ct101: Container) -> None:
    asked = {"without_stop_script": "1"}
    assert not asking("stop", asked, container=ct101).is_valid()
    form = asking("stop", {**asked, "reason": "it hangs"}, container=ct101)
    assert form.is_valid()
    assert (form.params, form.why) == ({"without_stop_script": True}, "it hangs")


def script(body: str, action: actions.Action = actions.MOUNT, **more: Any) -> ScriptForm:
    return ScriptForm({"body": body, **more}, action=action)


def test_a_script_is_kept_as_bytes_with_unix_line_ends() -> None:
    form = script("#!/bin/sh\r\necho grüße\r\n\r\n")
    assert form.is_valid()
    assert form.cleaned_data["body"] == "#!/bin/sh\necho grüße\n".encode()
    assert not form.notices  # every browser sends CRLF


def test_crlf_that_was_pasted_is_repaired_with_a_notice() -> None:
    form = script("#!/bin/sh\r\nexit 0\r\n", crlf="1")
    assert form.is_valid()
    assert "end in LF" in form.notices[0]


def uploaded(body: bytes) -> ScriptForm:
    file = SimpleUploadedFile("mount", BytesIO(body).read())
    return ScriptForm({"body": "the text"}, {"upload": file}, action=actions.MOUNT)


def test_crlf_in_a_file_is_repaired_with_a_notice() -> None:
    form = uploaded(b"#!/bin/sh\r\nexit 0\r\n")
    assert form.is_valid()
    assert form.cleaned_data["body"] == b"#!/bin/sh\nexit 0\n"
    assert "CRLF" in form.notices[0]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "empty"),
        (" \r\n\t\r\n", "empty"),
        ("#!/bin/sh\0\n", "NUL byte"),
        ("#!/bin/sh\n\ufffd\n", "not valid UTF-8"),
        ("echo no interpreter\n", "interpreter"),
        ("#!/bin/sh\n" + "x" * 10_000_000, "9.5 MiB long. It can be 1 MiB at most"),
    ],
)
def test_a_script_that_cannot_be_is_refused_and_stays_in_the_editor(body: str, says: str) -> None:
    form = script(body)
    assert not form.is_valid()
    assert says in " ".join(map(str, form.errors["body"]))
    assert form["body"].value() == body


@pytest.mark.parametrize(
    ("body", "says"), [(b"#!/bin/sh\n\xff\n", "not valid UTF-8"), (b"#!/bin/sh\n\0", "NUL byte")]
)
def test_a_file_that_is_no_script_is_refused(body: bytes, says: str) -> None:
    form = uploaded(body)
    assert not form.is_valid()
    assert says in " ".join(map(str, form.errors["body"]))


def test_a_script_for_the_containers_shell_needs_no_interpreter() -> None:
    form = script("echo here\n", actions.START)
    assert form.is_valid()
    assert "names no interpreter" in form.notices[0]


def test_shellcheck_points_at_the_line() -> None:
    found = shellcheck.of(b"#!/bin/sh\necho $1\n")
    assert [(each.line, each.code) for each in found] == [(2, 2086)]


def test_shellcheck_reads_a_script_without_interpreter_as_bash() -> None:
    assert shellcheck.of(b"[[ -n $HOME ]] && echo home\n") == []


def test_shellcheck_says_nothing_of_other_languages() -> None:
    assert all(each.code == 1071 for each in shellcheck.of(b"#!/usr/bin/python3\nimport os\n"))
