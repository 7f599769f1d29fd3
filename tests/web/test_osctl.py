"""osctl psc on rows, with the dry-run runtime: how one is named, printed, and what it ends in."""

import json

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from containers.commands import osctl
from containers.models import Container, Node, Operation, Snapshot
from containers.node.conf import NodeConf
from tests.web.typist import Typist, typist

pytestmark = pytest.mark.django_db(transaction=True)
UUIDS = ("aaaa1111-2222-3333-4444-555555555555", "aaaa9999-2222-3333-4444-555555555555")


@pytest.fixture(autouse=True)
def node(node_conf: NodeConf, alpha: Node, settings: Settings) -> Node:
    settings.NODE = node_conf
    return alpha


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Typist:
    return typist(osctl.main, capfd)


@pytest.fixture
def two(ct101: Container) -> list[Snapshot]:
    return [
        Snapshot.objects.create(
            container=ct101, uuid=uuid, name=name, manifest="ab" * 32, facts={"criu": "3.19"}
        )
        for uuid, name in zip(UUIDS, ("one", "two"), strict=True)
    ]


def test_help_names_every_word(run: Typist) -> None:
    code, out, _ = run("psc --help")
    assert code == 0
    for word in ("create", "restore", "list", "show", "delete", "clone", "ok"):
        assert f"osctl psc {word} " in out
        assert run(f"psc {word} --help")[1].startswith(f"osctl psc {word} ")


def test_a_word_that_does_not_exist_is_bad_syntax(run: Typist) -> None:
    assert run("psc explode 101")[0] == 20
    assert run("explode")[0] == 20
    assert run("psc create")[0] == 21  # the CT ID is missing


def test_create_asks_the_node_and_says_what_came_of_it(run: Typist, ct101: Container) -> None:
    code, out, _ = run("psc create 101 --name fresh --note 'as new' --stop --json")
    operation = Operation.objects.get()
    said = json.loads(out)
    assert said["kind"] == operation.kind == "snapshot"
    assert said["snapshot"] == operation.params["snapshot"]
    assert {key: operation.params[key] for key in ("name", "note", "stop")} == {
        "name": "fresh", "note": "as new", "stop": True,
    }  # fmt: skip
    assert (code, said["code"]) == (operation.code, operation.code)


@pytest.mark.parametrize(
    ("line", "params"),
    [
        ("", {"safety"}),
        ("--no-safety", set()),
        ("--disk-only", {"safety", "disk_only"}),
        ("--tcp-close --no-safety", {"tcp_close"}),
        ("--take-settings", {"safety", "take"}),
    ],
)
def test_restore_keeps_a_safety_snapshot_unless_told_otherwise(
    run: Typist, two: list[Snapshot], line: str, params: set[str]
) -> None:
    Snapshot.objects.filter(name="one").update(
        facts={"settings": {"ram": 512}, "template": "old@1"}
    )
    Container.objects.update(ram=256)
    _, _, said = run(f"psc restore 101 one {line}")
    stays = "that stays (--take-settings takes it back)"
    what = "it is 512 MiB again" if "take" in params else stays
    assert f"Memory was 512 MiB then and is 256 MiB now: {what}." in said
    assert "Its template was old@1 then and is" in said
    operation = Operation.objects.get()
    assert set(operation.params) == {"snapshot", "manifest", *params}
    assert operation.params["snapshot"] == UUIDS[0]


@pytest.mark.parametrize("word", ["one", UUIDS[0], "aaaa11", UUIDS[0].upper()])
def test_a_snapshot_is_named_by_its_uuid_its_beginning_or_its_name(
    run: Typist, two: list[Snapshot], word: str
) -> None:
    code, out, _ = run(f"psc show 101 {word} --json")
    assert code == 0
    assert json.loads(out)["uuid"] == UUIDS[0]


def test_a_beginning_that_fits_several_names_them(run: Typist, two: list[Snapshot]) -> None:
    code, _, err = run("psc show 101 aaaa")
    assert code == 21
    assert all(uuid in err for uuid in UUIDS)


def test_list_shows_those_of_a_container_or_all(run: Typist, two: list[Snapshot]) -> None:
    code, out, _ = run("psc list 101")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["UUID", *UUIDS[::-1]]
    assert len(json.loads(run("psc list --json")[1])) == 2
    assert run("psc list 999")[0] == 14


def test_a_protected_one_is_deleted_only_by_force(run: Typist, two: list[Snapshot]) -> None:
    assert run("psc protect 101 one")[0] == 0
    code, _, err = run("psc delete 101 one")
    assert code
    assert "protected" in err
    assert not Operation.objects.exists()
    run("psc delete 101 one --force")
    assert Operation.objects.get().kind == "delete_snapshot"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("psc ok 101 nothing", 2),
        ("psc ok 999 one", 2),
        ("psc ok 101", 1),
        ("psc ok 101 one --loud", 1),
        ("psc ok", 1),
        ("psc ok 101 aaaa", 1),
    ],
)
def test_ok_tells_the_unknown_from_bad_usage(
    run: Typist, two: list[Snapshot], line: str, code: int
) -> None:
    assert run(line)[0] == code


def test_ok_says_the_reasons_aside_and_keeps_the_verdict(run: Typist, two: list[Snapshot]) -> None:
    code, out, err = run("psc ok 101 one")
    assert (code, out) == (2, "broken\n")
    assert "There is no such snapshot on this node." in err
    two[0].refresh_from_db()
    cause = {"problem": "doubtful", "details": {"fault": "no-such-snapshot"}}
    sentence = "There is no such snapshot on this node."
    assert (two[0].verdict, two[0].reasons) == ("broken", [{**cause, "error": sentence}])
    said = json.loads(run("psc ok 101 one --json")[1])
    assert said == {
        "snapshot": UUIDS[0], "verdict": "broken", "exit": 2,
        "reasons": [sentence], "problems": [cause],
    }  # fmt: skip
    assert "reasons: There is no such snapshot on this node\n" in run("psc show 101 one")[1]
    said = json.loads(run("psc show 101 one --json")[1])
    assert (said["reasons"], said["problems"]) == ([sentence], [cause])


def test_reasons_from_before_they_had_words_are_printed(run: Typist, two: list[Snapshot]) -> None:
    Snapshot.objects.filter(pk=two[0].pk).update(verdict="broken", reasons=["its disk is missing"])
    assert "reasons: its disk is missing\n" in run("psc show 101 one")[1]
    said = json.loads(run("psc show 101 one --json")[1])
    assert (said["reasons"], said["problems"]) == (
        ["its disk is missing"], [{"problem": "", "details": {}}],
    )  # fmt: skip


def test_a_clone_has_the_owner_of_its_source_unless_told_otherwise(
    run: Typist, two: list[Snapshot], bob: User
) -> None:
    run("psc clone 101 one 102 --hostname twin --owner none")
    params = Operation.objects.get().params
    assert (params["source"], params["processes"]) == (101, False)
    assert run("psc clone 101 one 101")[0] == 44
