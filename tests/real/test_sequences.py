"""Which scripts run, in which order, with which exit code, and what is left: vzctl's own tables.

The rows are those of the measured vzctl 4.11.1; where the documentation differs (a start script
that fails), each undo profile has its own row.
"""

from typing import Any

import pytest

from containers.node.states import State
from tests.real.rig import Rig

ALL = ["vps.mount", "mount", "start", "stop", "umount", "vps.umount"]
BOTH = ("documented", "vzctl")
UP, DOWN, MOUNTED = State.RUNNING, State.STOPPED, State.MOUNTED
STARTS = "vps.mount mount start"
STOPS = "stop umount vps.umount"


def save_all(rig: Rig, ctid: int) -> None:
    for name in ALL:
        rig.write(ctid, name, f"#!/bin/sh\necho {name} of $VEID\n")


def bring(rig: Rig, ctid: int, state: State) -> None:
    """Bring the container into a state, before there are scripts."""
    if state is UP:
        assert rig.operate("start", ctid).code == 0
    if state is MOUNTED:
        assert rig.operate("mount", ctid).code == 0
    assert rig.state(ctid) is state


@pytest.mark.parametrize("profile", BOTH)
@pytest.mark.parametrize(
    ("before", "plan", "params", "scripts", "code", "after"),
    [
        (DOWN, "start", {}, STARTS, 0, UP),
        (MOUNTED, "start", {}, f"umount vps.umount {STARTS}", 0, UP),
        (MOUNTED, "start", {"skip_remount": True}, "start", 0, UP),
        (UP, "start", {}, "", 32, UP),
        (UP, "stop", {}, STOPS, 0, DOWN),
        (UP, "stop", {"fast": True}, STOPS, 0, DOWN),
        (UP, "stop", {"skip_umount": True}, "stop", 0, MOUNTED),
        (UP, "stop", {"without_stop_script": True}, "umount vps.umount", 0, DOWN),
        (DOWN, "stop", {}, "", 0, DOWN),
        (MOUNTED, "stop", {}, "", 0, MOUNTED),
        (UP, "restart", {}, f"{STOPS} {STARTS}", 0, UP),
        (DOWN, "restart", {}, STARTS, 0, UP),
        (MOUNTED, "restart", {}, f"umount vps.umount {STARTS}", 0, UP),
        (DOWN, "mount", {}, "vps.mount mount", 0, MOUNTED),
        (MOUNTED, "mount", {}, "", 0, MOUNTED),
        (UP, "mount", {}, "", 0, UP),
        (MOUNTED, "umount", {}, "umount vps.umount", 0, DOWN),
        (DOWN, "umount", {}, "", 40, DOWN),
        (UP, "umount", {}, "", 32, UP),
        (UP, "destroy", {}, "", 32, UP),
        (MOUNTED, "destroy", {}, "", 41, MOUNTED),
    ],
)
def test_a_sequence_is_vzctls(
    rig: Rig,
    ctid: int,
    before: State,
    plan: str,
    params: dict[str, Any],
    scripts: str,
    code: int,
    after: State,
    profile: str,
) -> None:
    bring(rig, ctid, before)
    save_all(rig, ctid)

    outcome = rig.operate(plan, ctid, profile=profile, **params)

    assert (outcome.scripts, outcome.code, rig.state(ctid)) == (scripts.split(), code, after)
    assert outcome.state is after


def test_premount_and_postumount_run_around_the_mount(rig: Rig, ctid: int) -> None:
    for name in ("premount", "vps.premount", "mount", "umount", "postumount", "vps.postumount"):
        rig.write(ctid, name, "#!/bin/sh\nexit 0\n")

    assert rig.operate("mount", ctid).scripts == ["vps.premount", "premount", "mount"]
    assert rig.operate("umount", ctid).scripts == ["umount", "postumount", "vps.postumount"]


ENDINGS = [("exit 1", None), ("exit 128", None), ("kill -9 $$", 9), ("exit 255", None)]


@pytest.mark.parametrize(("ending", "signal"), ENDINGS)
def test_every_failure_of_a_script_is_79(
    rig: Rig, ctid: int, ending: str, signal: int | None
) -> None:
    rig.write(ctid, "mount", f"#!/bin/sh\n{ending}\n")

    outcome = rig.operate("start", ctid)

    assert (outcome.code, rig.state(ctid)) == (79, DOWN)
    failed = next(e for e in outcome.events if e["ev"] == "ended" and e["error"])
    assert failed["signal"] == signal


@pytest.mark.parametrize(
    ("before", "plan", "failing", "profile", "scripts", "code", "after"),
    [
        # a script of the way up: what was done is undone
        *[(DOWN, "start", "vps.premount", p, "vps.premount", 79, DOWN) for p in BOTH],
        *[(DOWN, "start", "vps.mount", p, "vps.mount", 79, DOWN) for p in BOTH],
        *[(DOWN, "start", "mount", p, "vps.mount mount", 79, DOWN) for p in BOTH],
        *[(DOWN, "mount", "mount", p, "vps.mount mount", 79, DOWN) for p in BOTH],
        *[(DOWN, "mount", "vps.mount", p, "vps.mount", 79, DOWN) for p in BOTH],
        (DOWN, "start", "start", "documented", STARTS, 79, DOWN),
        (DOWN, "start", "start", "vzctl", f"{STARTS} umount vps.umount", 79, DOWN),
        (DOWN, "start", "start umount", "documented", STARTS, 79, DOWN),
        (DOWN, "start", "start umount", "vzctl", f"{STARTS} umount", 79, MOUNTED),
        # a script of the way down: the action is not taken
        *[(UP, "stop", "stop", p, "stop", 79, UP) for p in BOTH],
        *[(UP, "restart", "stop", p, "stop", 79, UP) for p in BOTH],
        *[(UP, "stop", "umount", p, "stop umount", 79, MOUNTED) for p in BOTH],
        *[(UP, "stop", "vps.umount", p, STOPS, 79, MOUNTED) for p in BOTH],
        *[(MOUNTED, "umount", "umount", p, "umount", 79, MOUNTED) for p in BOTH],
        *[(MOUNTED, "umount", "vps.umount", p, "umount vps.umount", 79, MOUNTED) for p in BOTH],
        *[(UP, "restart", "umount", p, "stop umount", 79, MOUNTED) for p in BOTH],
        *[(UP, "restart", "mount", p, f"{STOPS} vps.mount mount", 79, DOWN) for p in BOTH],
        *[(UP, "stop", "postumount", p, f"{STOPS} postumount", 79, DOWN) for p in BOTH],
        # the umount scripts of a start from mounted are passed over, and the old mount is kept
        *[(MOUNTED, "start", "umount", p, "umount start", 0, UP) for p in BOTH],
        *[(MOUNTED, "start", "vps.umount", p, "umount vps.umount start", 0, UP) for p in BOTH],
    ],
)
def test_a_failure_is_undone_as_the_profile_says(
    rig: Rig,
    ctid: int,
    before: State,
    plan: str,
    failing: str,
    profile: str,
    scripts: str,
    code: int,
    after: State,
) -> None:
    bring(rig, ctid, before)
    save_all(rig, ctid)
    for name in failing.split():
        rig.write(ctid, name, f"#!/bin/sh\necho {name} refuses\nexit 7\n")

    outcome = rig.operate(plan, ctid, profile=profile)

    assert (outcome.scripts, outcome.code, rig.state(ctid)) == (scripts.split(), code, after)


def test_fast_does_not_get_past_a_refusing_stop_script(rig: Rig, ctid: int) -> None:
    bring(rig, ctid, UP)
    rig.write(ctid, "stop", "exit 1\n")

    outcome = rig.operate("stop", ctid, fast=True)

    assert (outcome.scripts, outcome.code, rig.state(ctid)) == (["stop"], 79, UP)


@pytest.mark.parametrize(
    ("profile", "scripts"),
    [("documented", STARTS), ("vzctl", f"{STARTS} umount vps.umount")],
)
def test_without_an_init_the_start_script_runs_and_booting_fails(
    rig: Rig, ctid: int, profile: str, scripts: str
) -> None:
    save_all(rig, ctid)
    (rig.paths(ctid).fs / "sbin/init").unlink()

    outcome = rig.operate("start", ctid, profile=profile)

    assert (outcome.scripts, outcome.code, rig.state(ctid)) == (scripts.split(), 47, DOWN)


def test_a_disabled_container_starts_by_force_only(rig: Rig, ctid: int) -> None:
    disabled = {"disabled": True}
    assert rig.operate("start", ctid, spec=disabled).code == 105
    assert rig.state(ctid) is DOWN
    assert rig.operate("start", ctid, spec=disabled, force=True).code == 0
    assert rig.operate("restart", ctid, spec=disabled).code == 105
    assert rig.state(ctid) is UP


def test_a_refusing_create_script_deletes_the_container_again(rig: Rig) -> None:
    rig.write(9000, "vps.create", "#!/bin/sh\ntest -f $VE_CONFFILE || exit 2\nexit 1\n")
    try:
        outcome = rig.operate("create", 9000)
        assert (outcome.scripts, outcome.code) == (["vps.create"], 79)
        assert not rig.paths(9000).private.exists()
        assert not rig.paths(9000).conf_link.is_symlink()
    finally:
        (rig.conf.scripts / "vps.create").unlink()
