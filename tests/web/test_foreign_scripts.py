"""A script file that the panel did not write: it is imported, or replaced, in the browser."""

import base64
import html
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import now

from containers.models import AuditEvent, Container, Inquiry, Node, Operation
from containers.node.actions import Scope
from containers.node.conf import NodeConf
from containers.node.errors import OperationError, Problem
from containers.node.states import Progress
from containers.worker import inquiries
from containers.worker.verdicts import Verdicts
from tests.web.typist import Typist

PATH = "/vz/private/101/scripts/start"
URL = "/containers/101/scripts/start/file/"
GLOBAL = "/scripts/alpha/mount/file/"
BODY = b"#!/bin/sh\r\necho by hand\n"


def text(answer: Any) -> str:
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(html.unescape(words).split())


def refuse(operation: Operation, path: str) -> Operation:
    scope = Scope.GLOBAL if path.endswith("vps.mount") else Scope.OWN
    action = "mount" if scope is Scope.GLOBAL else "start"
    failure = OperationError(Problem.FOREIGN_FILE, path=path, scope=scope, action=action)
    operation.end(Progress.FAILED, code=1, **failure.record)
    operation.refresh_from_db()
    return operation


@pytest.fixture
def refused(operation: Operation) -> Operation:
    return refuse(operation, PATH)


def look(client: Client, url: str, body: bytes = BODY) -> str:
    """The page's own address, once the node has answered."""
    address = client.get(url).headers["Location"]
    answer = {"path": PATH, "body": base64.b64encode(body).decode()}
    Inquiry.objects.filter(answered=None).update(answer=answer, answered=now())
    return str(address)


def inquiry(address: str) -> str:
    return address.rpartition("=")[2]


def test_a_refusal_offers_both_ways_to_those_who_may_write_scripts(
    refused: Operation, as_alice: Client, as_bob: Client
) -> None:
    page = as_alice.get(refused.get_absolute_url()).content.decode()
    assert URL in page
    assert "Replace the file with the panel" in page
    assert "Import or replace it" in text(as_alice.get("/containers/101/scripts/start/"))
    assert "Import" not in text(as_bob.get(refused.get_absolute_url()))
    assert as_bob.get(URL).status_code in (403, 404)


def test_what_lies_on_the_node_becomes_a_version_byte_for_byte(
    refused: Operation, ct101: Container, as_alice: Client, alice: User
) -> None:
    address = look(as_alice, URL)
    shown = text(as_alice.get(address))
    assert "echo by hand" in shown
    assert "Import it as version 1" in shown
    as_alice.post(URL, {"do": "import", "inquiry": inquiry(address)})
    version = ct101.scripts.get(name="start").current
    assert version
    assert (bytes(version.body), version.by, version.reason) == (
        BODY, alice, "imported from the node",
    )  # fmt: skip
    assert AuditEvent.objects.filter(what__contains="import the start script of CT 101").exists()
    assert "was refused" not in text(as_alice.get("/containers/101/scripts/start/"))
    assert "Try again" in text(as_alice.get(refused.get_absolute_url()))


def test_a_message_of_success_does_not_stand_above_the_failure_it_has_answered(
    refused: Operation, as_alice: Client, ct101: Container
) -> None:
    address = look(as_alice, URL)
    done = as_alice.post(URL, {"do": "import", "inquiry": inquiry(address)}, follow=True)
    assert "Imported as version 1" in text(done)
    assert "was refused" not in text(done)
    page = text(as_alice.get(refused.get_absolute_url()))
    assert "Import the file" not in page
    assert "Try again" in page
    assert refuse(ct101.request("start"), PATH)  # another one lies there by now
    assert "was refused" in text(as_alice.get("/containers/101/scripts/start/"))


def test_an_import_on_the_command_line_answers_the_refusal_too(
    refused: Operation, ct101: Container, as_alice: Client, tmp_path: Path, run: Typist
) -> None:
    file = tmp_path / "start"
    file.write_bytes(BODY)
    assert run(f"script import 101 start --file {file}")[0] == 0
    assert "was refused" not in text(as_alice.get("/containers/101/scripts/start/"))


def test_what_is_done_in_another_way_than_with_openvz_is_said_before_it_is_imported(
    refused: Operation, as_alice: Client
) -> None:
    shown = text(as_alice.get(look(as_alice, URL, b"#!/bin/sh\ntc qdisc add dev venet0 root\n")))
    assert "It uses venet0, which is not here" in shown
    assert "venet0" not in text(as_alice.get(look(as_alice, URL)))


def test_one_in_openvzs_own_place_is_imported_and_nothing_is_there_to_replace(
    alpha: Node, ct101: Container, node_conf: NodeConf, as_alice: Client
) -> None:
    assert "Import OpenVZ" in text(as_alice.get("/containers/101/scripts/start/"))
    address = str(as_alice.get(URL).headers["Location"])
    inquiries.answer(node_conf, alpha, Verdicts(node_conf))
    places = f"{node_conf.scripts}/101.start, {node_conf.openvz}/conf/101.start"
    shown = text(as_alice.get(address))
    assert f"The node has no file of it: looked for {node_conf.vz}/private/101/scripts/" in shown
    assert places in shown
    (node_conf.openvz / "conf").mkdir(parents=True)
    (node_conf.openvz / "conf/101.start").write_bytes(BODY)
    address = str(as_alice.get(URL).headers["Location"])
    inquiries.answer(node_conf, alpha, Verdicts(node_conf))
    shown = text(as_alice.get(address))
    assert "This is where OpenVZ keeps the start script of CT 101." in shown
    assert "Import it as version 1" in shown
    assert "replace" not in shown.lower()
    as_alice.post(URL, {"do": "import", "inquiry": inquiry(address)})
    current = ct101.scripts.get(name="start").current
    assert current
    assert bytes(current.body) == BODY


def test_an_own_one_is_replaced_by_the_operation_that_was_refused(
    refused: Operation, ct101: Container, as_alice: Client
) -> None:
    ct101.scripts.create(name="start").write(b"echo mine\n", by=None)
    page = as_alice.get(look(as_alice, URL)).content.decode()
    assert "Replace it with version 1, and try again" in text(as_alice.get(look(as_alice, URL)))
    form = next(part for part in page.split("<form") if "Replace it" in part)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    as_alice.post("/containers/101/operations/", fields)
    again = Operation.objects.first()
    assert again
    assert (again.kind, again.params["replace_scripts"]) == ("start", True)


def test_a_global_one_is_imported_or_replaced_by_publishing(
    ct101: Container, alpha: Node, operation: Operation, as_alice: Client
) -> None:
    refuse(operation, "/etc/vz/conf/vps.mount")
    assert GLOBAL in as_alice.get(operation.get_absolute_url()).content.decode()
    as_alice.post(GLOBAL, {"do": "replace"})
    published = Operation.objects.get(kind="publish")
    assert published.params == {"replace_scripts": True}
    refuse(published, "/etc/vz/conf/vps.mount")
    assert GLOBAL in as_alice.get(published.get_absolute_url()).content.decode()
    as_alice.post(GLOBAL, {"do": "import", "inquiry": inquiry(look(as_alice, GLOBAL))})
    assert bytes(alpha.scripts.get(name="mount").current.body) == BODY  # type: ignore[union-attr]
    shown = as_alice.get(Operation.objects.latest("pk").get_absolute_url()).content.decode()
    assert "Imported as version 1" in shown
    assert "notice-success" not in shown  # it may fail yet
    assert Operation.objects.filter(kind="publish").count() == 2


@pytest.mark.parametrize(
    ("body", "why"), [(b"\0", "NUL byte"), (b" \n", "empty"), (b"#" * 1_100_000, "larger than")]
)
def test_what_is_no_script_is_not_imported(
    body: bytes, why: str, refused: Operation, ct101: Container, as_alice: Client
) -> None:
    address = look(as_alice, URL, body)
    assert why in text(as_alice.get(address))
    as_alice.post(URL, {"do": "import", "inquiry": inquiry(address)})
    assert not ct101.scripts.exists()


def test_an_answer_to_somebody_else_or_about_another_script_is_not_taken(
    refused: Operation, ct101: Container, as_alice: Client
) -> None:
    address = look(as_alice, "/containers/101/scripts/stop/file/")
    as_alice.post(URL, {"do": "import", "inquiry": inquiry(address)})
    Inquiry.objects.update(by=None, args={"action": "start"})
    as_alice.post(URL, {"do": "import", "inquiry": inquiry(address)})
    assert not ct101.scripts.exists()


def test_a_node_that_does_not_answer_is_not_waited_for_for_ever(
    refused: Operation, as_alice: Client
) -> None:
    address = as_alice.get(URL).headers["Location"]
    assert "Reading the file" in text(as_alice.get(address))
    Inquiry.objects.update(asked="2026-01-02T03:04:05Z")
    shown = text(as_alice.get(address))
    assert "has not answered" in shown
    assert "Import it" not in shown
