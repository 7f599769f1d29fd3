"""The systems that reinstallations replaced: rows made of what lies on the disk, and their end."""

import logging
from datetime import timedelta

from django.utils.timezone import now

from containers.models import Busy, Container, Node, ReplacedSystem, Via
from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.node.processes.run import call
from containers.node.steps.replaced import Replaced, listed
from containers.node.storage import Storage, Usage, load

logger = logging.getLogger(__name__)
AGAIN = timedelta(hours=1)  # after a deletion that failed


def sync(conf: NodeConf, node: Node) -> None:
    """Raises DatabaseError."""
    containers = {c.ctid: c for c in node.containers.all()}
    storage, there = load(node.storage), []
    for found in listed(conf):
        if container := containers.get(found.ctid):
            usage = usage_of(found, storage)
            row, _ = ReplacedSystem.objects.update_or_create(
                container=container,
                number=found.operation,
                defaults={
                    "until": found.until,
                    "since": found.since,
                    "template": found.template,
                    "size": usage.bytes if usage else None,
                    "own": usage.own if usage else None,
                },
            )
            there.append(row.pk)
    ReplacedSystem.objects.filter(container__node=node).exclude(pk__in=there).delete()


def usage_of(found: Replaced, storage: Storage) -> Usage | None:
    if not storage.knows_usage:
        return None  # a walk through the whole tree would be needed to know
    try:
        return storage.parse_usage(call(storage.usage(found.fs, fresh=False)))
    except OperationError:
        return None


def forget_due(node: Node) -> None:
    """Request the deletion of those whose date has passed; of a busy container's, later."""
    for replaced in ReplacedSystem.objects.filter(container__node=node, until__lt=now()):
        container = replaced.container
        if container.refusal("delete_replaced") or failed_lately(container):
            continue
        try:
            container.request(
                "delete_replaced", via=Via.SCHEDULE, params={"replaced": replaced.number}
            )
        except Busy as busy:
            logger.info("%s is deleted later: %s", replaced, busy)


def failed_lately(container: Container) -> bool:
    tried = container.operations.filter(kind="delete_replaced", requested__gt=now() - AGAIN)
    return tried.exclude(state="succeeded").exists()
