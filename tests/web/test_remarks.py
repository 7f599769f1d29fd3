"""Numbers beyond what there is are refused in one sentence; what may be meant is remarked on."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from containers.forms.containers import CreateForm, SettingsForm
from containers.forms.nodes import NodeForm
from containers.models import Container, Node, Operation, Template
from tests.web.test_pages import text
from tests.web.typist import Typist

pytestmark = pytest.mark.django_db(transaction=True)
MIB = 1 << 20
FACTS = {"memory": 2048 * MIB, "pid_max": 32768, "disk": {"size": 8192 * MIB}}
ABSURD = "9" * 20
RANGES = {
    "ram": "The memory must be from 4 to 2048 MiB.",
    "pids": "The number of processes must be from 4 to 32768.",
    "diskspace": "The disk space must be from 4 to 8192 MiB.",
    "cpus": "The number of processors must be from 0.01 to 999.99.",
    "cpuunits": "The weight must be from 8 to 256000.",
    "snapshot_limit": "The number of snapshots must be from 0 to 1000.",
}
OPTIONS = {
    "ram": ("--ram {}M", ("3", "99614720", ABSURD)),
    "pids": ("--numproc {}", ("3", "100000", "1000000000", ABSURD)),
    "diskspace": ("--diskspace {}M", ("3", "99614720", ABSURD)),
    "cpus": ("--cpus {}", ("0.001", "1000", ABSURD)),
    "cpuunits": ("--cpuunits {}", ("7", "300000", ABSURD)),
}


@pytest.fixture
def alpha(alpha: Node) -> Node:
    """One that has said what it has."""
    alpha.facts, alpha.pool = FACTS, "10.9.0.0/24"
    alpha.save()
    return alpha


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("typed", ["1e30", "-1", ABSURD, "lots", "0.0001"])
def test_a_field_answers_with_the_range_that_the_node_has(
    ct101: Container, alpha: Node, busybox: Template, name: str, typed: str
) -> None:
    form: Any = SettingsForm({"hostname": "web1", name: typed}, container=ct101)
    assert form.errors[name] == [RANGES[name]]
    if name != "snapshot_limit":
        form = CreateForm({"hostname": "web2", "template": busybox.pk, name: typed})
        assert form.errors[name] == [RANGES[name]]


@pytest.mark.parametrize("name", OPTIONS)
def test_so_does_an_option(ct101: Container, alpha: Node, run: Typist, name: str) -> None:
    option, values = OPTIONS[name]
    for value in values:
        code, _, said = run(f"set 101 {option.format(value)}")
        assert (code, said) == (21, f"{RANGES[name]}\n")
    assert not Operation.objects.exists()


@pytest.mark.parametrize("typed", ["99", "0", "-5", ABSURD, "many", "101.5"])
def test_the_other_numbers_of_pages_have_a_range_too(
    alpha: Node, busybox: Template, typed: str
) -> None:
    created = CreateForm({"ctid": typed})
    assert created.errors["ctid"] == ["The CT ID must be from 100 to 2147483644."]
    node = NodeForm({"script_timeout": f"{typed}.5", "log_limit": "0"}, instance=alpha)
    assert node.errors["log_limit"] == ["The size limit of a log must be from 1 to 1024 MiB."]
    assert node.errors["script_timeout"] == [
        "The time limit of a script must be from 0 to 2592000 seconds."
    ]


# Remarks


SAME = "The host name web1 is also that of CT 101."


def test_a_host_name_that_another_has_is_remarked_on(
    ct101: Container, alpha: Node, busybox: Template, as_alice: Client, run: Typist
) -> None:
    other = Container.objects.create(ctid=102, node=alpha, template=busybox, state="stopped")
    code, _, said = run("set 102 --hostname WEB1")
    assert code == 0
    assert f"Warning: {SAME.replace('web1', 'WEB1')}" in said

    data = {"hostname": "web1", "ram": "unlimited"}
    page = as_alice.post(reverse("settings", args=[102]), data, follow=True)
    assert SAME in text(page)
    assert other.operations.count() == 2


def test_a_customer_reads_nothing_of_others_containers(
    ct101: Container, alpha: Node, busybox: Template, as_bob: Client, as_carol: Client
) -> None:
    Container.objects.create(ctid=102, node=alpha, template=busybox, hostname="shop", owner=None)
    page = as_bob.post(reverse("settings", args=[101]), {"hostname": "shop"}, follow=True)
    assert "Change settings of" in text(page)
    assert "is also that of" not in text(page)


def test_an_address_outside_every_pool_is_remarked_on(
    ct101: Container, alpha: Node, busybox: Template, run: Typist
) -> None:
    cases = {
        "10.9.0.7": "",
        "203.0.113.7": "The address 203.0.113.7 is in no node's pool: it is reached only if the "
        "network routes it to node alpha.",
    }
    for address, remark in cases.items():
        code, _, said = run(f"set 101 --ipadd {address}")
        assert code == 0
        assert (f"Warning: {remark}" in said) if remark else ("Warning" not in said)
    Template.objects.update(removed=False)  # for none lies on this node's disk
    code, _, said = run("create 103 --ostemplate busybox --hostname web1 --ipadd 203.0.113.8")
    assert code == 0
    assert f"Warning: {SAME}" in said
    assert "Warning: The address 203.0.113.8 is in no node's pool" in said
    Template.objects.update(removed=False)
    code, _, said = run("create 104 --ostemplate busybox")
    assert (code, "Warning" in said) == (0, False)
