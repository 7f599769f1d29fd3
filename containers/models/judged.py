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
from containers.node.errors import Problem
from containers.node.states import Progress

# Of a trial restore: its processes can't be brought back, whatever its files say
BROKEN_PROCESSES = (
    Problem.SNAPSHOTS_OFF, Problem.CRIU_FAILED, Problem.NOT_DUMPABLE, Problem.DUMP_FAILED,
    Problem.DUMP_COMMAND_FAILED, Problem.DUMP_TIME_LIMIT, Problem.DUMP_STALLED,
    Problem.NOT_RESTORABLE,
    Problem.RESTORE_FAILED, Problem.RESTORE_COMMAND_FAILED, Problem.RESTORE_TIME_LIMIT,
    Problem.INIT_DIED, Problem.INIT_OUT_OF_MEMORY, Problem.INIT_ENDED, Problem.MOUNT_MISSING,
    Problem.RECORD_UNREADABLE, Problem.IMAGE_UNREADABLE,
)  # fmt: skip


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
    """The last one. processes: how many lived; error: why it failed."""

    at: datetime
    operation: int = 0
    processes: int = 0
    error: str = ""
    problem: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def why(self) -> str:
        return self.told(problems.for_staff)

    @property
    def why_for_customers(self) -> str:
        return self.told(problems.for_customers)

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
        said = self.facts.get("tried")
        return TrialRestore(**{**said, "at": datetime.fromisoformat(said["at"])}) if said else None

    def was_tried(self, trial: TrialRestore) -> None:
        self.facts["tried"] = {**asdict(trial), "at": trial.at.isoformat()}
        self.save(update_fields=["facts"])

    def restore_failed(self, operation: Operation) -> None:
        """A restore that was refused for what is wrong with it says that it is broken."""
        if operation.problem == Problem.NOT_RESTORABLE:
            self.judge(Verdict.BROKEN, reasons_of(operation))

    def trial_succeeded(self) -> None:
        """It takes away the doubts that only a trial could."""
        if self.verdict:
            said = verdicts.Verdict(verdicts.Answer(self.verdict), self.doubts).tried()
            self.judge(said.answer, said.reasons)

    def trial_failed(self, operation: Operation) -> None:
        """One that failed on its processes says that it is broken, whatever its files say."""
        if operation.state != Progress.FAILED:
            return
        failure = operation.error, operation.problem, operation.details
        self.was_tried(TrialRestore(now(), operation.pk, 0, *failure))
        if operation.problem in BROKEN_PROCESSES:
            self.judge(Verdict.BROKEN, reasons_of(operation) or [operation.as_reason])

    def judge(self, verdict: str, reasons: Iterable[Reason], at: datetime | None = None) -> None:
        """Keep a verdict of the node."""
        self.verdict, self.verified = verdict, at or now()
        self.reasons = [why.words() for why in reasons]
        self.save(update_fields=["verdict", "reasons", "verified"])


def reasons_of(operation: Operation) -> list[Reason]:
    """Those that one was refused for."""
    return [Reason.read(said) for said in operation.details.get("reasons", [])]
