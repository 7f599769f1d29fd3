"""What a worker does from time to time: who still runs, figures, starts after a boot."""

import logging
from datetime import timedelta
from threading import Event, Thread

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from containers import doorbell
from containers.models import Busy, Container, Node, Operation, Via
from containers.node import load, observed
from containers.node.access import hostkeys
from containers.node.conf import NodeConf
from containers.node.death import Death
from containers.node.errors import OperationError
from containers.node.figures import measure
from containers.node.layout import Layout
from containers.node.runtimes import DRY_RUN
from containers.node.spool import Spool
from containers.node.states import UNFINISHED, State
from containers.node.storage import load as load_storage
from containers.worker import approvals, replaced_systems, snapshots, startup, trials
from containers.worker.reach import Neighbourhood
from containers.worker.runners import Runners

logger = logging.getLogger(__name__)
LOOK = 5.0  # seconds between two looks at who runs
FIGURES = 10.0
REPLACED = 60.0
NETWORK = 300.0  # others may flush the firewall
AT_ONCE = 2  # containers that start at the same time after a boot
SLOW = timedelta(seconds=60)  # a start that takes longer does not hold up the others


class Periodic:
    def __init__(self, conf: NodeConf, node: Node, runners: Runners) -> None:
        self.conf, self.node, self.runners = conf, node, runners
        self.next = self.figures = self.replaced_due = 0.0
        self.network = 0.0
        self.neighbourhood = Neighbourhood(conf)
        self.unmeasured: list[int] = []  # one a turn: logs are not to wait for all of them
        self.adopted: dict[int, float] = {}
        self.keys = Thread()
        self.stopping = Event()
        self.brief = False  # of a worker that is there for one operation: it begins nothing large

    def close(self) -> None:
        self.stopping.set()
        if self.keys.is_alive():
            self.keys.join()

    def go(self, clock: float) -> None:
        """Do what is due. Raises DatabaseError."""
        if self.node.runtime == DRY_RUN:
            return
        if clock >= self.next:
            self.next = clock + LOOK
            self.look(clock)
            self.neighbourhood.sync(self.node)
            if not self.brief:
                self.start_after_boot()
                trials.go(self.conf, self.node)
            snapshots.go(self.node, brief=self.brief)
            self.make_keys()
            approvals.sync(self.conf, self.node)
        if clock >= self.figures and not self.unmeasured:
            self.figures = clock + FIGURES
            self.unmeasured = list(self.running().values_list("pk", flat=True))
            self.look_at_disk()
        elif self.unmeasured:
            self.measure(self.unmeasured.pop())
        self.network = self.network or clock + NETWORK
        if clock >= self.replaced_due:
            self.replaced_due = clock + REPLACED
            replaced_systems.sync(self.conf, self.node)
            replaced_systems.forget_due(self.node)
        if clock >= self.network:
            self.network = clock + NETWORK
            startup.bring_up(self.conf, self.node)
            self.neighbourhood.sync(self.node, look=True)
            startup.note_facts(self.conf, self.node)

    def look(self, clock: float) -> None:
        held = startup.held(self.node)
        for container in self.running().exclude(operations__in=held):
            paths = Layout(self.conf, container.ctid)
            init = observed.init_of(paths)
            if not (init and init.alive):
                self.ended_by_itself(container, Spool(paths.monitor))
            elif not Spool(paths.monitor).alive():
                self.adopt(container.ctid, clock)

    def ended_by_itself(self, container: Container, monitor: Spool) -> None:
        events, _ = monitor.read_events()
        gone = [event for event in events if event["ev"] == "gone"]
        if gone and (death := Death.of(gone[-1])).early:
            container.start_failed(death)
        try:
            container.init_ended(gone[-1] if gone else {})
        except Busy as busy:
            logger.info("%s ended by itself: %s", container, busy)

    def adopt(self, ctid: int, clock: float) -> None:
        if clock < self.adopted.get(ctid, 0.0):
            return
        self.adopted[ctid] = clock + 2 * LOOK
        logger.warning("CT %d has lost its monitor; here is a new one", ctid)
        try:
            self.runners.adopt(ctid)
        except OperationError as error:
            logger.warning("CT %d has no monitor: %s", ctid, error)

    def start_after_boot(self) -> None:
        """Request the next starts of those that are to start at boot, a few at a time."""
        self.node.refresh_from_db()
        left: list[int] = self.node.facts.get("onboot", [])
        if not left:
            return
        starting = Operation.objects.filter(
            node=self.node, via=Via.BOOT, state__in=UNFINISHED, requested__gt=now() - SLOW
        ).count()
        begun: set[int] = set()
        for ctid in left:
            if starting + len(begun) < AT_ONCE and self.start(ctid):
                begun.add(ctid)
        if begun:  # a shutdown may have emptied the list meanwhile
            with transaction.atomic():
                self.node.lock()
                left = self.node.facts.get("onboot", [])
                self.node.note(onboot=[ctid for ctid in left if ctid not in begun])

    def start(self, ctid: int) -> bool:
        """False: it is held by another operation, so later."""
        container = Container.objects.filter(ctid=ctid, node=self.node).first()
        if container is None or container.state == State.RUNNING:
            return True
        try:
            container.start_after_boot()
        except Busy:
            return False
        return True

    def make_keys(self) -> None:
        """Beside the worker's turns, and while nobody needs the processors more."""
        busy = Operation.objects.filter(node=self.node, state__in=UNFINISHED)
        if not self.keys.is_alive() and hostkeys.short(self.conf) and not busy.exists():
            self.keys = Thread(target=hostkeys.fill, args=[self.conf, self.stopping])
            self.keys.start()

    def running(self) -> QuerySet[Container]:
        return Container.objects.filter(node=self.node, state__in=(State.RUNNING, State.PAUSED))

    def measure(self, pk: int) -> None:
        container = self.running().filter(pk=pk).first()
        if container:
            paths, storage = Layout(self.conf, container.ctid), load_storage(self.node.storage)
            found = measure(paths, storage, container.diskspace)
            found["load"] = load_of(paths, container)
            self.running().filter(pk=pk).update(usage=found, usage_at=now())
        if not self.unmeasured:
            doorbell.ring_pages(everybody=True, usage=True)

    def look_at_disk(self) -> None:
        self.node.note(disk=startup.disk(self.conf))


def load_of(paths: Layout, container: Container) -> list[float] | None:
    """Its averages go on from those that were measured last, if it has not started since."""
    at = container.usage_at
    before = at if at and at > container.state_since else None
    seconds = (now() - before).total_seconds() if before else FIGURES
    former = container.usage.get("load") if before else None
    return load.averages(observed.cgroup_paths(paths), former, seconds)
