"""What a runner is told: everything it needs to know, for it asks no database."""

import base64
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from containers.models import Container, Node, Operation, ScriptVersion

FORMAT = 1


def request_of(operation: Operation) -> dict[str, Any]:
    node, container = operation.node, operation.container
    return {
        "v": FORMAT,
        "op": operation.pk,
        "asked": operation.requested.isoformat(),  # tells it from another database's
        "fence": operation.fence,
        "plan": operation.kind,
        "profile": node.undo_profile,
        "script_timeout": node.script_timeout or None,
        "log_limit": node.log_limit,
        "runtime": node.runtime,
        "storage": node.storage,
        "ct": told_of(operation, container) if container else {},
        "scripts": scripts_for(node, container),
        "params": operation.params,
    }


def told_of(operation: Operation, container: Container) -> dict[str, Any]:
    """What its container shall be; of a change of settings also what is in force: former."""
    found = facts_of(container)
    if not operation.asked:
        return found
    return {**found, **container.requested(operation), "former": found}


def facts_of(container: Container) -> dict[str, Any]:
    return {
        **container.told(),
        "ctid": container.ctid,
        "template": f"{container.template}" if container.template else "",
        "uid_base": container.uid_base,
        "state": container.state,
    }


def scripts_for(node: Node, container: Container | None) -> list[dict[str, Any]]:
    """The node's global scripts and the container's own, those that are enabled."""
    ours = Q(script__node=node) | Q(script__container=container, script__container__isnull=False)
    newest = ScriptVersion.objects.filter(script=OuterRef("script")).order_by("-number")
    found = ScriptVersion.objects.filter(
        ours, script__enabled=True, pk=Subquery(newest.values("pk")[:1])
    )
    return [
        {
            "scope": version.script.scope,
            "action": version.script.name,
            "version": version.number,
            "sha256": version.sha256,
            "body": base64.b64encode(bytes(version.body)).decode(),
        }
        for version in found.select_related("script")
    ]
