"""Two people change one thing: the second is told, and nothing of either is lost."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from containers.models import (
    Container,
    Node,
    Operation,
    Overtaken,
    Schedule,
    ScriptTarget,
    UndoProfile,
    Via,
)
from containers.node import actions
from containers.node.states import State

SCRIPT = "/containers/101/scripts/mount/"
GLOBAL = "/scripts/alpha/mount/"


def hidden(answer: Any, name: str) -> str:
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', shown(answer))
    assert found
    return found[1].replace("&quot;", '"')


def shown(answer: Any) -> str:
    return str(answer.content.decode())


def body(*lines: str) -> str:
    return "\n".join(["#!/bin/sh", *lines, ""])


def lines(answer: Any, where: str, kind: str) -> list[str]:
    part = shown(answer).partition(f'id="{where}"')[2].partition("</pre>")[0]
    return re.findall(rf'<span class="{kind}">(.*?)</span>', part)


@pytest.mark.parametrize("path", [SCRIPT, GLOBAL])
def test_the_second_to_save_a_script_gets_409_and_what_the_first_has_changed(
    path: str, ct101: Container, as_alice: Client
) -> None:
    as_alice.post(path, {"body": body("one", "two"), "over": "0"})
    read = hidden(as_alice.get(path), "over")
    as_alice.post(path, {"body": body("one", "THEIRS"), "over": read, "reason": "it was wrong"})
    answer = as_alice.post(path, {"body": body("MINE", "two"), "over": read})
    assert answer.status_code == 409
    assert "Version 2 was saved by alice meanwhile" in shown(answer)
    assert "it was wrong" in shown(answer)
    assert lines(answer, "theirs", "added") == ["+THEIRS"]
    assert lines(answer, "theirs", "removed") == ["-two"]
    assert lines(answer, "mine", "added") == ["+MINE", "+two"]
    assert "MINE" in shown(answer).partition("<textarea")[2]
    owner: Any = ct101 if path == SCRIPT else ct101.node
    script = owner.scripts.get()
    assert script.versions.count() == 2
    as_alice.post(path, {"body": body("MINE", "two"), "over": hidden(answer, "over")})
    assert script.current.text == body("MINE", "two")


def test_a_script_that_nobody_had_written_is_not_overwritten_either(
    ct101: Container, as_alice: Client
) -> None:
    read = hidden(as_alice.get(SCRIPT), "over")
    as_alice.post(SCRIPT, {"body": body("theirs"), "over": read})
    assert as_alice.post(SCRIPT, {"body": body("mine"), "over": read}).status_code == 409


def test_a_script_that_was_disabled_meanwhile_is_not_enabled_silently(
    ct101: Container, as_alice: Client
) -> None:
    as_alice.post(SCRIPT, {"body": body("one"), "over": "0"})
    read = hidden(as_alice.get(SCRIPT), "over")
    as_alice.post(f"{SCRIPT}disabling/")
    answer = as_alice.post(SCRIPT, {"body": body("two"), "over": read})
    assert answer.status_code == 409
    assert "The script is disabled now" in shown(answer)
    assert not ct101.scripts.get().enabled


def test_the_same_text_is_no_conflict_and_a_program_may_save_whatever_is_there(
    ct101: Container, as_alice: Client
) -> None:
    for over in ("0", "0", ""):
        answer = as_alice.post(SCRIPT, {"body": body("one"), "over": over})
        assert answer.status_code == 302
    assert as_alice.post(SCRIPT, {"body": body("two")}).status_code == 302
    assert ct101.scripts.get().versions.count() == 2


def test_a_version_is_not_restored_over_one_that_nobody_has_seen(
    ct101: Container, as_alice: Client
) -> None:
    for number in range(2):
        as_alice.post(SCRIPT, {"body": body(f"{number}")})
    read = hidden(as_alice.get(f"{SCRIPT}versions/"), "over")
    as_alice.post(SCRIPT, {"body": body("theirs")})
    answer = as_alice.post(f"{SCRIPT}versions/", {"number": "1", "over": read})
    assert answer.status_code == 409
    assert "Nothing was restored" in shown(answer)
    assert ct101.scripts.get().current.number == 3  # type: ignore[union-attr]
    again = {"number": "1", "over": hidden(answer, "over")}
    assert as_alice.post(f"{SCRIPT}versions/", again).status_code == 302


def test_the_row_is_compared_where_it_is_written(ct101: Container, alice: User) -> None:
    target = ScriptTarget(ct101, actions.MOUNT)
    edition = target.edition
    target.write(b"#!/bin/sh\n", by=alice, via=Via.BROWSER)
    with pytest.raises(Overtaken):
        target.write(b"#!/bin/bash\n", over=edition, by=alice, via=Via.BROWSER)
    assert target.edition == "1"


def sent(answer: Any, **changed: str) -> dict[str, str]:
    """What a browser sends of a form: what it shows, but for what somebody has changed."""
    form = answer.context["form"]
    values = {f.html_name: f.value() for f in form}
    values = {name: value for name, value in values.items() if value not in (None, False)}
    return {**{n: f"{v}" for n, v in values.items()}, "seen": form.shown, **changed}


def test_settings_that_others_have_changed_are_neither_undone_nor_overlooked(
    ct101: Container, alice: User, as_alice: Client
) -> None:
    path = "/containers/101/settings/"
    page = as_alice.get(path)
    assert f'value="{page.context["form"].shown}"' in shown(page).replace("&quot;", '"')
    Container.objects.update(description="theirs", ram=1024)
    answer = as_alice.post(path, sent(page, description="mine", hostname="web2"))
    assert answer.status_code == 409
    assert "Somebody has changed this meanwhile, to “theirs”." in shown(answer)
    assert 'value="mine"' in shown(answer)
    assert 'value="1024"' in shown(answer)
    assert not Operation.objects.exists()

    again = as_alice.post(path, sent(answer))
    assert again.status_code == 302
    asked = Operation.objects.get().params["settings"]
    assert asked == {"hostname": "web2", "description": "mine"}


def test_what_only_others_have_changed_stays_theirs(
    ct101: Container, bob: User, as_alice: Client
) -> None:
    path = "/containers/101/settings/"
    page = as_alice.get(path)
    Container.objects.update(owner=None, onboot=not ct101.onboot, ram=1024)
    assert as_alice.post(path, sent(page, description="mine")).status_code == 302
    seen = Container.objects.get()
    assert (seen.owner, seen.onboot, seen.ram) == (None, not ct101.onboot, 1024)
    assert Operation.objects.get().params["settings"] == {"description": "mine"}


@pytest.mark.parametrize("seen", ["", "{", "[1]", '{"ram": 1, "nothing": null}'])
def test_a_form_that_says_nothing_of_use_about_what_it_showed_counts(
    seen: str, ct101: Container, as_alice: Client
) -> None:
    path = "/containers/101/settings/"
    form = sent(as_alice.get(path), description="mine") | {"seen": seen}
    assert as_alice.post(path, form).status_code == 302


def test_a_nodes_settings(alpha: Node, as_alice: Client) -> None:
    page = as_alice.get("/nodes/alpha/")
    Node.objects.update(undo_profile=UndoProfile.VZCTL, script_timeout=7)
    answer = as_alice.post("/nodes/alpha/", sent(page, script_timeout="9"))
    assert answer.status_code == 409
    assert "to “7”" in shown(answer)
    assert as_alice.post("/nodes/alpha/", sent(answer)).status_code == 302
    alpha.refresh_from_db()
    assert (alpha.undo_profile, alpha.script_timeout) == (UndoProfile.VZCTL, 9)


def test_a_person(bob: User, as_alice: Client) -> None:
    path = f"/people/{bob.pk}/"
    page = as_alice.get(path)
    User.objects.filter(pk=bob.pk).update(is_active=False, email="theirs@example.com")
    answer = as_alice.post(path, sent(page, email="mine@example.com"))
    assert answer.status_code == 409
    answer = as_alice.post(path, sent(answer))
    assert answer.status_code == 302
    bob.refresh_from_db()
    assert (bob.is_active, bob.email) == (False, "mine@example.com")


def test_a_schedule(ct101: Container, as_alice: Client) -> None:
    path = "/containers/101/snapshots/schedule/"
    page = as_alice.get(path)
    as_alice.post(path, sent(page, count="12", keep="3"))
    assert as_alice.post(path, sent(page, count="6")).status_code == 409
    assert as_alice.post(path, sent(page, disk_only="on")).status_code == 302
    made = Schedule.objects.get()
    assert (made.every, made.keep, made.disk_only) == (12 * 60, 3, True)


@pytest.mark.parametrize(
    ("name", "state", "kind"),
    [
        ("start", State.STOPPED, "start"),
        ("mount", State.STOPPED, "start"),
        ("start", State.RUNNING, "restart"),
        ("stop", State.RUNNING, "stop"),
        ("umount", State.RUNNING, "stop"),
        ("stop", State.STOPPED, None),
        ("start", State.SUSPENDED, None),
        ("reinstall", State.RUNNING, None),
    ],
)
def test_a_script_is_saved_and_run_by_what_runs_it_now(
    name: str, state: State, kind: str | None, ct101: Container, as_alice: Client
) -> None:
    Container.objects.update(state=state)
    path = f"/containers/101/scripts/{name}/"
    offered = re.findall(r'name="run" value="(\w+)"', shown(as_alice.get(path)))
    assert offered == [kind] * bool(kind)
    answer = as_alice.post(path, {"body": body("echo"), "run": kind or "stop"}, follow=True)
    assert [o.kind for o in Operation.objects.all()] == offered
    assert ct101.scripts.get().current
    assert ("It was not run" in shown(answer)) == (kind is None)


def test_what_is_under_way_is_named_when_a_script_cannot_be_run(
    operation: Operation, as_alice: Client
) -> None:
    assert 'name="run"' not in shown(as_alice.get(SCRIPT))
    answer = as_alice.post(SCRIPT, {"body": body("echo"), "run": "start"}, follow=True)
    assert "Saved as version 1." in shown(answer)
    assert Operation.objects.count() == 1


def test_a_node_that_wants_scripts_approved_is_not_asked_to_run_a_new_one(
    ct101: Container, as_alice: Client
) -> None:
    Node.objects.update(facts={"approval": []})
    assert 'name="run"' not in shown(as_alice.get(SCRIPT))
    assert 'name="run" value="start"' in shown(as_alice.get("/containers/101/scripts/start/"))


def test_the_version_that_ran_is_a_link_to_it(
    operation: Operation, ct101: Container, as_alice: Client, as_bob: Client
) -> None:
    version = ct101.scripts.create(name="start").write(b"echo hi\n", by=None)
    operation.steps.create(
        number=1, key="own-start", label="run its start script", where="container",
        state="done", version=1, sha256=version.sha256,
    )  # fmt: skip
    page = shown(as_alice.get(operation.get_absolute_url()))
    link = '<a href="/containers/101/scripts/start/versions/?b=1">version 1 ('
    assert link in page
    assert "echo hi" in shown(as_alice.get("/containers/101/scripts/start/versions/?b=1"))
    assert link not in shown(as_bob.get(operation.get_absolute_url()))
