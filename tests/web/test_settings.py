"""What is asked for is in force once its operation has succeeded, and never before."""

import subprocess
import sys
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from containers.forms.containers import CreateForm, SettingsForm
from containers.models import Address, Busy, Container, Node, Operation, Template
from containers.models.settings import cleaned
from containers.node.conf import CHECKOUT
from containers.node.errors import BadValue, Problem
from containers.node.states import Progress
from containers.worker.journal import record
from containers.worker.request import request_of
from containers.worker.step_rows import StepRows

MIB = 1 << 20
ENDINGS = [Progress.FAILED, Progress.CANCELLED, Progress.INTERRUPTED]


def end(operation: Operation, progress: Progress, error: str = "", **facts: Any) -> None:
    """What its runner would say at its end."""
    operation.refresh_from_db()
    code = 0 if progress is Progress.SUCCEEDED else 6
    said = [{"ev": "fact", "t": time.time(), "key": k, "value": v} for k, v in facts.items()]
    last = {"ev": "end", "t": time.time(), "progress": progress, "code": code, "error": error}
    record(StepRows.of(operation), [*said, last])


def test_a_row_has_what_is_in_force_until_the_node_has_done_more(ct101: Container) -> None:
    Container.objects.update(ram=512, cpus="1.50")
    ct101.address_set.create(address="203.0.113.7")
    ct101.refresh_from_db()

    operation = ct101.change(
        ram=256, hostname="db1", add=["203.0.113.8"], drop=["203.0.113.7"], cpus="0.29"
    )

    assert (ct101.ram, ct101.hostname, ct101.addresses) == (512, "web1", ["203.0.113.7"])
    told = request_of(operation)["ct"]
    assert (told["ram"], told["cpus"], told["ips"]) == (256, 0.29, ["203.0.113.8"])
    former = told["former"]
    assert (former["ram"], former["cpus"], former["ips"]) == (512, 1.5, ["203.0.113.7"])

    end(operation, Progress.SUCCEEDED)

    ct101.refresh_from_db()
    assert (ct101.ram, ct101.hostname, ct101.addresses) == (256, "db1", ["203.0.113.8"])
    assert f"{ct101.cpus}" == "0.29"


@pytest.mark.parametrize("progress", ENDINGS)
def test_whatever_does_not_succeed_leaves_the_row_and_frees_what_was_reserved(
    progress: Progress, ct101: Container, alpha: Node
) -> None:
    ct101.address_set.create(address="203.0.113.7")
    other = Container.objects.create(ctid=102, node=alpha, hostname="web2", state="stopped")
    operation = ct101.change(ram=256, name="shop", add=["203.0.113.8"], drop=["203.0.113.7"])
    with pytest.raises(BadValue, match=r"203.0.113.8 is reserved for CT 101 \(web1\)") as refused:
        other.change(add=["203.0.113.8"])
    assert refused.value.code == 78
    with pytest.raises(BadValue, match="in use by CT 101"):
        other.change(add=["203.0.113.7"])  # it is not gone yet
    with pytest.raises(BadValue, match=r"(?i)the name shop is CT 101's already"):
        other.change(name="shop")

    end(operation, progress)

    ct101.refresh_from_db()
    assert (ct101.ram, ct101.name, ct101.addresses) == (None, "", ["203.0.113.7"])
    other.change(name="shop", add=["203.0.113.8"])


def test_what_is_cancelled_before_it_began_reserves_nothing(ct101: Container) -> None:
    operation = ct101.change(add=["203.0.113.8"])
    operation.cancel()
    assert not Address.objects.exists()


def test_an_address_that_is_dropped_and_given_again_stays(ct101: Container) -> None:
    ct101.address_set.create(address="203.0.113.7")
    operation = ct101.change(drop=["all"], add=["203.0.113.7", "203.0.113.8"])
    assert operation.params["addresses"] == {"add": ["203.0.113.8"], "drop": []}
    end(operation, Progress.SUCCEEDED)
    assert ct101.addresses == ["203.0.113.7", "203.0.113.8"]


def test_a_busy_container_takes_no_second_change(ct101: Container) -> None:
    ct101.change(add=["203.0.113.8"])
    with pytest.raises(Busy):
        ct101.change(add=["203.0.113.9"])
    assert [each.address for each in Address.objects.all()] == ["203.0.113.8"]


def test_what_the_panel_alone_need_know_holds_at_once(ct101: Container, carol: User) -> None:
    operation = ct101.change(owner=carol, ram=256)
    ct101.refresh_from_db()
    assert (ct101.owner, ct101.ram) == (carol, None)
    assert operation.params["settings"] == {"ram": 256}


def test_more_than_the_node_has_is_refused_in_form_and_row_alike(
    ct101: Container, busybox: Template, alpha: Node
) -> None:
    alpha.facts = {"memory": 2048 * MIB, "pid_max": 32768, "disk": {"size": 8192 * MIB}}
    alpha.save()
    ct101.node.refresh_from_db()
    for name, value, says in (
        ("ram", 4096, "memory must be from 4 to 2048 MiB"),
        ("pids", 40000, "number of processes must be from 4 to 32768"),
        ("diskspace", 9000, "disk space must be from 4 to 8192 MiB"),
    ):
        asked: dict[str, Any] = {name: value}
        with pytest.raises(BadValue, match=says):
            ct101.change(**asked)
        form = SettingsForm({"hostname": "web1", name: f"{value}"}, container=ct101)
        assert not form.is_valid()
        assert form.errors[name] == [f"The {says}."]
        creating = CreateForm({"template": busybox.pk, name: f"{value}"})
        assert f"The {says}." in creating.errors[name]
    assert not Operation.objects.exists()


def test_nothing_typed_is_the_nodes_default_and_no_limit_has_to_be_typed(
    busybox: Template, alpha: Node, alice: User
) -> None:
    alpha.facts = {"defaults": {"ram": 1024, "cpus": 1.5, "cpuunits": 1000, "pids": None}}
    alpha.save()
    form = CreateForm()
    helps = {name: form.fields[name].help_text for name in ("ram", "cpus", "cpuunits", "pids")}
    assert helps == {
        "ram": "MiB; empty: 1024 MiB, this node's default; unlimited: no limit",
        "cpus": "For example 0.5 or 2; empty: 1.5, this node's default; unlimited: no limit",
        "cpuunits": "Of its processes when processors are short; 1000 is like any other's;"
        " empty: 1000, this node's default",
        "pids": "How many at once; empty: no limit, this node's default; unlimited: no limit",
    }
    typed = {"ctid": 105, "hostname": "a", "template": busybox.pk, "addressing": "none"}
    typed |= {"password_choice": "none", "ram": " ", "diskspace": "Unlimited", "pids": "50"}
    form = CreateForm(typed)
    assert form.is_valid(), form.errors
    form.request(by=alice)
    made = Container.objects.get(ctid=105)
    values = (made.ram, f"{made.cpus}", made.cpuunits, made.pids, made.diskspace)
    assert values == (1024, "1.50", 1000, 50, None)

    form = CreateForm({**typed, "cpuunits": "unlimited"})
    assert form.errors["cpuunits"] == ["The weight must be from 8 to 256000."]


def test_a_container_keeps_what_it_has_until_its_field_is_emptied(
    ct101: Container, alpha: Node
) -> None:
    Container.objects.update(pids=50)
    alpha.facts = {"defaults": {"ram": 1024, "cpuunits": 1000, "pids": 1024}}
    alpha.save()
    ct101 = Container.objects.get()
    shown = SettingsForm(container=ct101)
    typed = {name: shown[name].value() for name in ("ram", "cpus", "pids", "diskspace")}
    assert typed == {"ram": "unlimited", "cpus": "unlimited", "pids": 50, "diskspace": "unlimited"}
    form = SettingsForm({"hostname": "web1", **typed, "cpuunits": "1000"}, container=ct101)
    assert form.is_valid(), form.errors
    assert form.changed == ["owner", "cpuunits"]

    form = SettingsForm({"hostname": "web1", **typed, "pids": ""}, container=ct101)
    assert form.is_valid(), form.errors
    assert (form.changed, form.cleaned_data["pids"]) == (["owner", "pids"], 1024)


def test_a_limit_from_before_is_no_obstacle_to_another_change(
    ct101: Container, alpha: Node
) -> None:
    Container.objects.update(ram=4096)
    alpha.facts = {"memory": 2048 * MIB}
    alpha.save()
    ct101 = Container.objects.get()
    form = SettingsForm({"hostname": "db1", "ram": "4096"}, container=ct101)
    assert form.is_valid(), form.errors


@pytest.mark.parametrize("typed", ["1e400", "NaN", "-5", "lots", "9" * 200, "3.5", "1,5"])
def test_absurd_numbers_get_one_sentence(typed: str, ct101: Container) -> None:
    form = SettingsForm({"hostname": "web1", "pids": typed}, container=ct101)
    assert form.errors["pids"] == ["The number of processes must be from 4 to 4194304."]


def test_an_unknown_setting_is_a_slip_of_the_pen(ct101: Container) -> None:
    with pytest.raises(TypeError):
        cleaned({"colour": "red"})
    with pytest.raises(TypeError):
        ct101.change(ips=["203.0.113.7"])


@pytest.fixture
def refused(ct101: Container) -> Operation:
    Container.objects.update(ram=512)
    operation = ct101.change(ram=6)
    details = {"setting": "ram", "what": "memory", "wanted": 6 << 20, "used": 24 << 20}
    operation.end(Progress.FAILED, problem=Problem.BELOW_USE, details=details)
    return operation


SAID = "Memory: wanted 6 MiB, has 512 MiB: it uses 24 MiB."


@pytest.mark.parametrize("page", ["settings", "container"])
def test_what_was_refused_is_shown_beside_what_is_in_force(
    page: str, refused: Operation, as_alice: Client, as_bob: Client
) -> None:
    address = reverse(page, args=[101])
    assert SAID in read(as_alice, address)
    assert SAID not in read(as_bob, address)  # not his to answer
    refused.answer()
    assert SAID not in read(as_alice, address)


def read(client: Client, address: str) -> str:
    return client.get(address).content.decode().replace("\xa0", " ")


def test_it_can_be_discarded(refused: Operation, as_alice: Client) -> None:
    address = reverse("refused_settings", args=[101, refused.pk])
    assert as_alice.post(address, {"do": "discard"}).status_code == 302
    refused.refresh_from_db()
    assert refused.answered
    assert as_alice.post(address, {"do": "discard"}).status_code == 404


def test_it_can_be_tried_again(
    ct101: Container, refused: Operation, as_alice: Client, as_bob: Client
) -> None:
    address = reverse("refused_settings", args=[101, refused.pk])
    assert as_bob.post(address, {"do": "again"}).status_code == 403
    answer = as_alice.post(address, {"do": "again"})
    again = Operation.objects.get(kind="set", state="queued")
    assert answer["Location"] == again.get_absolute_url()
    assert again.params["settings"] == {"ram": 6}
    assert ct101.refused() == []


def test_a_newer_wish_answers_an_older_one(ct101: Container, refused: Operation) -> None:
    end(ct101.change(hostname="db1"), Progress.SUCCEEDED)
    assert ct101.refused() == [refused]
    ct101.change(ram=64)
    assert ct101.refused() == []


def test_addresses_that_were_refused_are_asked_for_again(ct101: Container, as_bob: Client) -> None:
    ct101.address_set.create(address="203.0.113.7")
    operation = ct101.change(add=["203.0.113.8"], drop=["203.0.113.7"])
    end(operation, Progress.INTERRUPTED)
    ct101.address_set.all().delete()
    again = ct101.try_again(operation)
    assert again.params["addresses"] == {"add": ["203.0.113.8"], "drop": []}


def test_nothing_is_said_to_be_changed_before_the_node_has_spoken(
    ct101: Container, as_alice: Client
) -> None:
    address = reverse("settings", args=[101])
    data = {"hostname": "db1", "owner": ct101.owner_id}
    page = as_alice.post(address, data, follow=True)
    assert page.redirect_chain == [(Operation.objects.get().get_absolute_url(), 302)]
    assert "Changed:" not in page.content.decode()
    end(Operation.objects.get(), Progress.FAILED)
    page = as_alice.post(address, {"hostname": "web1", "owner": ""}, follow=True)
    assert "Changed: owner." in page.content.decode()


# A setting that only this test has

THROW_AWAY = """
from pathlib import Path
from types import SimpleNamespace
from containers.node import settings
from containers.node.settings import Decimal, Range, values
from containers.node.setting import *

settings.TABLE.append(Setting(
    "shares", Type.NUMBER, Section.LIMITS, Effect.GROUP, "Shares", help="Of the processors",
    range=Range("the shares", Decimal(2), Decimal(1000)), cloned=True,
    options=(Word("--shares", "N", values.items),),
    conf=Key("CPUSHARES", str, values.items),
    resource=Resource("shares", lambda number: {"shares": number}, {"shares": 0}),
    columns=(Column("shares", "SHARES", 6),),
))
settings.TABLE.append(Setting(
    "motto", Type.LINE, Section.IDENTITY, Effect.CONF, "Motto", longest=20,
    options=(Word("--motto", "TEXT"),), conf=Key("MOTTO"),
))
import django
django.setup()
from containers.commands import columns, container, manual, pctl
from containers.forms.containers import CreateForm, OwnersForm, SettingsForm
from containers.models import Container
from containers.node import bundle, ids
from containers.node.conf import NodeConf
from containers.node.ct import Spec
from containers.node.steps import configuring
from containers.worker.request import facts_of

assert Container._meta.get_field("shares").get_internal_type() == "PositiveIntegerField"
assert Container._meta.get_field("motto").max_length == 20
row = Container(ctid=101, hostname="web1", shares=7, motto="ora et labora")
Container.held = []  # which would be read from a database
told = facts_of(row)
assert (told["shares"], told["motto"]) == (7, "ora et labora")
spec = Spec.of(told)
node = NodeConf(name="alpha", state=Path("/no"), vz=Path("/no"), etc=Path("/no"))
paths = SimpleNamespace(ctid=101, root="/r", private="/p", node=node, fs=Path("/"))
ct = SimpleNamespace(spec=spec, paths=paths, ids=ids.Range(1 << 20))
lines = configuring.lines(ct)
assert (lines["CPUSHARES"], lines["MOTTO"]) == ("7", "ora et labora")
assert bundle.resources(ct)["shares"] == {"shares": 7}
assert columns.BY_NAME["shares"].text(row) == "7"
for command in ("create 101", "set 101"):
    given = pctl.understand([*command.split(), "--shares", "9:12", "--motto", "x"])
    assert container.columns(given) == {"shares": 12, "motto": "x"}
assert "| `--shares N` | create, set | done |" in manual.markdown()
assert settings.fate_of("CPUSHARES")[0] == "done"
for form in (CreateForm, SettingsForm):
    assert {"shares", "motto"} <= {s.name for s in form.settings(form)}
from containers.forms.settings import field_of
field = field_of(settings.named("shares"))
assert (field.label, field.clean("12")) == ("Shares", 12)
assert [s.name for s in settings.TABLE if s.cloned][-1] == "shares"
print("all of it")
"""


def test_a_setting_is_one_line_of_the_table() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THROW_AWAY],
        env={"DJANGO_SETTINGS_MODULE": "tests.settings"},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("all of it\n", 0), done.stderr


def test_the_pages_have_the_settings_by_section_side_by_side(
    ct101: Container, busybox: Template
) -> None:
    form = SettingsForm(container=ct101)
    shown = {card.title: [[f.name for f in row] for row in card.rows] for card in form.cards()}
    assert shown == {
        "Identity": [["hostname", "name"], ["description"], ["owner"]],
        "Limits": [["ram", "cpus", "cpuunits", "pids", "diskspace", "snapshot_limit"]],
        "Network": [["ips"], ["nameservers", "searchdomains"]],
        "Starting": [["onboot"], ["autostop"], ["disabled"]],
    }
    creating = CreateForm()
    assert [card.title for card in creating.cards()] == [
        "Identity", "Access", "Limits", "Network", "Starting",
    ]  # fmt: skip
    every = [f.name for card in creating.cards() for row in card.rows for f in row]
    assert {*every, "template"} == set(creating.fields)
    assert len(every) == len(set(every))


def test_a_clone_has_its_sources_limits_whatever_the_node_has_now(
    ct101: Container, alpha: Node
) -> None:
    Container.objects.update(ram=4096, pids=50, hostname="web1", onboot=True)
    alpha.facts = {"memory": 2048 * MIB}
    alpha.save()
    snapshot = Container.objects.get().snapshots.create(uuid="u", manifest="m")
    snapshot.clone(102)
    clone = Container.objects.get(ctid=102)
    assert (clone.ram, clone.pids, clone.hostname, clone.onboot) == (4096, 50, "ct102", False)
