"""A node that runs only approved scripts, with a real container."""

from collections.abc import Iterator

import pytest

from containers.node import approvals, observed
from containers.node.actions import MOUNT, REINSTALL, UMOUNT, Action
from containers.node.errors import Code, Problem
from containers.node.states import State
from tests.real.rig import Outcome, Rig

SAYS = '#!/bin/sh\necho "approved text in $(basename $0) of $VEID"\n'
HOOK = """#!/bin/sh
echo "its hook: $*"
exit 128
"""


@pytest.fixture
def strict(rig: Rig) -> Iterator[Rig]:
    """vz.conf says so, for as long as the test runs."""
    path = rig.conf.vz_conf
    before = path.read_text() if path.exists() else ""
    path.write_text(f'{before}\n{approvals.KEY}="yes"\n')
    try:
        yield rig
    finally:
        path.write_text(before)


def approve(rig: Rig, ctid: int, action: Action, body: str) -> None:
    approvals.approve(rig.conf, ctid, action, body.encode(), who="root")


def refused(outcome: Outcome) -> bool:
    """Before anything was done."""
    return (outcome.end["problem"], outcome.code, outcome.steps) == (
        Problem.NOT_APPROVED,
        Code.SCRIPT,
        [],
    )


def test_a_start_with_an_unapproved_mount_script_does_nothing(strict: Rig, ctid: int) -> None:
    strict.write(ctid, "mount", SAYS)
    outcome = strict.operate("start", ctid)
    assert refused(outcome)
    assert outcome.state is State.STOPPED
    assert not observed.mounted(strict.paths(ctid).root)
    assert not (strict.paths(ctid).scripts / "mount").exists()
    assert f"pctl script approve {ctid} mount" in outcome.log


def test_an_approved_one_runs_and_a_changed_byte_does_not(strict: Rig, ctid: int) -> None:
    strict.write(ctid, "mount", SAYS)
    approve(strict, ctid, MOUNT, SAYS)
    outcome = strict.operate("start", ctid)
    assert (outcome.code, outcome.state) == (0, State.RUNNING)
    assert f"approved text in mount of {ctid}" in outcome.log
    strict.operate("stop", ctid, fast=True)
    strict.write(ctid, "mount", f"{SAYS} ")
    assert refused(strict.operate("start", ctid))


def test_scripts_in_the_container_need_no_approval(strict: Rig, ctid: int) -> None:
    strict.write(ctid, "start", "echo in it\n")
    outcome = strict.operate("start", ctid)
    assert outcome.code == 0
    assert "in it\n" in outcome.log


def test_an_unapproved_umount_script_keeps_it_running_or_mounted(strict: Rig, ctid: int) -> None:
    strict.operate("start", ctid)
    strict.write(ctid, "umount", SAYS)
    outcome = strict.operate("stop", ctid, fast=True)
    assert refused(outcome)
    assert outcome.state is State.RUNNING
    approve(strict, ctid, UMOUNT, SAYS)
    outcome = strict.operate("stop", ctid, fast=True)
    assert (outcome.code, outcome.state) == (0, State.STOPPED)
    assert f"approved text in umount of {ctid}" in outcome.log


def test_an_unapproved_hook_reinstalls_nothing(strict: Rig, ctid: int) -> None:
    strict.write(ctid, "reinstall", HOOK)
    outcome = strict.operate("reinstall", ctid)
    assert refused(outcome)
    approve(strict, ctid, REINSTALL, HOOK)
    outcome = strict.operate("reinstall", ctid)
    assert outcome.code == 0, outcome.log
    assert "its hook: --veid" in outcome.log


def test_a_destroyed_container_leaves_no_approvals(strict: Rig, ctid: int) -> None:
    approve(strict, ctid, MOUNT, SAYS)
    strict.clear(ctid)
    assert not list(approvals.texts(strict.conf, ctid, MOUNT))
    assert '"forget"' in (approvals.store(strict.conf) / "log").read_text()
