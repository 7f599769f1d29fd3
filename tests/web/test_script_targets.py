"""Whose script is meant: a container's own, or a node's global one."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from containers.commands import script as command
from containers.forms import scripts as form
from containers.models import AuditEvent, Container, Node, ScriptTarget, Via, publication
from containers.node import actions
from containers.node.actions import Action, Scope
from containers.node.script_text import REFUSED, Flaw, Source
from containers.views.scripts import foreign
from containers.views.scripts.addresses import address

OWN, GLOBAL = Scope.OWN, Scope.GLOBAL


@pytest.mark.parametrize(
    ("scope", "action", "called", "short", "page"),
    [
        (OWN, actions.MOUNT, "mount script of CT 101", "its mount script",
         "/containers/101/scripts/mount/"),
        (GLOBAL, actions.MOUNT, "global mount script on alpha", "the global mount script",
         "/scripts/alpha/mount/"),
        (OWN, actions.CONFIGURE, "configure hook of CT 101", "its configure hook",
         "/containers/101/scripts/configure/"),
        (GLOBAL, actions.REINSTALL, "global reinstall hook on alpha", "the global reinstall hook",
         "/scripts/alpha/reinstall/"),
    ],
)  # fmt: skip
def test_it_has_a_name_and_an_address(
    scope: Scope, action: Action, called: str, short: str, page: str, ct101: Container
) -> None:
    target = ScriptTarget.running_for(ct101, scope, action)
    assert (f"{target}", target.short, address(target)) == (called, short, page)
    assert (target.scope, target.node) == (scope, ct101.node)


def test_a_container_and_a_node_each_have_their_scripts(ct101: Container, alpha: Node) -> None:
    own, of_node = ([t.action.name for t in ScriptTarget.all_of(each)] for each in (ct101, alpha))
    assert set(own) - set(of_node) == {"start", "stop"}
    assert set(of_node) - set(own) == {"create"}
    assert ScriptTarget.named(ct101, "create") is None
    assert ScriptTarget.named(alpha, "mount") == ScriptTarget(alpha, actions.MOUNT)


@pytest.mark.parametrize("scope", Scope)
def test_writing_and_disabling_are_in_the_audit_log_once(
    scope: Scope, ct101: Container, alice: User
) -> None:
    target = ScriptTarget.running_for(ct101, scope, actions.MOUNT)
    assert (target.script, target.current) == (None, None)
    assert not target.disable(by=alice, via=Via.BROWSER)
    first = target.write(b"#!/bin/sh\n", reason="new", by=alice, via=Via.BROWSER)
    target.write(b"#!/bin/bash\n", by=None, via=Via.PCTL, login="root")
    target.restore(first, by=alice, via=Via.BROWSER, address="192.0.2.1")
    target.disable(by=alice, via=Via.BROWSER)
    events = list(AuditEvent.objects.order_by("pk"))
    assert [event.what for event in events] == [
        f"save the {target}: version 1",
        f"save the {target}: version 2",
        f"restore the {target}: version 3",
        f"disable the {target}",
    ]
    assert {event.ctid for event in events} == {101 if scope is OWN else None}
    assert [event.name for event in events] == ["alice", "", "alice", "alice"]
    assert (events[0].details["reason"], events[0].details["sha256"]) == ("new", first.sha256)
    assert events[1].details["login"] == "root"
    assert (events[2].address, events[2].details["reason"]) == ("192.0.2.1", "restores version 1")
    assert target.current
    assert (target.current.number, bytes(target.current.body)) == (3, b"#!/bin/sh\n")
    assert target.script
    assert not target.script.enabled


@pytest.mark.parametrize(
    ("scope", "action", "audience", "precedence", "names"),
    [
        (OWN, actions.MOUNT, 1, "", {"HOME", "TERM", "PATH", "VEID", "VE_CONFFILE"}),
        (OWN, actions.START, 1, "", {"HOME", "TERM", "PATH", "VEID"}),
        (GLOBAL, actions.UMOUNT, 2, "", {"HOME", "TERM", "PATH", "VEID", "VE_CONFFILE"}),
        (OWN, actions.CONFIGURE, 1, "instead of", {"HOME", "TERM", "PATH", "VEID"}),
        (GLOBAL, actions.CONFIGURE, 2, "no such hook itself", {"HOME", "TERM", "PATH", "VEID"}),
    ],
)  # fmt: skip
def test_it_says_for_whom_and_with_what_it_runs(
    scope: Scope, action: Action, audience: int, precedence: str, names: set[str],
    ct101: Container,
) -> None:  # fmt: skip
    Container.objects.create(ctid=102, node=ct101.node, hostname="web2")
    target = ScriptTarget.running_for(ct101, scope, action)
    assert target.audience == audience
    assert precedence in target.precedence
    assert bool(precedence) == bool(target.precedence)
    assert set(target.environment) == names
    assert target.environment["VEID"] == ("101" if scope is OWN else "the CT ID")


@pytest.mark.parametrize(
    ("source", "refusals", "remarks"),
    [
        (Source.EDITOR, form.REFUSALS, form.NOTICES),
        (Source.FILE, command.REFUSALS, command.REMARKS),
        (Source.AS_IT_IS, command.REFUSALS, command.REMARKS),
        (Source.AS_IT_IS, foreign.UNFIT, None),
    ],
)
def test_every_flaw_has_a_sentence_where_it_may_be_found(
    source: Source, refusals: dict[Flaw, str], remarks: dict[Flaw, str] | None
) -> None:
    assert REFUSED[source] <= refusals.keys()
    if remarks is not None:
        # in a container a missing interpreter is no reason to refuse
        assert set(Flaw) - (REFUSED[source] - {Flaw.NO_INTERPRETER}) <= remarks.keys()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("/containers/101/scripts/premount/", "It runs at the next start or mount."),
        ("/containers/101/scripts/start/", "It runs at the next start."),
        ("/containers/101/scripts/stop/", "It runs at the next stop."),
        ("/containers/101/scripts/umount/", "It runs at the next stop or dismount."),
        ("/containers/101/scripts/configure/", "It runs at the next reinstallation."),
        ("/scripts/alpha/mount/", "Once it is published, it runs at the next start or mount."),
        ("/scripts/alpha/create/", "Once it is published, it runs at the next creation of a c"),
    ],
)
def test_whoever_saves_one_is_told_when_it_runs(
    url: str, says: str, ct101: Container, as_alice: Client
) -> None:
    answer = as_alice.post(url, {"body": "#!/bin/sh\n"}, follow=True)
    assert f"Saved as version 1. {says}" in answer.content.decode()
    newer = as_alice.post(url, {"body": "#!/bin/sh\ntrue\n"}, follow=True)
    assert "Saved as version 2." in newer.content.decode()


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("/containers/101/scripts/mount/versions/", "Mount script of CT 101: versions"),
        ("/scripts/alpha/reinstall/versions/", "Global reinstall hook on alpha: versions"),
    ],
)
def test_its_versions_have_a_title_and_an_old_one_is_restored(
    url: str, title: str, ct101: Container, as_alice: Client
) -> None:
    for body in ("#!/bin/sh\n", "#!/bin/bash\n"):
        as_alice.post(url.removesuffix("versions/"), {"body": body})
    assert f"<h1>{title}</h1>" in as_alice.get(url).content.decode()
    restored = as_alice.post(url, {"number": "1"}, follow=True)
    assert "Version 1 restored, as version 3." in restored.content.decode()


def test_the_last_publication_is_found(alpha: Node, alice: User) -> None:
    assert publication.last(alpha) is None
    operation = publication.publish(alpha, by=alice, replace=True)
    assert publication.last(alpha) == operation
    assert (operation.label, operation.params) == (
        "Publish global scripts", {"replace_scripts": True},
    )  # fmt: skip
