"""A runner that is killed at any step: what it left is tidied up, and the container is usable."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from containers.node import observed, runner
from containers.node.errors import OperationError
from containers.node.journal import SpoolJournal
from containers.node.operations import PLANS
from containers.node.plan import Step
from containers.node.states import State
from tests.real.rig import Rig

SCRIPTS = ("vps.mount", "mount", "start", "stop", "umount", "vps.umount")
UP, DOWN, MOUNTED, MAKING = State.RUNNING, State.STOPPED, State.MOUNTED, State.CREATING
BEFORE = {"start": DOWN, "stop": UP, "restart": UP, "mount": DOWN, "umount": MOUNTED,
          "create": MAKING, "destroy": DOWN, "set": UP, "rebooted": MOUNTED}  # fmt: skip


def moments() -> Iterator[tuple[str, str, str]]:
    for plan, state in BEFORE.items():
        for step in PLANS[plan].steps(state):
            if "-pre" in step.key or "-post" in step.key or step.key == "global-create":
                continue
            if (plan, step.key) == ("destroy", "delete"):
                continue  # of a stopped container there is nothing to take away
            if (plan, step.key) == ("set", "let-in"):
                continue  # nor is there a password to set
            yield plan, step.key, "began"
            yield plan, step.key, "ended"


class DyingJournal(SpoolJournal):
    """Ends its process the moment before, or after, a step is done."""

    at = ("", "")

    def began(self, step: Step, *, undoing: bool = False) -> None:
        super().began(step, undoing=undoing)
        self.die(step, "began")

    def ended(self, step: Step, error: OperationError | None = None) -> None:
        self.die(step, "ended")
        super().ended(step, error)

    def die(self, step: Step, moment: str) -> None:
        if self.at == (step.key, moment):
            os.kill(os.getpid(), signal.SIGKILL)


def run_dying(rig: Rig, plan: str, ctid: int, step: str, moment: str, **params: Any) -> int:
    """Run an operation whose runner is killed at a moment; returns its number."""
    number = rig.request(plan, ctid, **params)
    child = os.fork()
    if not child:
        try:
            os.setsid()
            DyingJournal.at = (step, moment)
            pytest.MonkeyPatch().setattr(runner, "SpoolJournal", DyingJournal)
            runner.main(rig.conf, number)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    return number


@pytest.mark.parametrize(("plan", "step", "moment"), [*moments()])
def test_nothing_stays_half_done(
    rig: Rig, bare_ctid: int, plan: str, step: str, moment: str
) -> None:
    ctid = bare_ctid
    if plan != "create":
        assert rig.operate("create", ctid).code == 0
    if BEFORE[plan] is UP:
        assert rig.operate("start", ctid).code == 0
    if BEFORE[plan] is MOUNTED:
        assert rig.operate("mount", ctid).code == 0
    for name in SCRIPTS:
        rig.write(ctid, name, "#!/bin/sh\ntrue\n")

    number = run_dying(rig, plan, ctid, step, moment)
    rig.zygote.recover(number)
    outcome = rig.finish(number)

    assert outcome.end["progress"] == "interrupted"
    found = rig.state(ctid)
    assert outcome.end["state"] in (found, State.CREATING)
    assert found in allowed(plan, step)
    paths = rig.paths(ctid)
    if found is not MOUNTED and found is not UP:
        assert not observed.mounted(paths.root)
        assert not observed.left_behind(paths)
    if found is UP:
        assert rig.init(ctid).alive
    if found is State.BROKEN:
        assert not paths.private.exists()
        assert not paths.conf_link.is_symlink()
    else:
        assert rig.operate("restart", ctid).code == 0


def allowed(plan: str, step: str) -> set[State]:
    """Where a dead runner's container may be: as before, or as after the whole; or, when a script
    was under way, where vzctl leaves it when that script fails."""
    forward = {"start": UP, "stop": DOWN, "restart": UP, "mount": MOUNTED, "umount": DOWN,
               "create": DOWN, "destroy": State.BROKEN, "set": UP, "rebooted": UP}  # fmt: skip
    before = {"create": State.BROKEN, "rebooted": DOWN}.get(plan, BEFORE[plan])
    found = {before, forward[plan]}
    if "umount" in step or step == "delete":
        found.add(MOUNTED)
    if plan in ("restart", "rebooted"):
        found |= {DOWN, MOUNTED}
    return found


def test_a_second_recovery_finds_nothing_to_do(rig: Rig, ctid: int) -> None:
    number = run_dying(rig, "start", ctid, "create", "ended")
    rig.zygote.recover(number)
    before = rig.finish(number).events
    rig.zygote.recover(number)

    assert rig.operate("start", ctid).code == 0
    assert rig.finish(number).events == before
