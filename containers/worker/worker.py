"""The worker's loop: woken by the doorbell, by a runner's end, and by the clock in any case."""

import contextlib
import logging
import os
import selectors
import socket
import time
from collections.abc import Callable, Collection, Iterator
from threading import Event
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.db.models.functions import Now

from containers import doorbell, outage
from containers.models import Node, Operation, Via
from containers.models.operation import OperationQuerySet
from containers.node.conf import NodeConf
from containers.node.operations import PLANS
from containers.node.spool import Nudge
from containers.node.states import FINISHED, Progress
from containers.outage import Outage
from containers.worker import inquiries, lock, periodic, replaced_systems, startup, templates
from containers.worker.ledger import Keeper
from containers.worker.runners import Runners
from containers.worker.shipment import LeaseLost
from containers.worker.supervision import Supervision
from containers.worker.verdicts import Verdicts

logger = logging.getLogger(__name__)
T = TypeVar("T")
TICK = 1.0  # seconds after which everything is looked at, ring or no ring
HEARTBEAT = 5.0
BREATH = 0.02  # seconds between two measurements of containers
DATABASE_AWAY = 0.2, 5.0  # seconds to wait for a database that is away: at first, at most
BY_ITSELF = (Via.CONTAINER, Via.SCHEDULE, Via.BOOT)  # what the panel asks for of its own accord
PASSES = (Outage.AWAY, Outage.LOCKED, Outage.FULL, Outage.READ_ONLY)
SYNC = {"templates": templates.sync, "replaced_systems": replaced_systems.sync}
STUMBLE = 5.0  # seconds before an operation is looked at again that could not be attended


class Worker:
    """Does what is queued for one node. There is one at a time: a second raises Locked.

    who: named to those who find the place taken. patience: seconds to wait for it.
    """

    def __init__(
        self,
        conf: NodeConf,
        node: Node,
        *,
        who: str = "runnode",
        patience: float = 0.0,
        runners: Runners | None = None,
    ) -> None:
        self.conf, self.node, self.who, self.patience = conf, node, who, patience
        self.runners = runners or Runners(conf)
        self.supervised: dict[int, Supervision] = {}
        self.due: dict[int, float] = {}  # when an operation is to be looked at
        self.kicked = True
        self.stopping = Event()
        self.interrupted = False  # a turn was, by the database
        self.outage: Outage | None = None  # why the database can't be used just now
        self.until: Collection[int] | None = None
        self.errands: set[int] = set()
        self.ticked = self.beaten = 0.0
        self.verdicts = Verdicts(conf)
        self.audit = Keeper(conf, node)
        self.periodic = periodic.Periodic(conf, node, self.runners)

    def run(self, until: int | Collection[int] | None = None) -> None:
        """Work until stopped, or until these operations have ended; no other one is begun then.

        Beside them what the panel itself has asked for is done, since nobody else is there for
        that. Another thread may add to them meanwhile.
        """
        self.until = {until} if isinstance(until, int) else until
        self.periodic.brief = until is not None
        with (
            lock.hold(self.conf, self.who, patience=self.patience, stopping=self.stopping),
            self.listening() as bell,
            contextlib.closing(self.runners),
            contextlib.closing(self.verdicts),
            contextlib.closing(self.periodic),
        ):
            try:
                self.persist(self.arrive)
                while not self.stopping.is_set():
                    self.persist(self.turn)
                    if self.persist(self.until_is_over):
                        break
                    self.wait(bell)
            finally:
                connection.close()

    def stop(self) -> None:
        """From another thread: leave soon. Runners and containers go on without us."""
        self.stopping.set()
        Nudge(self.conf.doorbell, "stop")()

    def until_is_over(self) -> bool:
        if self.until is None:
            return False
        awaited = {*list(self.until)}
        if not (awaited | self.errands).isdisjoint(self.supervised):
            return False
        return Operation.objects.filter(pk__in=awaited, state__in=FINISHED).count() == len(awaited)

    def persist(self, act: Callable[[], T]) -> T | None:
        """Do it, though the database may be away for a while. None when stopped meanwhile."""
        delay, longest = DATABASE_AWAY
        while not self.stopping.is_set():
            try:
                done = act()
            except Exception as error:  # whatever it was, it is not to end what else is under way
                self.outage = outage.of(error)
                if self.outage in PASSES:
                    said = "the database is %s, trying again in %.1f s: %s"
                    logger.warning(said, self.outage, delay, error)
                    self.interrupted = True
                    connection.close()
                    self.stopping.wait(delay)
                    delay = min(delay * 2, longest)
                    continue
                if self.until is not None:
                    raise
                logger.exception("the worker stumbled")
                self.interrupted = True
                self.stopping.wait(STUMBLE)
                return None
            self.outage = None
            return done
        return None

    def arrive(self) -> None:
        startup.bring_up(self.conf, self.node)
        self.take_up_left_over()
        startup.clear_spools(self.conf, self.node)
        startup.clear_cgroups(self.conf)
        startup.look_at_containers(self.conf, self.node)
        templates.sync(self.conf, self.node)
        replaced_systems.sync(self.conf, self.node)

    def turn(self) -> None:
        clock = time.monotonic()
        if self.interrupted:
            self.take_up_left_over()  # one may have been claimed just then
            self.interrupted = False
        if ticks := clock - self.ticked >= TICK:
            self.ticked, self.kicked = clock, True
            self.due.update(dict.fromkeys(self.supervised, clock))
        if self.kicked:
            self.kicked = False
            self.beat(clock)
            self.claim()
            self.cancel()
            if self.until is None:
                inquiries.answer(self.conf, self.node, self.verdicts)
        for pk in [pk for pk, at in self.due.items() if at <= clock]:
            del self.due[pk]
            if pk in self.supervised:
                self.attend(self.supervised[pk])
        if ticks:
            self.audit.go()
        self.periodic.go(clock)
        if ticks and not self.supervised.keys().isdisjoint(list(self.until or ())):
            self.errands |= self.claim_all(Operation.objects.filter(via__in=BY_ITSELF))

    def beat(self, clock: float) -> None:
        if self.until is None and clock - self.beaten >= HEARTBEAT:
            self.beaten = clock
            Node.objects.filter(pk=self.node.pk).update(heartbeat=Now())

    def claim(self) -> None:
        mine = Operation.objects.all()
        self.claim_all(mine if self.until is None else mine.filter(pk__in=list(self.until)))

    def claim_all(self, mine: OperationQuerySet) -> set[int]:
        claimed = set()
        while operation := mine.claim(self.node):
            if operation.container:
                self.periodic.neighbourhood.receive(operation.container)
            claimed.add(operation.pk)
            self.take_up(operation)
            self.attend(self.supervised[operation.pk])
            operation.ring()
        return claimed

    def take_up_left_over(self) -> None:
        for operation in startup.left_over(self.node, but=self.supervised):
            self.take_up(operation)

    def take_up(self, operation: Operation) -> None:
        self.supervised[operation.pk] = Supervision.of(self.conf, operation, self.runners)
        self.due[operation.pk] = 0.0

    def cancel(self) -> None:
        asked = Operation.objects.filter(pk__in=self.supervised, state=Progress.CANCELLING)
        for pk in asked.values_list("pk", flat=True):
            self.supervised[pk].cancel()

    def attend(self, supervision: Supervision) -> None:
        operation, shipment = supervision.operation, supervision.shipment
        before = operation.log_len, operation.events_len
        clock = time.monotonic()
        try:
            more = supervision.attend()
        except LeaseLost:
            if not shipment.catch_up():
                logger.warning("somebody else attends %s", operation)
                self.leave(supervision)
                return
            more = True
        except (OperationalError, InterfaceError):
            self.due[operation.pk] = clock
            raise
        except Exception:  # the other operations are not to suffer
            logger.exception("%s can't be attended", operation)
            self.due[operation.pk] = clock + STUMBLE
            return
        if before[1] != operation.events_len or shipment.over:
            operation.ring()
        elif before[0] != operation.log_len:
            doorbell.ring_viewers(operation.pk)
        if shipment.over:
            self.finish(supervision)
        elif more:
            self.due[operation.pk] = clock

    def finish(self, supervision: Supervision) -> None:
        operation = supervision.operation
        self.leave(supervision)
        supervision.shipment.discard()
        self.kicked = True
        self.sync(operation)

    def sync(self, operation: Operation) -> None:
        """Bring the rows of what lies on this node's disk up to date, where it changed that."""
        plan = PLANS.get(operation.kind)
        for what in plan.touches if plan else ():
            SYNC[what](self.conf, self.node)
            doorbell.ring_pages(everybody=True, **{what: True})
            operation.ring()

    def leave(self, supervision: Supervision) -> None:
        supervision.forget()
        del self.supervised[supervision.operation.pk]

    @contextlib.contextmanager
    def listening(self) -> Iterator[socket.socket]:
        path = self.conf.doorbell
        path.parent.mkdir(parents=True, exist_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as bell:
            path.unlink(missing_ok=True)
            bell.bind(f"{path}")
            let_web_ring(self.conf)
            try:
                yield bell
            finally:
                path.unlink(missing_ok=True)

    def wait(self, bell: socket.socket) -> None:
        clock = time.monotonic()
        until = min([self.ticked + TICK, *self.due.values()])
        if self.periodic.unmeasured:
            until = min(until, clock + BREATH)
        if self.kicked:
            return
        with selectors.DefaultSelector() as ears:
            ears.register(bell, selectors.EVENT_READ)
            for pk, supervision in self.supervised.items():
                if supervision.runner is not None:
                    ears.register(supervision.runner, selectors.EVENT_READ, pk)
            for key, _ in ears.select(max(0.0, until - clock)):
                if key.data is not None:
                    self.supervised[key.data].forget()
                    self.due[key.data] = 0.0
        self.hear(bell)

    def hear(self, bell: socket.socket) -> None:
        clock = time.monotonic()
        with contextlib.suppress(BlockingIOError):
            while said := bell.recv(64).decode(errors="replace"):
                number = said.rstrip("!")
                if number.isdecimal() and int(number) in self.supervised:
                    supervision = self.supervised[int(number)]
                    at = clock if said != number else max(clock, supervision.shipment.next)
                    self.due[int(number)] = min(self.due.get(int(number), at), at)
                elif said.startswith("ct-"):
                    self.periodic.next = 0.0
                else:
                    self.kicked = True


def let_web_ring(conf: NodeConf) -> None:
    """The web process may ring, too: its group is that of its folder."""
    with contextlib.suppress(OSError):  # without root everything is one user's
        os.chown(conf.doorbell, -1, (conf.state / "web").stat().st_gid)
    conf.doorbell.chmod(0o620)
