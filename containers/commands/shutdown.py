"""pctl node stop: ends the containers of this node together, as the machine's shutdown does.

Each is stopped, or suspended, with its scripts. Where that fails, and at the time limit, its
processes are killed: a node that goes down takes no refusal. What is said is how each has ended.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Q
from django.db.utils import ProgrammingError

from containers.commands import unrecorded
from containers.commands.audit import noted
from containers.commands.batch import Batch
from containers.commands.database import need_root
from containers.commands.output import Output
from containers.commands.places import this_node
from containers.grammar import Given
from containers.models import Busy, Container, Node, Operation, Via
from containers.node import observed, veconf
from containers.node.errors import Code, OperationError
from containers.node.layout import Layout
from containers.node.shutdown import KILLING, SUSPEND, Shutdown
from containers.node.states import UNFINISHED, State
from containers.node.steps import running

UP = (State.RUNNING, State.PAUSED)
REASON = "the node stops"
STUCK = ("killed", "left")  # not as it was to end
DATABASE_AWAY = (OperationalError, InterfaceError, ProgrammingError)


@dataclass(frozen=True)
class Way:
    """An operation that ends a container. ended: how that is called afterwards."""

    kind: str
    ended: str
    params: Mapping[str, Any] = field(default_factory=dict)


SUSPENDING = Way("suspend", "suspended")
STOPPING = Way("stop", "stopped")
KILLING_IT = Way("stop", "killed", {"fast": True, "without_stop_script": True})
DISMOUNTING = Way("umount", "dismounted")


@dataclass
class Descent:
    """A container on its way down. whys: what each way failed of that failed."""

    container: Container
    ways: list[Way]
    way: Way | None = None
    operation: Operation | None = None
    whys: list[str] = field(default_factory=list)
    late: bool = False  # what it failed of is the time limit
    ended: str = ""  # as its last way calls it; "left" when it stands as it is

    def look(self) -> None:
        """Has the way that it takes come to its end?"""
        try:
            self.container.refresh_from_db()
        except Container.DoesNotExist:  # it was being made, or destroyed
            self.ended = "gone"
            return
        if self.operation:
            self.operation.refresh_from_db()
        if not self.operation or not self.operation.done or not self.way:
            return
        if self.operation.succeeded:
            self.ended = self.way.ended
        elif not self.late:
            self.whys.append(self.operation.why)
        self.operation = None

    @property
    def over(self) -> bool:
        return bool(self.ended)

    def go_on(self) -> Operation | None:
        """Take the next way, if it is free to; None when another operation holds it."""
        if self.container.state == State.MOUNTED and self.way:
            self.ways.clear()  # its umount scripts have refused: they aren't run again
        if not self.ways:
            self.ended = "left"
            return None
        way, params = self.ways[0], {**self.ways[0].params}
        try:
            self.operation = self.container.request(
                way.kind, via=Via.SHUTDOWN, reason=REASON, params=params
            )
        except Busy:
            return None
        self.way = self.ways.pop(0)
        return self.operation

    @property
    def why(self) -> str:
        return " ".join(self.whys)

    @property
    def sentence(self) -> str:
        said = f"is {self.container.state} still" if self.ended == "left" else (
            "was killed" if self.ended == "killed" else f"is {self.ended}"
        )  # fmt: skip
        return f"{self.container} {said}. {self.why}".strip()

    @property
    def described(self) -> dict[str, Any]:
        return {
            "ctid": self.container.ctid,
            "ended": self.ended,
            "state": self.container.state,
            "why": self.why or None,
        }


def stop(given: Given, output: Output) -> int:
    """0 when all have ended as they were to; 33 when one was killed, or stands still."""
    need_root("the containers of this node")
    habits = Shutdown.of(veconf.read(settings.NODE.vz_conf), given.get("timeout"))
    try:
        return by_rows(this_node(), habits, output)
    except DATABASE_AWAY as error:
        output.complain(f"The database is away, so nothing is recorded: {error}")
        return unrecorded.stop(habits, output)


def by_rows(node: Node, habits: Shutdown, output: Output) -> int:
    noted(f"stop node {node}")
    node.note(onboot=[])  # who has not started yet shall not
    with Batch(node) as batch:
        descents = Going(node, habits, batch, output).run()
    code = Code.STOP if any(d.ended in STUCK for d in descents) else Code.OK
    said = {"code": code, "containers": [descent.described for descent in descents]}
    output.show(said, [])
    if not descents:
        output.say("No container is running.")
    return code


@dataclass
class Going:
    """All of them, until none stands."""

    node: Node
    habits: Shutdown
    batch: Batch
    output: Output
    descents: dict[int, Descent] = field(default_factory=dict)  # by primary key
    killing: bool = False

    def run(self) -> list[Descent]:
        deadline = time.monotonic() + self.habits.limit
        while self.under_way():
            if time.monotonic() >= deadline:
                if self.killing:
                    self.give_up()
                    break
                self.run_out()
                deadline = time.monotonic() + KILLING
            self.batch.wait()
        return sorted(self.descents.values(), key=lambda descent: descent.container.ctid)

    def under_way(self) -> bool:
        """Take all of them a step further; False when there is none left."""
        for container in list(self.standing()):
            known = self.descents.get(container.pk)
            again = known and known.over and container.state in UP and known.ended not in STUCK
            if known is None or again:  # somebody has started it since
                self.descents[container.pk] = Descent(container, self.ways(container))
        busy = self.batch.unfinished
        for descent in self.unfinished():
            if descent.operation and descent.operation.pk in busy:
                continue
            descent.look()
            if not descent.over and (self.killing or len(busy) < self.habits.at_once):
                self.move(descent)
                busy |= {descent.operation.pk} if descent.operation else set()
            if descent.over:
                self.output.complain(descent.sentence)
        return bool(self.unfinished())

    def standing(self) -> Iterator[Container]:
        """Who runs, is mounted, or is in somebody's hands."""
        held = Operation.objects.filter(node=self.node, state__in=UNFINISHED, exclusive=True)
        found = self.node.containers.filter(
            Q(state__in=(*UP, State.MOUNTED)) | Q(operations__in=held)
        )
        return found.distinct().order_by("ctid").iterator()

    def ways(self, container: Container) -> list[Way]:
        if container.state == State.MOUNTED:
            return [DISMOUNTING]
        suspend = (container.autostop or self.habits.mode) == SUSPEND
        first = [SUSPENDING] if suspend and container.state != State.PAUSED else []
        return [*first, STOPPING, KILLING_IT]

    def unfinished(self) -> list[Descent]:
        return [descent for descent in self.descents.values() if not descent.over]

    def move(self, descent: Descent) -> None:
        holder = descent.container.operation
        if holder is not None:
            if not holder.started or self.killing:
                holder.cancel()
            self.batch.add(holder)
        elif descent.container.state not in (*UP, State.MOUNTED):
            descent.ended = descent.container.state  # by somebody else
        elif operation := descent.go_on():
            self.batch.add(operation)

    def run_out(self) -> None:
        """The time limit: what runs of it is ended, and then killed."""
        self.killing = True
        for descent in self.unfinished():
            descent.late, descent.ways = True, [KILLING_IT]
            descent.whys.append(f"It had not ended within {self.habits.limit} s.")
            if operation := descent.container.operation:
                operation.cancel()

    def give_up(self) -> None:
        """Not even that came to its end: no scripts, no dismount."""
        for descent in self.unfinished():
            if operation := descent.container.operation:
                operation.cancel()
            try:
                if init := observed.init_of(Layout(settings.NODE, descent.container.ctid)):
                    running.kill(init)
                descent.ended = "killed"
            except OperationError as error:
                descent.ended = "left"
                descent.whys.append(f"{error}")
            self.output.complain(descent.sentence)
