"""What a runner writes down as it follows a plan, and reads again when it has to recover."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from containers.node.ct import Script
from containers.node.errors import CommandFailed, OperationError, ScriptFailed
from containers.node.plan import Step
from containers.node.processes.runner_cgroup import RunnerCgroup
from containers.node.spool import Event, Writer
from containers.node.states import Omission, State

# Steps that have got another key, and the one that a journal from before an upgrade has for them
FORMER = {
    "begin-copy": "begin",
    "begin-new": "begin",
    "begin-template": "begin",
    "check-processes": "check",
    "check-room": "check",
    "check-tarball": "check",
    "configure-template": "configure",
    "copy-kept-disk": "copy-snapshot",
    "fetch-packages": "fetch",
    "hand-over": "settle",
    "identify-new": "identify",
    "keep-other": "settle",
    "keep-scripts": "write-scripts",
    "let-in-new": "let-in",
    "publish-scripts": "publish",
    "publish-template": "publish",
    "restore-clone": "restore",
    "resume": "restore",
    "throw-away-dump": "drop-dump",
    "trial-restore": "rehearse",
    "unpause": "thaw",
    "wait-for-disk": "settle",
}


@dataclass
class SpoolJournal:
    writer: Writer
    i: int = -1  # of the step that was last begun
    next: int = 0  # of the next step of the plan
    exit: int = 0  # of the script that it has run
    undone: list[Step] = field(default_factory=list)
    _plan: int = 0
    _undos: int = 0

    def resume(self, past: "Past") -> None:
        """Go on counting where a dead runner has stopped."""
        self._plan = len(past.planned)
        self._undos = self._plan + len(past.undos)
        self.next = max((-1, *past.begun, *past.skipped)) + 1

    def planned(self, steps: Sequence[Step]) -> None:
        self._plan = self._undos = len(steps)
        table = [{"step": s.key, "label": s.label, "where": s.where} for s in steps]
        self.writer.event("plan", steps=table)

    def in_cgroup(self, runner_cgroup: RunnerCgroup) -> None:
        self.writer.event("cgroup", group=runner_cgroup.group.name)

    def skipped(self, step: Step, why: Omission) -> None:
        self.writer.event("skipped", i=self.next, step=step.key, why=why)
        self.next += 1

    def began(self, step: Step, *, undoing: bool = False) -> None:
        self.exit = 0
        if undoing:
            self.i = max(self._undos, self._plan)
            self._undos = self.i + 1
        else:
            self.i, self.next = self.next, self.next + 1
        self.writer.event(
            "began",
            durable=undoing or bool(step.undo) or step.once or step.commits,
            i=self.i,
            step=step.key,
            label=step.label,
            where=step.where,
            undo=undoing,
            off=self.writer.off,
        )

    def ended(self, step: Step, error: OperationError | None = None) -> None:
        exit = error.exit if isinstance(error, ScriptFailed | CommandFailed) else None
        code = self.exit if error is None else exit if exit is not None and exit >= 0 else None
        self.writer.event(
            "ended",
            i=self.i,
            code=code,
            signal=-exit if exit is not None and exit < 0 else None,
            error=f"{error}" if error else "",
            ignored=bool(error) and step.ignore_failure,
            off=self.writer.off,
        )
        if not error and self._undos > self._plan and self.i >= self._plan:
            self.undone.append(step)

    def state(self, state: State) -> None:
        self.writer.event("state", state=state)

    def fact(self, key: str, value: Any) -> None:
        self.writer.event("fact", key=key, value=value)

    def exited(self, code: int) -> None:
        self.exit = code

    def script(self, script: Script) -> None:
        self.writer.event(
            "script",
            i=self.i,
            scope=script.scope,
            action=script.action.name,
            sha256=script.sha256,
            version=script.version,
            foreign=script.version is None,
        )


@dataclass(frozen=True)
class Past:
    """What a dead runner's journal says: which steps it took, which one it was at."""

    planned: tuple[str, ...] = ()
    begun: tuple[int, ...] = ()  # places in the plan, in the order they were begun
    finished: tuple[int, ...] = ()  # without a failure, or with one that was passed over
    ignored: tuple[str, ...] = ()
    skipped: tuple[int, ...] = ()
    unwinding: bool = False  # it had begun to undo
    undos: tuple[str, ...] = ()  # keys of the undo steps it began
    over: bool = False
    cgroups: tuple[str, ...] = ()  # control groups of the runners that died
    script: tuple[str, str] | None = None  # scope and action of what the last step ran

    @classmethod
    def of(cls, events: Sequence[Event]) -> "Past":
        planned: tuple[str, ...] = ()
        begun, finished, ignored, skipped = [], [], [], []
        undos, over, cgroups = [], False, []
        script: tuple[str, str] | None = None
        for event in events:
            kind, i = event["ev"], event.get("i", -1)
            if kind == "plan":
                planned = tuple(step["step"] for step in event["steps"])
            elif kind == "began" and event["undo"]:
                undos.append(event["step"])
            elif kind == "began":
                begun.append(i)
                script = None
            elif kind == "script" and i < len(planned) and "scope" in event:
                script = event["scope"], event["action"]
            elif kind == "skipped":
                skipped.append(i)
            elif kind == "ended" and i < len(planned) and (not event["error"] or event["ignored"]):
                finished.append(i)
                if event["ignored"]:
                    ignored.append(planned[i])
            elif kind in ("cgroup", "home"):  # home: of a runner older than this version
                cgroups.append(event["group"])
            elif kind == "end":
                over = True
        return cls(planned, tuple(begun), tuple(finished), tuple(ignored), tuple(skipped),
                   bool(undos) or failed(events, len(planned)), tuple(undos), over,
                   tuple(cgroups), script)  # fmt: skip

    def among(self, steps: Sequence[Step]) -> Sequence[Step] | None:
        """Those of a plan's steps that it planned, by their keys of now or of before.

        None where it planned others, too. An upgrade may have put new steps in between.
        """
        left, found = list(steps), []
        for key in self.planned:
            while left and key not in (left[0].key, FORMER.get(left[0].key)):
                left.pop(0)
            if not left:
                return None
            found.append(left.pop(0))
        return found


def failed(events: Sequence[Event], planned: int) -> bool:
    return any(
        e["ev"] == "ended" and e["i"] < planned and e["error"] and not e["ignored"] for e in events
    )
