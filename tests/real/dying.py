"""A runner that is killed, or meddled with, before or after a step of its operation."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from containers.node import runner
from containers.node.errors import OperationError
from containers.node.journal import SpoolJournal
from containers.node.plan import Step
from tests.real.rig import Rig


class DyingJournal(SpoolJournal):
    """Ends its process the moment before, or after, a step is done."""

    at = ("", "")
    act: Callable[[], object]

    def began(self, step: Step, *, undoing: bool = False) -> None:
        super().began(step, undoing=undoing)
        self.die(step, "began")

    def ended(self, step: Step, error: OperationError | None = None) -> None:
        self.die(step, "ended")
        super().ended(step, error)

    def die(self, step: Step, moment: str) -> None:
        if self.at == (step.key, moment):
            DyingJournal.act()


def run_dying(rig: Rig, plan: str, ctid: int, step: str, moment: str, **params: Any) -> int:
    """Run an operation whose runner is killed at a moment; returns its number."""
    number = rig.request(plan, ctid, **params)
    assert run_hit(rig, number, step, moment, signal.SIGKILL) == -signal.SIGKILL
    return number


def run_cancelled(rig: Rig, plan: str, ctid: int, step: str, moment: str, **params: Any) -> int:
    """Run an operation that is cancelled at a moment, and has ended; returns its number."""
    number = rig.request(plan, ctid, **params)
    assert run_hit(rig, number, step, moment, signal.SIGTERM) == 0
    return number


def run_hit(rig: Rig, number: int, step: str, moment: str, by: signal.Signals) -> int:
    return run_meddled(rig, number, step, moment, lambda: os.kill(os.getpid(), by))


def run_meddled(
    rig: Rig,
    number: int,
    step: str,
    moment: str,
    act: Callable[[], object],
    *,
    recover: bool = False,
) -> int:
    """Run an operation; its runner does what act says at a moment. Returns the runner's end."""
    child = os.fork()
    if not child:
        try:
            os.setsid()
            DyingJournal.at, DyingJournal.act = (step, moment), staticmethod(act)
            pytest.MonkeyPatch().setattr(runner, "SpoolJournal", DyingJournal)
            runner.main(rig.conf, number, recover=recover)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
