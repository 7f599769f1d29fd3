"""The systems that reinstallations replaced: rows made of what lies on the disk, and their end."""

import logging

from django.utils.timezone import now

from containers.models import Busy, Node, ReplacedSystem
from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.node.processes.run import call
from containers.node.steps.replaced import Replaced, listed
from containers.node.storage import Storage, Usage, load

logger = logging.getLogger(__name__)


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
        if not replaced.may_be_deleted():
            continue
        try:
            replaced.delete_from_node()
        except Busy as busy:
            logger.info("%s is deleted later: %s", replaced, busy)
