"""A runner that is killed at any step: what it left is tidied up, and the container is usable."""

from collections.abc import Iterator

import pytest

from containers.node import observed
from containers.node.operations import PLANS
from containers.node.states import State
from tests.real.dying import run_dying
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
