"""A runner: one process an operation. It follows the plan, writes the spool, asks no database.

Started by the zygote with the number of an operation whose request lies in the spool. With
recover it ends what a dead runner has left: forward when that one had begun to commit, else back.
"""

import base64
import contextlib
import ctypes
import hashlib
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from containers.node import actions, observed, runtimes, storage
from containers.node.actions import Scope
from containers.node.conf import NodeConf
from containers.node.ct import Ct, Script, Spec
from containers.node.errors import (
    Cancelled,
    Code,
    Locked,
    NoSpace,
    OperationError,
    Problem,
    Refused,
    ScriptFailed,
)
from containers.node.journal import Past, SpoolJournal
from containers.node.layout import Layout
from containers.node.lock import locked
from containers.node.operations import plan_of
from containers.node.plan import Plan, Step, follow, passed_over, take, unwind
from containers.node.processes.cgroup import Group
from containers.node.processes.executor import Executor
from containers.node.processes.runner_cgroup import RunnerCgroup
from containers.node.runtimes import DRY_RUN
from containers.node.spool import ROOM_TIMEOUT, Nudge, Spool, Writer
from containers.node.states import Progress, State
from containers.node.steps.proving import require_alive
from containers.node.steps.scripting import require_approved

PR_SET_CHILD_SUBREAPER = 36


def main(
    conf: NodeConf,
    operation: int,
    *,
    recover: bool = False,
    cgroup: RunnerCgroup | None = None,
) -> None:
    """What there is no room to write down is told to the worker's log; the worker finds out why."""
    try:
        with Spool(conf.spool / f"{operation}").hold() as mine:
            if mine:  # else the operation has its runner
                work(conf, operation, recover=recover, cgroup=cgroup)
    except NoSpace as e:
        sys.stderr.write(f"operation {operation}: {e}\n")


def work(conf: NodeConf, operation: int, *, recover: bool, cgroup: RunnerCgroup | None) -> None:
    os.umask(0o077)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    spool = Spool(conf.spool / f"{operation}")
    request = spool.read_request()
    patience = request.get("patience", ROOM_TIMEOUT)
    nudge = Nudge(conf.doorbell, f"{operation}")
    writer = Writer(spool, nudge, patience, spool.bound())
    try:
        Runner(conf, request, writer, cgroup).run(recover=recover)
    finally:
        writer.close()


class Runner:
    def __init__(
        self, conf: NodeConf, request: dict[str, Any], writer: Writer, cgroup: RunnerCgroup | None
    ) -> None:
        self.conf, self.request, self.writer, self.cgroup = conf, request, writer, cgroup
        self.journal = SpoolJournal(writer)
        self.plan: Plan = plan_of(request["plan"])

    def run(self, *, recover: bool) -> None:
        past = Past.of(self.writer.spool.read_events()[0])
        if past.over:
            return
        with cancelled_by_sigterm() as cancel:
            if ending := self.attempt(past, cancel, recover=recover):
                self.end(ending)

    def attempt(self, past: Past, cancel: int, *, recover: bool) -> "Ending | None":
        """Do it under the lock, which is free again before anybody hears of the end.

        None when there is something to tidy up, and that could not even be begun: it is no end.
        """
        try:
            self.writer.reserve()
            if self.cgroup:
                self.journal.in_cgroup(self.cgroup)
            with ExitStack() as held:
                ct = self.ct(cancel)
                if self.plan.on_container and self.plan.exclusive:
                    held.enter_context(locked(ct.paths.lock, self.request["plan"]))
                ct.state = self.state_of(ct)
                try:
                    if recover:
                        self.recover(ct, past)
                    else:
                        require_approved(self.plan, ct)
                        follow(self.plan, ct, self.journal)
                        if self.plan.on_container and self.plan.exclusive:
                            require_alive(ct)
                    return self.ending(ct, Progress.SUCCEEDED)
                except Cancelled as e:
                    return self.ending(ct, Progress.CANCELLED, e)
                except OperationError as e:
                    return self.ending(ct, Progress.INTERRUPTED if recover else Progress.FAILED, e)
        except OperationError as e:  # before anything was done: the lock, say
            return None if recover and past.begun else Ending(Progress.FAILED, e)
        except Exception as e:
            self.writer.say(traceback.format_exc())
            return Ending(Progress.FAILED, OperationError(Problem.RUNNER_FAILED, why=repr(e)))

    def ct(self, cancel: int) -> Ct:
        request, spec = self.request, self.request["ct"]
        dry_run = request["runtime"] == DRY_RUN
        return Ct(
            paths=Layout(self.conf, spec.get("ctid") or 0),
            spec=Spec.of(spec),
            former=Spec.of(spec["former"]) if "former" in spec else None,
            runtime=runtimes.load(request["runtime"]),
            storage=storage.load(request["storage"]),
            executor=Executor(self.writer.write, cancel, self.cgroup),
            say=self.writer.say,
            fact=self.journal.fact,
            ran=self.journal.script,
            exited=self.journal.exited,
            scripts={(s.scope, s.action): s for s in map(script_of, request["scripts"])},
            params=request["params"],
            profile=request["profile"],
            script_timeout=request.get("script_timeout") or None,
            operation=request["op"],
            dry_run=dry_run,
        )

    def state_of(self, ct: Ct) -> State:
        said = State(self.request["ct"].get("state") or State.STOPPED)
        if ct.dry_run or not self.plan.on_container:
            return said if self.plan.on_container else State.STOPPED
        found = observed.state_of(ct.paths)
        return said if found is State.BROKEN and said is State.CREATING else found

    def recover(self, ct: Ct, past: Past) -> None:
        """Bring what a dead runner left to an end. Raises what says how it ended."""
        ct.say("The runner of this operation ended unexpectedly; what it left is tidied up.")
        steps = self.steps_of(past)
        self.journal.resume(past)
        ct.executor.spare_undo()
        begun = [steps[i] for i in past.begun]
        ct.ignored.update(past.ignored)
        ct.left = tuple(map(Group, past.cgroups))
        if not any(steps[i].unbroken for i in past.begun if i not in past.finished):
            end_what_is_left(ct)
        if past.begun and not past.unwinding and any(step.commits for step in begun):
            self.forward(ct, past, steps)
            raise OperationError(Problem.RUNNER_DIED, recovered="forward")
        whole = ct.dry_run or unwind(begun, ct, self.journal, without=past.undos)
        end_what_is_left(ct)
        recovered = self.recovered(past) if whole else "stuck"
        raise OperationError(Problem.RUNNER_DIED, recovered=recovered, **under_way(past))

    def recovered(self, past: Past) -> str:
        if past.undos or self.journal.undone:
            return "back"
        return "left" if past.begun else "unbegun"

    def forward(self, ct: Ct, past: Past, steps: Sequence[Step]) -> None:
        done = [steps[i] for i in past.begun if i in past.finished]
        at = max((*past.begun, *past.skipped)) + 1
        last = past.begun[-1]
        if last not in past.finished:
            if not steps[last].once:
                at = last
            else:
                error = interrupted(steps[last], past)
                if not passed_over(steps[last], error, ct):
                    unwind([*done, steps[last]], ct, self.journal, without=past.undos)
                    raise error
        self.journal.next = at
        take(steps[at:], ct, self.journal, done)

    def steps_of(self, past: Past) -> Sequence[Step]:
        """The table the dead runner followed: the entry whose steps have the keys it noted."""
        ways = [way for way in self.plan.entry.values() if isinstance(way, Sequence)]
        for way in sorted(ways, key=len):
            if steps := past.among(way):
                return steps
        return ()

    def ending(self, ct: Ct, progress: Progress, error: OperationError | None = None) -> "Ending":
        """How it ended, and the state the container really is in, unless another may change it."""
        if not (self.plan.on_container and self.plan.exclusive):
            return Ending(progress, error)
        state = ct.state if ct.dry_run else self.true_state(ct)
        if state is State.SUSPENDED:
            ct.fact("mounted", observed.mounted(ct.paths.root))
        return Ending(progress, error, state, ct.remains)

    def end(self, ending: "Ending") -> None:
        """The last event."""
        lost, undone = self.writer.lost, self.journal.undone
        if ending.error:
            self.writer.tell_staff(f"{ending.error}")
        self.writer.event(
            "end",
            durable=True,
            progress=ending.progress,
            code=self.code(ending.error),
            error=f"{ending.error or ''}",
            problem=ending.error.problem if ending.error else "",
            details=ending.details,
            undone=[{"step": step.key, "label": step.label} for step in undone],
            state=ending.state,
            lost=lost,
            off=self.writer.off,
        )

    def code(self, error: OperationError | None) -> int:
        if error is None:
            return 0
        kept = isinstance(error, Refused | Locked) or error.code == Code.CUSTOM_REINSTALL
        return int(error.code if kept else self.plan.code or error.code)

    def true_state(self, ct: Ct) -> State:
        found = observed.state_of(ct.paths)
        return ct.state if found is State.BROKEN and ct.state is State.CREATING else found


@dataclass(frozen=True)
class Ending:
    progress: Progress
    error: OperationError | None = None
    state: State | None = None
    remains: OperationError | None = None

    @property
    def details(self) -> dict[str, Any]:
        found = self.error.details if self.error else {}
        return {**found, "remains": self.remains.cause} if self.remains else found


def under_way(past: Past) -> dict[str, str]:
    """The script that was, if one was, when the runner died."""
    if past.script is None or past.begun[-1] in past.finished:
        return {}
    scope, action = past.script
    return {"scope": scope, "action": action}


def interrupted(step: Step, past: Past) -> OperationError:
    """A script was under way when the runner died: nobody knows how it would have ended."""
    scope, action = past.script or next(((s, a.name) for s, a in step.scripts), ("", ""))
    if not action:
        return OperationError(Problem.STEP_INTERRUPTED, Code.SCRIPT, label=step.label)
    return ScriptFailed(Problem.SCRIPT_INTERRUPTED, scope=scope, action=action)


def end_what_is_left(ct: Ct) -> None:
    """A script, say, that runs on though its runner is dead."""
    for group in ct.left:
        group.kill()
        group.remove()


def script_of(values: dict[str, Any]) -> Script:
    """Its hash is that of its text: what a row says of it is not asked."""
    body = base64.b64decode(values["body"])
    return Script(
        scope=Scope(values["scope"]),
        action=actions.BY_NAME[values["action"]],
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        version=values["version"],
    )


@contextlib.contextmanager
def cancelled_by_sigterm() -> Iterator[int]:
    """A descriptor that is readable once the process was sent SIGTERM."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def cancel(*_: object) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(writer, b".")

    before = signal.signal(signal.SIGTERM, cancel)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    try:
        yield reader
    finally:
        signal.signal(signal.SIGTERM, before)
        os.close(reader)
        os.close(writer)
