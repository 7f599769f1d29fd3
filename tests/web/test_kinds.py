"""Kinds of operations: each has two halves, nobody else names one, and two files add one."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from containers import kinds, policy
from containers.commands import osctl, pctl, repertoire
from containers.kind import KINDS, of_page, order
from containers.models import Container, Operation
from containers.node import operations, runner
from containers.node.conf import CHECKOUT, NodeConf
from containers.node.operations import PLANS
from containers.permissions import BY_NAME
from containers.worker import Worker
from containers.worker.runners import Runners

PLAN = '''
"""Let it stand in the cold for a while."""

from containers.node.ct import Ct
from containers.node.errors import Problem
from containers.node.plan import Plan, Refusal, Step
from containers.node.states import State


def cool(ct: Ct) -> None:
    ct.say(f"brr, {ct.params.get('degrees', 0)} degrees")


PLAN = Plan(
    "Chill",
    entry={
        State.STOPPED: [Step("cool", "let it cool down", do=cool)],
        State.RUNNING: Refusal(Problem.STILL_RUNNING),
    },
)
'''
KIND = '''
"""Let it stand in the cold for a while."""

from containers.grammar import Command, Option
from containers.kind import CT, Kind, Param
from containers.permissions import Permission


class Chill(Kind):
    word, icon, place, asks = "Chill", "pause", 85, True
    consequence = "It stands in the cold for a while."
    permission = Permission("chill_container", owner=True, denial="You can't chill that.")
    params = (
        Param("degrees", Option("--degrees", "N", int, note="below zero"), label="Degrees",
              length=3, required="How cold?"),
    )
    commands = (Command("chill", "", "Let it stand in the cold", CT),)

    def succeeded(self, operation, container):
        container.facts["chilled"] = operation.params["degrees"]
        container.save(update_fields=["facts"])


KIND = Chill()
'''


class Forking:
    """Runners that are forked from here: they know what this process knows."""

    def __init__(self, conf: NodeConf) -> None:
        self.conf = conf

    def run(self, operation: int) -> int:
        child = os.fork()
        if not child:
            try:
                runner.main(self.conf, operation)
            finally:
                os._exit(0)
        return child

    recover = adopt = run

    def close(self) -> None:
        pass


@pytest.fixture
def chill(tmp_path: Path) -> Iterator[str]:
    """A plan and a kind, a file each, in packages of their own; gone again afterwards."""
    halves = ((operations, "plan", PLAN, PLANS), (kinds, "kind", KIND, KINDS))
    for package, folder, text, _ in halves:
        place = tmp_path / folder
        place.mkdir()
        (place / "chill.py").write_text(text)
        package.__path__.append(f"{place}")
        package.load()
    policy.allow(KINDS["chill"].permission)
    yield "chill"
    for package, _, _, known in halves:
        package.__path__.pop()
        del known["chill"]


def test_every_plan_has_a_kind_and_every_kind_a_plan() -> None:
    assert sorted(KINDS) == sorted(PLANS)
    assert all(kind.name == name for name, kind in KINDS.items())


@pytest.mark.django_db(transaction=True)
def test_two_files_add_a_kind_with_its_button_page_permission_and_log(
    chill: str, ct101: Container, as_alice: Client, as_bob: Client, as_carol: Client,
    node_conf: NodeConf, bob: User,
) -> None:  # fmt: skip
    shown = as_bob.get(ct101.get_absolute_url()).content.decode()
    assert f"{reverse('request', args=[101, chill])}" in shown
    assert re.search(r'id="do-chill"[^>]*>.*?Chill', shown, re.DOTALL)

    asked = as_bob.get(reverse("request", args=[101, chill])).content.decode()
    assert "Chill web1?" in asked
    assert "It stands in the cold for a while." in asked
    assert "Degrees" in asked

    place = reverse("requests", args=[101])
    assert as_carol.post(place, {"kind": chill, "degrees": "9"}).status_code == 404
    assert "How cold?" in as_bob.post(place, {"kind": chill}).content.decode()
    assert not Operation.objects.exists()
    assert as_bob.post(place, {"kind": chill, "degrees": "9"}).status_code == 302

    operation = Operation.objects.get()
    assert (operation.kind, operation.label, operation.by) == (chill, "Chill", bob)
    Worker(node_conf, ct101.node, runners=Runners(node_conf, start=Forking)).run(until=operation.pk)
    operation.refresh_from_db()
    ct101.refresh_from_db()
    assert (operation.state, operation.code) == ("succeeded", 0), operation.error
    assert [step.key for step in operation.steps.all()] == ["cool"]
    assert ct101.facts["chilled"] == "9"
    page = as_bob.get(operation.get_absolute_url()).content.decode()
    assert "Let it cool down" in page
    log = as_alice.get(reverse("log", args=[operation.pk])).content
    assert b"==> let it cool down" in log

    Container.objects.update(state="running")
    again = as_bob.get(ct101.get_absolute_url()).content.decode()
    assert "The container is running; stop it first." in again


def test_a_new_kind_has_its_word_on_the_command_line(
    chill: str, capsys: pytest.CaptureFixture[str]
) -> None:
    [command] = KINDS[chill].all_commands()
    assert (command.words, command.kind, command.run) == ("chill", chill, "container.act")
    assert [option.name for option in command.options] == ["--degrees"]
    assert "below zero" in "\n".join(repertoire.help_one(command))


def test_every_permission_of_a_kind_is_known_and_says_no_in_a_sentence() -> None:
    for kind in order():
        assert BY_NAME.get(kind.permission.name) is kind.permission
        assert kind.permission.denial.endswith(".")


def test_every_command_of_a_kind_is_found_under_its_program() -> None:
    for kind in order():
        for command in kind.all_commands():
            words = command.words.split()
            known = osctl.BY_WORD if command.program == "osctl" else repertoire.BY_WORDS
            assert known[words[-1] if command.program == "osctl" else command.words] == command


def test_a_page_that_kinds_name_is_there() -> None:
    for kind in order():
        if kind.page:
            assert kind in of_page(kind.page)
            assert re.search(rf'name="{kind.page}"', (CHECKOUT / "containers/urls.py").read_text())


NAMELESS = ("containers/views", "containers/forms", "containers/worker", "containers/policy.py")


def modules() -> Iterator[Path]:
    for place in NAMELESS:
        path = CHECKOUT / place
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def named(tree: ast.AST) -> Iterator[str]:
    """The kinds that code names: compared with, asked for, looked up, or listed in a table."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(isinstance(s, ast.Attribute) and s.attr == "kind" for s in sides):
                yield from words(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("request", "request_on", "refusal"):
                for argument in node.args:
                    yield from words(argument)
            for keyword in node.keywords:
                if keyword.arg in ("kind", "kind__in"):
                    yield from words(keyword.value)
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            if node.value.id in ("KINDS", "PLANS"):
                yield from words(node.slice)
        elif isinstance(node, ast.Dict | ast.Set | ast.Tuple | ast.List):
            items = node.keys if isinstance(node, ast.Dict) else node.elts
            found = [word for item in items if item for word in words(item)]
            if len(found) > 2:
                yield from found


def words(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value in KINDS:
            yield each.value


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: f"{path.relative_to(CHECKOUT)}")
def test_nobody_but_kinds_names_a_kind(path: Path) -> None:
    assert list(named(ast.parse(path.read_text()))) == []


def test_no_template_names_a_kind() -> None:
    literal = "|".join(KINDS)
    pattern = re.compile(
        rf"""kind\s*==\s*["']({literal})["']|name="kind"\s+value="({literal})\""""
        rf"""|url 'request' \S+ '({literal})'"""
    )
    found = [
        f"{path}: {match[0]}"
        for path in sorted((CHECKOUT / "templates").rglob("*.html"))
        for match in pattern.finditer(path.read_text())
    ]
    assert found == []


def test_a_word_that_no_kind_has_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert pctl.main(["levitate", "101"]) == 20
    assert "bad command" in capsys.readouterr().err.lower()
