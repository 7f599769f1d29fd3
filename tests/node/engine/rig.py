"""A node that runs toy plans by the real runner, and whose power can be cut at any event."""

import contextlib
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from containers.node.conf import NodeConf
from containers.node.layout import Layout
from containers.node.operations import PLANS
from containers.node.plan import Plan, Step
from containers.node.runner import Runner
from containers.node.spool import Event, Nudge, Spool, Writer
from containers.node.states import State
from tests.node.engine.toy import CTID, alpha, step

NUMBERS = count(1)


class PowerCut(BaseException):
    """The runner is no more: none of its code catches this."""


@dataclass
class Dying(Writer):
    """Writes so many events; then its runner dies, before the next one or right after the last."""

    events: int = 0
    before_the_next: bool = False

    def event(self, ev: str, *, durable: bool = False, **fields: Any) -> None:
        if self.events == 0:
            raise PowerCut
        super().event(ev, durable=durable, **fields)
        self.events -= 1
        if self.events == 0 and not self.before_the_next:
            raise PowerCut


@dataclass
class World:
    """What the steps of a toy plan make, and take away again."""

    there: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)

    def step(self, key: str, **fields: Any) -> Step:
        """One that makes something of its name, and whose undo takes it away."""
        undo = fields.pop("undo", (self.undo(key),))
        return step(key, lambda ct: self.make(key), undo, **fields)

    def undo(self, key: str, **fields: Any) -> Step:
        return step(f"undo-{key}", lambda ct: self.take_away(key), **fields)

    def make(self, key: str) -> None:
        self.ran.append(key)
        if key not in self.there:
            self.there.append(key)

    def take_away(self, key: str) -> None:
        self.ran.append(f"undo-{key}")
        if key in self.there:
            self.there.remove(key)


@dataclass(frozen=True)
class Outcome:
    events: list[Event]
    log: str

    @property
    def end(self) -> Event:
        assert self.events[-1]["ev"] == "end", self.events[-1]
        return self.events[-1]

    @property
    def steps(self) -> list[str]:
        return [e["step"] for e in self.events if e["ev"] == "began" and not e["undo"]]

    @property
    def undos(self) -> list[str]:
        return [e["step"] for e in self.events if e["ev"] == "began" and e["undo"]]


@dataclass
class Rig:
    conf: NodeConf
    patch: pytest.MonkeyPatch

    @classmethod
    def build(cls, folder: Path, patch: pytest.MonkeyPatch) -> "Rig":
        conf = alpha(folder)
        Layout(conf, CTID).fs.mkdir(parents=True)  # else its state is broken
        return cls(conf, patch)

    def offer(self, plan: Plan, name: str = "toy") -> None:
        """Have it among the plans for as long as the test runs."""
        self.patch.setitem(PLANS, name, plan)

    def request(self, plan: str = "toy", **fields: Any) -> Spool:
        number = next(NUMBERS)
        request = {
            "v": 1,
            "op": number,
            "plan": plan,
            "profile": "documented",
            "runtime": "runc",
            "storage": "directory",
            "ct": {"ctid": CTID, "state": State.UNKNOWN, "hostname": "one.example.com"},
            "scripts": [],
            "params": {},
        }
        spool = Spool(self.conf.spool / f"{number}")
        spool.write_request(request | fields)
        return spool

    def run(self, spool: Spool, *, recover: bool = False, **dying: Any) -> Outcome:
        """Be its runner. dying: events, before_the_next; it then ends without a word."""
        writer = self.writer(spool, **dying)
        try:
            with contextlib.suppress(PowerCut):
                Runner(self.conf, spool.read_request(), writer, None).run(recover=recover)
        finally:
            writer.close()
        return Outcome(spool.read_events()[0], spool.log.read_text())

    def writer(self, spool: Spool, **dying: Any) -> Writer:
        nudge = Nudge(self.conf.doorbell, spool.path.name)
        return Dying(spool, nudge, **dying) if dying else Writer(spool, nudge)

    def recover(self, spool: Spool, **dying: Any) -> Outcome:
        return self.run(spool, recover=True, **dying)

    def operate(self, plan: Plan, **fields: Any) -> Outcome:
        self.offer(plan)
        return self.run(self.request(**fields))


def toy(*steps: Step, **fields: Any) -> Plan:
    return Plan("Toy", entry={State.STOPPED: steps}, **fields)
