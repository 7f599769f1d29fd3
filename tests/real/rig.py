"""A node without a panel: requests go into the spool as the worker would write them."""

import base64
import contextlib
import hashlib
import itertools
import os
import select
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from containers.node import observed, veconf
from containers.node.actions import BY_NAME, Scope
from containers.node.conf import NodeConf
from containers.node.layout import Layout
from containers.node.spool import Event, Spool
from containers.node.states import State
from containers.node.storage import Storage, load
from containers.node.zygote import Zygote

DONE_WITHIN = 60.0  # seconds
SLEEP = f"sleep {10_000_000 + os.getpid()}"  # what this run's scripts hang in, and no other's
NUMBERS = itertools.count(1_000_000)  # apart from those that a database gives


@dataclass
class Outcome:
    events: list[Event]
    log: str

    @property
    def end(self) -> Event:
        return self.events[-1]

    @property
    def code(self) -> int:
        return int(self.end["code"])

    @property
    def state(self) -> State:
        return State(self.end["state"])

    @property
    def scripts(self) -> list[str]:
        """The scripts that were run, in order, as vzctl's table names them."""
        begun = [e["step"] for e in self.events if e["ev"] == "began"]
        names = {f"{scope}-{name}": name if scope is Scope.OWN else f"vps.{name}"
                 for scope in Scope for name in BY_NAME}  # fmt: skip
        return [names[step] for step in begun if step in names]

    @property
    def facts(self) -> dict[str, Any]:
        return {e["key"]: e["value"] for e in self.events if e["ev"] == "fact"}

    @property
    def steps(self) -> list[str]:
        return [e["step"] for e in self.events if e["ev"] == "began"]


@dataclass
class Rig:
    conf: NodeConf
    zygote: Zygote
    bell: socket.socket
    storage: str = "btrfs"
    scripts: dict[int, dict[tuple[Scope, str], bytes]] = field(default_factory=dict)

    def paths(self, ctid: int) -> Layout:
        return Layout(self.conf, ctid)

    def state(self, ctid: int) -> State:
        return observed.state_of(self.paths(ctid))

    def init(self, ctid: int) -> observed.Init:
        """Of a container that has one, whether it lives or not."""
        init = observed.init_of(self.paths(ctid))
        assert init, f"CT {ctid} has no init"
        return init

    def runner(self, number: int) -> int:
        """The pid of an operation's runner, which is at work."""
        pid = self.spool(number).pid()
        assert pid, f"operation {number} has no runner"
        return pid

    @property
    def driver(self) -> Storage:
        return load(self.storage)

    @contextlib.contextmanager
    def configured(self, **lines: str) -> Iterator[None]:
        """With lines of vz.conf, which is as it was afterwards."""
        vz_conf = self.conf.vz_conf
        before = vz_conf.read_text() if vz_conf.exists() else None
        vz_conf.write_text(f"{before or ''}\n{veconf.render(lines)}")
        try:
            yield
        finally:
            vz_conf.unlink() if before is None else vz_conf.write_text(before)

    def write(self, ctid: int, name: str, body: str | bytes) -> None:
        """Save a script; "vps.mount" is a global one, and published."""
        scope = Scope.GLOBAL if name.startswith("vps.") else Scope.OWN
        body = body.encode() if isinstance(body, str) else body
        self.scripts.setdefault(ctid, {})[scope, name.removeprefix("vps.")] = body
        if scope is Scope.GLOBAL:
            assert self.operate("publish", ctid).code == 0

    def said(self, number: int) -> str:
        """The log of an operation so far."""
        try:
            return self.spool(number).log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def inside(self, ctid: int, *command: str) -> str:
        """What a command prints that is run in a container, whatever it ends with."""
        number = self.begin("exec", ctid, command=command)
        outcome = self.finish(number)
        began = next(e for e in outcome.events if e["ev"] == "began")
        ended = next(e for e in outcome.events if e["ev"] == "ended")
        log = self.spool(number).log.read_bytes()
        return log[began["off"] : ended["off"]].decode(errors="replace")

    def operate(self, plan: str, ctid: int, **options: Any) -> Outcome:
        return self.finish(self.begin(plan, ctid, **options))

    def begin(self, plan: str, ctid: int, **options: Any) -> int:
        number = self.request(plan, ctid, **options)
        self.zygote.run(number)
        return number

    def request(
        self,
        plan: str,
        ctid: int,
        *,
        spec: Mapping[str, Any] | None = None,
        former: Mapping[str, Any] | None = None,
        profile: str = "documented",
        timeout: float | None = None,
        patience: float = 30,
        **params: Any,
    ) -> int:
        number = next(NUMBERS)
        plain = {"hostname": f"ct{ctid}", "template": "busybox"}
        values = {**plain, **(spec or {})}
        if plan == "set" and former is not None:
            values["former"] = {**plain, **former}
        request = {
            "v": 1,
            "op": number,
            "fence": 1,
            "plan": plan,
            "profile": profile,
            "script_timeout": timeout,
            "patience": patience,
            "runtime": "runc",
            "storage": self.storage,
            "ct": {"ctid": ctid, "state": "creating" if plan == "create" else "unknown", **values},
            "scripts": [
                {
                    "scope": scope,
                    "action": name,
                    "version": 1,
                    "sha256": hashlib.sha256(body).hexdigest(),
                    "body": base64.b64encode(body).decode(),
                }
                for (scope, name), body in self.scripts.get(ctid, {}).items()
            ],
            "params": params,
        }
        self.spool(number).write_request(request)
        return number

    def clear(self, ctid: int) -> None:
        """Take a container away, with its scripts and the node's global ones."""
        self.scripts.pop(ctid, None)
        for path in self.conf.scripts.glob("vps.*"):
            path.unlink()
        for plan, params in (("stop", {"fast": True, "without_stop_script": True}), ("umount", {}),
                             ("destroy", {})):  # fmt: skip
            for script in self.paths(ctid).scripts.glob("*"):
                script.unlink()
            if not self.paths(ctid).private.exists():
                return
            last = self.operate(plan, ctid, **params)
        assert last.code == 0, last.log

    def spool(self, number: int) -> Spool:
        return Spool(self.conf.spool / f"{number}")

    def finish(self, number: int) -> Outcome:
        self.wait_for(lambda: self.ended(number), f"operation {number} to end")
        events, _ = self.spool(number).read_events()
        return Outcome(events, self.spool(number).log.read_text(errors="replace"))

    def ended(self, number: int) -> bool:
        events, _ = self.spool(number).read_events()
        return bool(events) and events[-1]["ev"] == "end"

    def wait_for(self, happened: Any, what: str, patience: float = DONE_WITHIN) -> None:
        """Look at each ring of the node's bell, and now and then without one."""
        deadline = time.monotonic() + patience
        while not happened():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {patience:g} s for {what}")
            if select.select([self.bell], [], [], 0.05)[0]:
                self.bell.recv(4096)


def bell_of(conf: NodeConf) -> socket.socket:
    path: Path = conf.doorbell
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bell.bind(f"{path}")
    return bell


def sleepers() -> Iterator[str]:
    """The pids of those who hang in SLEEP."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if each.read_bytes() == SLEEP.replace(" ", "\0").encode() + b"\0":
                yield each.parent.name


def name_of(pid: int) -> str:
    """Of a process; what is forked beforehand has the zygote's. Empty when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
