"""Trial restores that a node makes by itself: at night, say, and one at a time.

vz.conf says when: TRIAL_RESTORES="02:00-05:00", in the node's time. Without it there are none.
"""

import logging
import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta

from django.utils.timezone import now

from containers.kind import at_page
from containers.models import Busy, Node, Operation, Snapshot, Via
from containers.models.schedule import zone_of
from containers.node import veconf
from containers.node.checkpoint import room
from containers.node.conf import NodeConf
from containers.node.states import UNFINISHED

logger = logging.getLogger(__name__)
KEY = "TRIAL_RESTORES"
HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
EVERY = timedelta(days=7)  # between two of one snapshot
MARGIN = 2  # times its memory has to be available: the containers need some, too


def go(conf: NodeConf, node: Node) -> None:
    """Request one, if it is time, nothing else is to be done, and there is memory for it."""
    said = veconf.read(conf.vz_conf).get(KEY, "")
    if not is_time(said, now().astimezone(zone_of(node))) or node.facts.get("snapshots_off"):
        return
    if Operation.objects.filter(node=node, state__in=UNFINISHED).exists():
        return
    for snapshot in due(node):
        if MARGIN * snapshot.size + room.SPARE > room.available():
            continue
        try:
            snapshot.try_restore(via=Via.SCHEDULE)
        except Busy as busy:
            logger.info("%s is tried later: %s", snapshot, busy)
            continue
        return


def is_time(said: str, here: datetime) -> bool:
    """Whether a time is in the hours that are said, which may go past midnight."""
    if not (match := HOURS.fullmatch(said)):
        return False
    hours = [*map(int, match.groups())]
    first, last = time(hours[0], hours[1]), time(hours[2], hours[3])
    clock = here.time()
    return first <= clock < last if first < last else not last <= clock < first


def due(node: Node) -> Iterator[Snapshot]:
    """Of each container the newest with processes, and what is protected; not tried for a week."""
    seen: set[int] = set()
    of_node = Snapshot.objects.filter(container__node=node, with_processes=True)
    for snapshot in of_node.select_related("container__node").order_by("-created", "-pk"):
        newest = snapshot.container_id not in seen
        seen.add(snapshot.container_id)
        if (newest or snapshot.protected) and may_be_tried(snapshot):
            yield snapshot


def may_be_tried(snapshot: Snapshot) -> bool:
    """Mounts of mount scripts are the node's own files, which a trial does not touch."""
    container = snapshot.container
    if snapshot.facts.get("mounts") or container.operation:
        return False
    if (trial := snapshot.trial) and trial.at > now() - EVERY:
        return False
    asked = container.operations.filter(
        kind=at_page("trial").name, requested__gt=now() - EVERY, params__snapshot=snapshot.uuid
    )
    return not asked.exists() and not container.refusal(at_page("trial").name)
