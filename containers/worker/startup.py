"""What a worker does first: bring the node up, and find out what went on without it."""

import contextlib
import logging
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from django.db.models import F, OuterRef, Q, Subquery
from django.utils.timezone import now

from containers.models import Container, Node, Operation, Via
from containers.node import apparmor, capacity, lxcfs, observed, veconf
from containers.node.checkpoint import facts as checkpoint
from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.node.layout import Layout
from containers.node.network import prepare as network
from containers.node.processes.runner_cgroup import RunnerCgroup
from containers.node.runtimes import DRY_RUN, advisories
from containers.node.runtimes import load as load_runtime
from containers.node.settings import defaults
from containers.node.spool import Spool
from containers.node.states import FINISHED, UNFINISHED, Progress, State
from containers.node.storage import pool, space

logger = logging.getLogger(__name__)
UNDER_WAY = (Progress.RUNNING, Progress.CANCELLING)
ZONE, ZONES = Path("/etc/localtime"), Path("/usr/share/zoneinfo")


def bring_up(conf: NodeConf, node: Node) -> None:
    """After a reboot the pool and the network come back; else all of it is there already."""
    if node.runtime == DRY_RUN:
        return
    try:
        for sentence in [*pool.prepare(conf), *network.prepare(conf), *apparmor.prepare(conf)]:
            logger.info("%s", sentence)
    except OperationError as error:
        logger.warning("the node is not ready for containers: %s", error)
    for sentence in [*lxcfs.prepare(conf), *lxcfs.mend(conf)]:
        logger.info("%s", sentence)


def left_over(node: Node, *, but: Collection[int] = ()) -> Iterator[Operation]:
    """The operations under way that nobody attends; from now on they are ours to ship."""
    found = Operation.objects.filter(node=node, state__in=UNDER_WAY).exclude(pk__in=but)
    for operation in found.order_by("pk"):
        mine = Operation.objects.filter(pk=operation.pk, fence=operation.fence)
        if mine.update(fence=F("fence") + 1):
            operation.refresh_from_db()
            yield operation


def clear_spools(conf: NodeConf, node: Node) -> None:
    """Delete the spools of operations that have ended: their worker was ended before it could."""
    if not conf.spool.is_dir():
        return
    found = {int(path.name): path for path in conf.spool.iterdir() if path.name.isdecimal()}
    for pk in Operation.objects.filter(pk__in=found, node=node, state__in=FINISHED).values_list(
        "pk", flat=True
    ):
        shutil.rmtree(found[pk], ignore_errors=True)


def clear_cgroups(conf: NodeConf) -> None:
    """Take away what killed runners have left. One that lives may be aside for a moment."""
    spools = [Spool(path) for path in conf.spool.iterdir()] if conf.spool.is_dir() else []
    events = [event for spool in spools if spool.alive() for event in spool.read_events()[0]]
    living = {event["group"] for event in events if event["ev"] == "cgroup"}
    with contextlib.suppress(OSError, RuntimeError):  # without root, or groups
        RunnerCgroup.clear(conf.cgroup, living)


def look_at_containers(conf: NodeConf, node: Node) -> None:
    """Take the states of containers from the machine, and after a reboot note who is to start.

    One whose init ended meanwhile is left to periodic.py: its umount scripts are due.
    """
    if node.runtime == DRY_RUN:
        note_boot(conf, node, rebooted=False)
        return
    rebooted = node.boot_id not in ("", observed.boot_id())  # "": it has never worked
    idle = node.containers.exclude(operations__in=held(node))
    for container in idle:
        state = observed.state_of(Layout(conf, container.ctid))
        halted = container.state == State.RUNNING and state != State.RUNNING
        if state != container.state and (rebooted or not halted):
            Container.objects.filter(pk=container.pk).update(state=state, state_since=now())
            logger.info("%s is %s, not %s", container, state, container.state)
        if container.left_mounted and not observed.mounted(Layout(conf, container.ctid).root):
            container.facts["mounted"] = False
            container.save(update_fields=["facts"])
    note_boot(conf, node, rebooted=rebooted)


def held(node: Node) -> "list[int]":
    unfinished = Operation.objects.filter(node=node, state__in=UNFINISHED, exclusive=True)
    return list(unfinished.values_list("pk", flat=True))


def note_boot(conf: NodeConf, node: Node, *, rebooted: bool) -> None:
    """The list is kept in a row, so that it outlives this worker."""
    node.refresh_from_db()
    found = facts(conf, node)
    node.boot_id = observed.boot_id()
    node.save(update_fields=["boot_id"])
    node.note(**found, **({"onboot": to_start(node)} if rebooted else {}))


def to_start(node: Node) -> list[int]:
    """Who starts with the node: who is to at boot, and whom its shutdown has suspended."""
    last = Operation.objects.filter(container=OuterRef("pk"), exclusive=True).order_by("-pk")
    mine = node.containers.filter(disabled=False).annotate(last=Subquery(last.values("via")[:1]))
    found = mine.filter(Q(onboot=True) | Q(state=State.SUSPENDED, last=Via.SHUTDOWN))
    return list(found.order_by("ctid").values_list("ctid", flat=True))


def note_facts(conf: NodeConf, node: Node) -> None:
    """Set-up may have found a CRIU meanwhile, or lost it."""
    node.refresh_from_db()
    node.note(**facts(conf, node))


def facts(conf: NodeConf, node: Node) -> dict[str, object]:
    name = os.uname()
    machine = capacity.measure()
    return {
        **machine,
        "defaults": defaults(veconf.read(conf.vz_conf), {**node.facts, **machine}),
        **checkpoint.facts(conf, runtime=load_runtime(node.runtime).version()),
        "advisories": advisories.open_here() if node.runtime != DRY_RUN else [],
        "network": network.missing(conf),
        "figures": figures(conf, node),
        "warnings": network.warnings(conf),
        "timezone": timezone(),
        "kernel": name.release,
        "arch": name.machine,
        "cpus": os.cpu_count(),
    }


def figures(conf: NodeConf, node: Node) -> str:
    """Whose memory and processors containers see."""
    if node.runtime == DRY_RUN:
        return ""
    why = lxcfs.missing(conf)
    return f"the node's own: {why}" if why else "each container's own, by lxcfs"


def timezone() -> str:
    """The node's own, as IANA names it; empty when nobody can tell."""
    try:
        return f"{ZONE.resolve(strict=True).relative_to(ZONES)}"
    except (OSError, ValueError):
        return ""


def disk(conf: NodeConf) -> dict[str, object]:
    """What is left of the pool, in bytes."""
    left = space(conf.vz)
    return {"size": left.size, "free": left.free}
