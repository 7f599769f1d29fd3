"""Which scripts wait on a node until root has approved them: what the panel is told of it."""

from collections.abc import Iterator
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from containers import doorbell
from containers.models import Node, ScriptVersion
from containers.node import actions, approvals
from containers.node.actions import Scope, Where
from containers.node.conf import NodeConf
from containers.node.ct import Script
from containers.node.layout import Layout
from containers.node.script_files import hash_of, upcoming

FACT = "approval"  # of the node; absent where nothing has to be approved
ON_NODE = tuple(action for action in actions.ALL if action.where is Where.NODE)

Places = dict[tuple[int | None, str], ScriptVersion]  # by CT ID and action


def sync(conf: NodeConf, node: Node) -> None:
    """Note it where the panel looks; node: as it is in the database now."""
    said = list(waiting(conf, node)) if approvals.required(conf) else None
    if node.facts.get(FACT) == said:
        return
    node.facts.pop(FACT, None)
    if said is not None:
        node.facts[FACT] = said
    node.save(update_fields=["facts"])
    doorbell.ring_pages(everybody=True)


def waiting(conf: NodeConf, node: Node) -> Iterator[dict[str, Any]]:
    """ctid, action, version (None: a file that the panel did not write), sha256, blocks: whether
    operations that would run it are refused; a global one that is not published yet does not.
    """
    newest = versions(node)
    for action in ON_NODE:
        if Scope.GLOBAL in action.scopes:
            have = hash_of(Layout(conf, 0).script(Scope.GLOBAL, action))
            blocks = bool(have) and not approvals.approved(conf, None, action, have or "")
            want = newest.get((None, action.name))
            sha256 = want.sha256 if want else have
            if sha256 and not approvals.approved(conf, None, action, sha256):
                yield entry(None, action.name, want, sha256, blocks=blocks)
    for ctid in node.containers.values_list("ctid", flat=True).order_by("ctid"):
        paths = Layout(conf, ctid)
        if not any((ctid, a.name) in newest for a in ON_NODE) and not holds_any(paths):
            continue
        for action in ON_NODE:
            if Scope.OWN not in action.scopes:
                continue
            want = newest.get((ctid, action.name))
            script = Script(Scope.OWN, action, b"", want.sha256) if want else None
            sha256 = upcoming(paths, Scope.OWN, action, script)
            if sha256 and not approvals.approved(conf, ctid, action, sha256):
                ours = want if want and want.sha256 == sha256 else None
                yield entry(ctid, action.name, ours, sha256, blocks=True)


def entry(
    ctid: int | None, action: str, version: ScriptVersion | None, sha256: str, *, blocks: bool
) -> dict[str, Any]:
    number = version.number if version else None
    return {
        "ctid": ctid, "action": action, "version": number, "sha256": sha256, "blocks": blocks,
    }  # fmt: skip


def versions(node: Node) -> Places:
    """The newest versions that are enabled, of scripts that run on the node."""
    ours = Q(script__node=node) | Q(script__container__node=node)
    newest = ScriptVersion.objects.filter(script=OuterRef("script")).order_by("-number")
    found = ScriptVersion.objects.filter(
        ours,
        script__enabled=True,
        script__name__in=[action.name for action in ON_NODE],
        pk=Subquery(newest.values("pk")[:1]),
    )
    return {
        (v.script.container.ctid if v.script.container else None, v.script.name): v
        for v in found.defer("body").select_related("script__container", "by")
    }


def holds_any(paths: Layout) -> bool:
    try:
        return any(paths.scripts.iterdir())
    except OSError:
        return False
