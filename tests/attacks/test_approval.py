"""The web process is somebody else's: rows that it writes by hand, to have root run a script."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from containers.management.commands import prepare
from containers.models import Container, Node, Script, ScriptVersion
from containers.node import approvals, veconf
from containers.node.actions import MOUNT, UMOUNT, Scope
from containers.node.errors import Code
from containers.node.operations import publish
from containers.node.plan import Plan
from containers.node.problems import Problem
from containers.node.states import State
from containers.node.steps.scripting import WRITE_SCRIPTS, script
from containers.worker.request import facts_of, scripts_for
from tests.node.engine.rig import Outcome, Rig

GOOD = b"#!/bin/sh\necho as it was approved, by $0\n"
EVIL = GOOD + b"echo and so much more\n"
MOUNTING = Plan("Mount", entry={State.STOPPED: [WRITE_SCRIPTS, script(Scope.GLOBAL, MOUNT),
                                                script(Scope.OWN, MOUNT)]})  # fmt: skip


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A node that wants scripts to be approved."""
    rig = Rig.build(tmp_path, monkeypatch)
    rig.offer(MOUNTING, "mount")
    rig.offer(publish.PLAN, "publish")
    rig.conf.etc.mkdir()
    demand(rig, "yes")
    return rig


def demand(rig: Rig, word: str) -> None:
    rig.conf.vz_conf.write_text(veconf.render({approvals.KEY: word}))


def insert(owner: Container | Node, body: bytes, *, sha256: str = "") -> None:
    """As SQL would: no form, no permission, no password, no audit."""
    whose: dict[str, Any] = (
        {"container": owner} if isinstance(owner, Container) else {"node": owner}
    )
    row, _ = Script.objects.get_or_create(name="mount", **whose)
    number = row.versions.count() + 1
    ScriptVersion.objects.create(script=row, number=number, body=body, sha256=sha256 or "0" * 64)


def approve(rig: Rig, body: bytes, ctid: int | None = 101) -> str:
    return approvals.approve(rig.conf, ctid, MOUNT, body, who="root")


def operate(rig: Rig, container: Container, plan: str = "mount") -> Outcome:
    """What the node does with an operation, of whoever's row it is."""
    return rig.run(rig.request(plan, scripts=scripts_for(container.node, container)))


def refused(outcome: Outcome, whose: str = "101") -> bool:
    """Before anything was changed."""
    command = f"pctl script approve {whose} mount"
    assert "and so much more" not in outcome.log
    return (
        outcome.steps == []
        and (outcome.end["problem"], outcome.end["code"]) == (Problem.NOT_APPROVED, Code.SCRIPT)
        and f"Type {command} on the node" in outcome.end["error"]
    )


def test_a_row_that_was_inserted_by_hand_runs_as_root(rig: Rig, ct101: Container) -> None:
    insert(ct101, EVIL)
    assert refused(operate(rig, ct101))
    assert list(rig.conf.vz.rglob("mount")) == []


def test_an_approved_script_runs(rig: Rig, ct101: Container) -> None:
    insert(ct101, GOOD)
    approve(rig, GOOD)
    outcome = operate(rig, ct101)
    assert outcome.end["code"] == 0
    assert "as it was approved, by " in outcome.log
    assert not list(approvals.running(rig.conf, 101).iterdir())


def test_one_changed_byte_runs_under_the_old_approval(rig: Rig, ct101: Container) -> None:
    insert(ct101, GOOD.replace(b"was", b"wus"), sha256=approve(rig, GOOD))
    assert refused(operate(rig, ct101))


def test_a_row_lies_about_the_hash_of_its_text(rig: Rig, ct101: Container) -> None:
    insert(ct101, GOOD, sha256=approve(rig, GOOD))
    assert operate(rig, ct101).end["code"] == 0
    insert(ct101, EVIL, sha256=approve(rig, GOOD))
    assert refused(operate(rig, ct101))


def test_what_was_approved_for_one_script_runs_as_another(rig: Rig, ct101: Container) -> None:
    insert(ct101, GOOD)
    approve(rig, GOOD, ctid=102)
    approve(rig, GOOD, ctid=None)
    approvals.approve(rig.conf, 101, UMOUNT, GOOD, who="root")
    assert refused(operate(rig, ct101))


def test_a_global_script_is_published_unseen(rig: Rig, ct101: Container, alpha: Node) -> None:
    """And the one before goes on running, so that nobody can stop a node's containers so."""
    insert(alpha, GOOD)
    approve(rig, GOOD, ctid=None)
    assert operate(rig, ct101, "publish").end["code"] == 0
    insert(alpha, EVIL)
    published = operate(rig, ct101, "publish")
    assert published.end["problem"] == Problem.NOT_APPROVED
    assert published.end["code"] == Code.SCRIPT
    assert (rig.conf.scripts / "vps.mount").read_bytes() == GOOD
    outcome = operate(rig, ct101)
    assert outcome.end["code"] == 0
    assert "as it was approved" in outcome.log


def test_a_file_put_into_its_place_runs(rig: Rig, ct101: Container) -> None:
    """Between the look and the run, too: what runs is a copy of what was looked at."""
    (rig.conf.scripts).mkdir(parents=True)
    path = rig.conf.scripts / "vps.mount"
    body = f"#!/bin/sh\ncp /dev/null {path}\necho still here\n".encode()
    path.write_bytes(body)
    path.chmod(0o755)
    insert(ct101.node, body)
    assert refused(operate(rig, ct101), "--global")
    approve(rig, body, ctid=None)
    assert operate(rig, ct101, "publish").end["code"] == 0
    assert "still here" in operate(rig, ct101).log
    assert path.read_bytes() == b""


def test_an_approval_that_others_could_have_made_counts(rig: Rig, ct101: Container) -> None:
    insert(ct101, GOOD)
    approve(rig, GOOD)
    approvals.store(rig.conf).chmod(0o777)
    assert refused(operate(rig, ct101))


def test_a_withdrawn_approval_lets_an_old_text_run(rig: Rig, ct101: Container) -> None:
    insert(ct101, GOOD)
    approve(rig, GOOD)
    assert approvals.withdraw(rig.conf, 101, MOUNT, who="root") == 1
    assert refused(operate(rig, ct101))
    lines = (approvals.store(rig.conf) / "log").read_text().splitlines()
    assert ['"approve"' in line or '"withdraw"' in line for line in lines] == [True, True]


@pytest.mark.parametrize(
    ("word", "wall"), [("yes", True), ("YES", True), ("ja", True), ("no", False), ("", False)]
)
def test_a_mistyped_setting_opens_the_wall(
    rig: Rig, ct101: Container, word: str, wall: bool
) -> None:
    insert(ct101, EVIL)
    demand(rig, word)
    assert (operate(rig, ct101).end["problem"] == Problem.NOT_APPROVED) is wall


# What else rows could make root do


def test_a_ct_id_that_is_a_path_leads_out_of_the_pool(rig: Rig, ct101: Container) -> None:
    with connection.cursor() as cursor:  # SQLite keeps whatever it is given
        cursor.execute("UPDATE containers_container SET ct_id = '../../../victim'")
    container = Container.objects.get()
    told = facts_of(container)
    assert told["ctid"] == "../../../victim"
    victim = rig.conf.vz.parent.parent / "victim"
    outcome = rig.run(rig.request("mount", ct=told, scripts=[]))
    assert outcome.end["problem"] == Problem.BAD_VALUE
    assert outcome.steps == []
    assert not victim.exists()


@pytest.mark.parametrize("name", ["panel.sqlite3", "panel.sqlite3-x", "secret.key"])
@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_a_link_in_its_folder_makes_a_file_of_roots_its_own(
    tmp_path: Path, name: str, link: Callable[[Path, Path], None]
) -> None:
    shadow = tmp_path / "shadow"
    shadow.write_text("root's")
    shadow.chmod(0o640)
    link(tmp_path / name, shadow)
    prepare.hand_over(tmp_path / name, 0o600)
    assert shadow.stat().st_mode & 0o777 == 0o640
    assert shadow.stat().st_uid == os.geteuid()


def test_a_link_where_the_secret_key_is_written_has_root_write_elsewhere(tmp_path: Path) -> None:
    shadow = tmp_path / "shadow"
    shadow.write_text("root's")
    (tmp_path / "secret.new").symlink_to(shadow)
    prepare.write_key(tmp_path / "secret.key")
    assert shadow.read_text() == "root's"
    assert len((tmp_path / "secret.key").read_text()) > 40
