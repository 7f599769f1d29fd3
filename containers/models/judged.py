"""What is known of a snapshot: whether it can be relied on, and how its trial restore went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.timezone import now

from containers.models.operation import Operation
from containers.node import problems
from containers.node.checkpoint import verdict as verdicts
from containers.node.checkpoint.reason import Reason
from containers.node.errors import Doubts, Problem
from containers.node.states import Progress
from containers.node.wording import few

# Of a trial restore: its processes can't be brought back, whatever its files say
BROKEN_PROCESSES = (
    Problem.SNAPSHOTS_OFF, Problem.CRIU_FAILED, Problem.NOT_DUMPABLE, Problem.DUMP_FAILED,
    Problem.DUMP_COMMAND_FAILED, Problem.DUMP_TIME_LIMIT, Problem.DUMP_STALLED,
    Problem.NOT_RESTORABLE,
    Problem.RESTORE_FAILED, Problem.RESTORE_COMMAND_FAILED, Problem.RESTORE_TIME_LIMIT,
    Problem.INIT_DIED, Problem.INIT_OUT_OF_MEMORY, Problem.INIT_ENDED, Problem.MOUNT_MISSING,
    Problem.RECORD_UNREADABLE, Problem.IMAGE_UNREADABLE,
)  # fmt: skip


TRIALS_KEPT = 10  # that were before the last
TURNED = "turned"  # among a snapshot's facts: since when it is broken that was OK before


class Verdict(models.TextChoices):
    """Whether it can be relied on: the words of containers/node/checkpoint/verdict.py."""

    OK = "ok", "ok"
    CANT_TELL = "can't tell", "can't tell"
    BROKEN = "broken", "broken"


VERDICT_WORDS: dict[str, str] = {
    Verdict.OK: "OK",
    Verdict.CANT_TELL: "Not certain",
    Verdict.BROKEN: "Broken",
}


@dataclass(frozen=True)
class TrialRestore:
    """One that was made. processes: how many lived, of how many; error: why it failed.

    of: 0 where an older version has not counted. ended: the names of those that did not live.
    gone: those of them of which nothing lives: one of a loop's sleeps is always about to end.
    """

    at: datetime
    operation: int = 0
    processes: int = 0
    of: int = 0
    ended: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    error: str = ""
    problem: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def why(self) -> str:
        return self.told(problems.for_staff)

    @property
    def why_for_customers(self) -> str:
        return self.told(problems.for_customers)

    @property
    def words(self) -> str:
        """How many processes lived, without a full stop."""
        if self.ended:
            return f"{self.processes} of {self.of} processes came back; ended: {few(self.ended)}"
        whole = "its one process" if self.processes == 1 else f"all {self.processes} processes"
        return f"{whole} came back"

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> TrialRestore:
        return cls(**{**said, "at": datetime.fromisoformat(said["at"])})

    def told(self, tell: Callable[[str, Mapping[str, Any]], str]) -> str:
        return tell(self.problem, self.details) or self.error


class Judged(models.Model):
    """The node looks, and says its verdict with reasons; a trial restore says more."""

    facts = models.JSONField(default=dict, blank=True)  # CRIU, kernel, addresses, mounts, init …
    verdict = models.CharField(max_length=16, blank=True, choices=Verdict.choices)
    reasons = models.JSONField(default=list, blank=True)  # Reason.words(); once plain text
    verified = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def doubts(self) -> tuple[Reason, ...]:
        """Its reasons."""
        return tuple(map(Reason.read, self.reasons))

    @property
    def doubts_for_staff(self) -> list[str]:
        return [why.told(staff=True) for why in self.doubts]

    @property
    def doubts_for_customers(self) -> list[str]:
        return [why.told(staff=False) for why in self.doubts]

    @property
    def verdict_word(self) -> str:
        return VERDICT_WORDS.get(self.verdict, self.verdict)

    @property
    def trial(self) -> TrialRestore | None:
        """The last one."""
        said = self.facts.get("tried")
        return TrialRestore.read(said) if said else None

    @property
    def former_trials(self) -> list[TrialRestore]:
        """Those before the last, the newest first."""
        return [TrialRestore.read(said) for said in self.facts.get("trials", [])]

    def was_tried(self, trial: TrialRestore) -> None:
        if last := self.facts.get("tried"):
            self.facts["trials"] = [last, *self.facts.get("trials", [])][:TRIALS_KEPT]
        self.facts["tried"] = {**asdict(trial), "at": trial.at.isoformat()}
        self.save(update_fields=["facts"])

    def restore_failed(self, operation: Operation) -> None:
        """A restore that was refused for what is wrong with it says that it is broken."""
        if operation.problem == Problem.NOT_RESTORABLE:
            self.judge(Verdict.BROKEN, reasons_of(operation))

    def trial_succeeded(self) -> None:
        """It takes away the doubts that only a trial could, and may have one of its own."""
        if self.verdict:
            left = tuple(why for why in self.doubts if why.word not in BROKEN_PROCESSES)
            answer = verdicts.Answer.CANT_TELL if left else verdicts.Answer.OK
            self.looked_at(verdicts.Verdict(answer, left))

    def looked_at(self, found: verdicts.Verdict) -> verdicts.Verdict:
        """Keep what its node has found, with what the last trial restore has shown."""
        said = self.with_trial(found)
        self.judge(said.answer, said.reasons)
        return said

    def with_trial(self, found: verdicts.Verdict) -> verdicts.Verdict:
        trial = self.trial
        if trial is None or found.answer is verdicts.Answer.BROKEN:
            return found
        if trial.error:
            if trial.problem not in BROKEN_PROCESSES:
                return found
            why = Reason(trial.problem, trial.details, trial.error)
            return verdicts.Verdict(verdicts.Answer.BROKEN, (why, *found.reasons))
        said = found.tried()
        if not trial.gone:
            return said
        details = {"processes": trial.processes, "of": trial.of, "ended": trial.gone}
        doubt = Reason.doubt(Doubts.ENDED, **details)
        return verdicts.Verdict(verdicts.Answer.CANT_TELL, (doubt, *said.reasons))

    def trial_failed(self, operation: Operation) -> None:
        """One that failed on its processes says that it is broken, whatever its files say."""
        if operation.state != Progress.FAILED:
            return
        self.was_tried(
            TrialRestore(
                now(),
                operation.pk,
                error=operation.error,
                problem=operation.problem,
                details=operation.details,
            )
        )
        if operation.problem in BROKEN_PROCESSES:
            self.judge(Verdict.BROKEN, reasons_of(operation) or [operation.as_reason])

    def judge(self, verdict: str, reasons: Iterable[Reason], at: datetime | None = None) -> None:
        """Keep a verdict of the node."""
        before, self.verdict, self.verified = self.verdict, verdict, at or now()
        self.reasons = [why.words() for why in reasons]
        if verdict != Verdict.BROKEN:
            self.facts.pop(TURNED, None)
        elif before == Verdict.OK:
            self.facts[TURNED] = self.verified.isoformat()
            self.turned_broken()
        self.save(update_fields=["verdict", "reasons", "verified", "facts"])

    def turned_broken(self) -> None:
        """It was OK, and is not any more."""


def reasons_of(operation: Operation) -> list[Reason]:
    """Those that one was refused for."""
    return [Reason.read(said) for said in operation.details.get("reasons", [])]
