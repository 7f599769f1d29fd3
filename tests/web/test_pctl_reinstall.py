"""pctl reinstall and pctl undo: what they ask of the node, say and end in."""

import json
from datetime import timedelta

import pytest
from django.utils.timezone import now
from pytest_django import Settings

from containers.models import Container, Node, Operation
from containers.node.conf import NodeConf
from tests.web.typist import Typist

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def node(node_conf: NodeConf, alpha: Node, settings: Settings) -> Node:
    settings.NODE = node_conf
    return alpha


def test_the_old_system_is_kept_for_the_undo_unless_the_backup_is_skipped(
    run: Typist, ct101: Container
) -> None:
    assert run("reinstall 101")[0] == 0
    kept = Operation.objects.get().params
    assert set(kept) == {"keep_until"}
    assert run("reinstall 101 --skipbackup --resetpwdb --userpasswd root:opensesame4711")[0] == 0
    erased = Operation.objects.latest("pk").params
    assert erased == {"skipbackup": True, "resetpwdb": True}


def test_who_resets_users_and_gives_no_way_in_is_told(run: Typist, ct101: Container) -> None:
    code, _, err = run("reinstall 101 --resetpwdb")
    assert code == 0
    assert "Nobody will be able to sign in" in err


@pytest.mark.parametrize("switch", ["--without-stop-script", "--without-own-scripts"])
def test_passing_over_scripts_wants_a_reason(switch: str, run: Typist, ct101: Container) -> None:
    assert run(f"reinstall 101 {switch}")[0] == 20
    assert run(f"reinstall 101 {switch} --reason 'it hangs'")[0] == 0
    operation = Operation.objects.get()
    assert operation.params[switch[2:].replace("-", "_")] is True
    assert operation.reason == "it hangs"


def test_undo_puts_the_last_replaced_system_back(run: Typist, ct101: Container) -> None:
    until = now() + timedelta(days=1)
    for number in (4, 9):
        ct101.replaced_systems.create(number=number, since=now(), until=until, template="busybox@1")
    code, out, _ = run("undo 101 --list --json")
    assert code == 0
    assert [each["operation"] for each in json.loads(out)] == [9, 4]
    assert run("undo 101")[0] == 0
    operation = Operation.objects.get()
    assert (operation.kind, operation.params["replaced"]) == ("undo_reinstall", 9)


def test_undo_of_what_is_not_kept_ends_in_43(run: Typist, ct101: Container) -> None:
    code, _, err = run("undo 101")
    assert code == 43
    assert "no earlier system of CT 101 is kept" in err.replace("No", "no")
    ct101.replaced_systems.create(number=4, since=now(), until=now())
    assert run("undo 101 --operation 5")[0] == 43
    assert not Operation.objects.exists()
