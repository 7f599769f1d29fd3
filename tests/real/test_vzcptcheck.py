"""vzcptcheck of a running container: what it needs, and what hinders it."""

import os
import subprocess
import sys

import pytest

from containers.node.checkpoint import cpu
from containers.node.conf import CHECKOUT
from tests.real.rig import Rig


@pytest.fixture
def running(rig: Rig, ctid: int) -> int:
    assert rig.operate("start", ctid).code == 0
    return ctid


def check(rig: Rig, *words: str) -> tuple[int, str]:
    env = {**os.environ, "PYTHONPATH": f"{CHECKOUT}", "PANEL_STATE_DIR": f"{rig.conf.state}"}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "containers.commands.vzcptcheck", *words],
        capture_output=True, text=True, env=env, timeout=30,
    )  # fmt: skip
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_it_can_go_where_the_processor_is_the_same(rig: Rig, running: int) -> None:
    assert check(rig, "caps", f"{running}", f"{cpu.of_node()}") == (0, "")


def test_a_lesser_processor_is_not_enough(rig: Rig, running: int) -> None:
    code, said = check(rig, "caps", f"{running}", f"{cpu.of_node() & ~1}")
    assert (code, said.splitlines()[0]) == (2, "Destination cpu does not have cmov")


def test_an_exec_session_hinders_it(rig: Rig, running: int) -> None:
    session = rig.begin("exec", running, command=["sh", "-c", "echo here; sleep 1000"])
    rig.wait_for(lambda: "here" in rig.said(session), "the session")

    code, said = check(rig, "caps", f"{running}", f"{cpu.of_node()}")

    assert code == 2
    assert "external process" in said
    assert f"CT {running} can't be migrated as it is" in said


def test_a_stopped_container_is_an_error(rig: Rig, ctid: int) -> None:
    assert check(rig, "caps", f"{ctid}", "1") == (1, f"CT {ctid} is not running\n")


def test_the_manuals_example_ends_with_two_zeros(rig: Rig, running: int) -> None:
    """As it is printed there, with the ssh left out."""
    script = f"""
        vzcptcheck() {{ PYTHONPATH={CHECKOUT} {sys.executable} -P -m containers.commands.vzcptcheck "$@"; }}
        VEID={running}
        VERSION=$(vzcptcheck version)
        echo Got CPT version: $VERSION
        vzcptcheck version $VERSION
        echo Version check result: $?
        CAPS=$(vzcptcheck caps)
        echo Got caps: $CAPS
        vzcptcheck caps $VEID $CAPS
        echo Caps check result: $?
    """  # noqa: E501
    env = {**os.environ, "PANEL_STATE_DIR": f"{rig.conf.state}"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=env,
                          timeout=60)  # fmt: skip
    assert done.stdout.splitlines() == [
        "Got CPT version: 256",
        "Version check result: 0",
        f"Got caps: {cpu.of_node()}",
        "Caps check result: 0",
    ]
