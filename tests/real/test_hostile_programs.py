"""A container whose own programs print, fork and hang, where the panel might run them."""

import pytest

from containers.node.states import State
from tests.real.rig import Rig

# What looks like System V's init, which is halted by a command of its own.
HOSTILE = """#!/bin/sh
# /dev/initctl
echo was here >>/root/ran
while :; do echo flooding flooding flooding; done &
while :; do echo flooding flooding flooding; done &
sleep 1000
"""
ANSWERED_WITHIN = 8.0  # seconds that no hanging program may lengthen
MOST = 64 * 1024  # bytes that a log of these operations may have


@pytest.fixture
def hostile(rig: Rig, ctid: int) -> int:
    """One in which hostname, passwd and chpasswd are hostile."""
    assert rig.operate("start", ctid).code == 0
    for name in ("hostname", "passwd", "chpasswd"):
        plant(rig, ctid, f"usr/local/sbin/{name}")
    return ctid


def plant(rig: Rig, ctid: int, path: str) -> None:
    place = rig.paths(ctid).fs / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.write_text(HOSTILE)
    place.chmod(0o755)


def test_a_host_name_and_a_password_are_set_without_running_anything_in_it(
    rig: Rig, hostile: int
) -> None:
    number = rig.begin("set", hostile, spec={"hostname": "web.example"},
                       userpasswd={"user": "root", "hash": f"$6$salt${'x' * 86}"})  # fmt: skip
    rig.wait_for(lambda: rig.ended(number), "the settings", ANSWERED_WITHIN)
    changed = rig.finish(number)

    assert (changed.code, changed.state) == (0, State.RUNNING), changed.log[:2000]
    assert "flooding" not in changed.log
    assert not (rig.paths(hostile).fs / "root/ran").exists()
    assert rig.inside(hostile, "/bin/busybox", "uname", "-n") == "web.example\n"
    assert (rig.paths(hostile).fs / "etc/shadow").read_text().startswith("root:$6$salt$")


def test_an_init_that_prints_and_hangs_when_asked_to_halt_is_not_logged_and_killed(
    rig: Rig, hostile: int
) -> None:
    plant(rig, hostile, "sbin/init")

    stopped = rig.operate("stop", hostile, stop_timeout=1)

    assert (stopped.code, stopped.state) == (0, State.STOPPED), stopped.log[:2000]
    assert (rig.paths(hostile).fs / "root/ran").exists()
    assert "flooding" not in stopped.log
    assert len(stopped.log) < MOST
