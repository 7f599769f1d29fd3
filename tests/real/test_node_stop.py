"""The node stops and starts: all containers together, with their scripts, within a time limit."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from containers.node import lxcfs, observed, veconf
from containers.node.actions import UMOUNT, Scope
from containers.node.processes.cgroup import Group
from containers.node.states import State
from tests.real.panel import Panel, whole_panel
from tests.real.test_panel_faults import reboot

pytestmark = [
    pytest.mark.criu,
    pytest.mark.redis,
    pytest.mark.xdist_group("node-stop"),
    pytest.mark.timeout(180),
]
CTIDS = range(101, 105)
HANGING = "sleep 10000019"
NOWHERE = "postgres://panel@127.0.0.1:9/panel"


@pytest.fixture(scope="module")
def panel(criu: str) -> Iterator[Panel]:
    with whole_panel(PANEL_CRIU=criu.split()[1]) as panel:
        yield panel


@pytest.fixture(scope="module")
def made(panel: Panel) -> list[int]:
    for number in CTIDS:
        panel.pctl("create", number, "--ostemplate", "busybox", "--ram", "256M")
    return [*CTIDS]


@pytest.fixture
def ctids(panel: Panel, made: list[int]) -> Iterator[list[int]]:
    """Four containers that run; without scripts and settings of their own afterwards."""
    for number in made:
        if panel.state(number) != State.RUNNING:
            panel.pctl("start", number, "--discard")
    yield made
    panel.write("update containers_script set enabled = 0")
    panel.write("update containers_container set autostop = '', onboot = 0")


def meet(here: Path, there: Path) -> str:
    """A script that ends once the other one is there, too."""
    return f"#!/bin/sh\ntouch {here}\nwhile [ ! -e {there} ]; do sleep 0.02; done\n"


def told(panel: Panel, *words: object, code: int = 0) -> tuple[dict[int, Any], str]:
    """What pctl says of each container, by CT ID, and its sentences."""
    said = panel.pctl("node", *words, "--json", code=code)
    found = next(line for line in said.splitlines() if line.startswith("{"))
    return {each["ctid"]: each for each in json.loads(found)["containers"]}, said


def pids(panel: Panel, ctids: list[int]) -> list[int]:
    inits = [observed.init_of(panel.path(ctid)) for ctid in ctids]
    return [init.pid for init in inits if init]


def test_a_restart_of_the_worker_leaves_lxcfs_to_the_containers(
    panel: Panel, ctids: list[int]
) -> None:
    if "FUSE" in (why := lxcfs.unable()):
        pytest.skip(why)
    group = Group(f"{panel.conf.cgroup}/lxcfs")
    before = group.processes()
    panel.stop("node")
    panel.start("node")
    assert len(before) == 1
    assert group.processes() == before
    assert "MemTotal:         262144 kB" in panel.pctl("exec", ctids[0], "cat /proc/meminfo")
    assert "figures: each container's own, by lxcfs" in panel.pctl("node", "show")


def test_all_stop_at_the_same_time_and_each_is_told_how(
    panel: Panel, ctids: list[int], tmp_path: Path
) -> None:
    plain, refusing, hanging, suspended = ctids
    one, other = tmp_path / "one", tmp_path / "other"
    panel.save(plain, "stop", "#!/bin/sh\ntouch /stopped\n")
    panel.save(plain, "umount", meet(one, other))
    panel.save(refusing, "stop", "#!/bin/sh\nexit 3\n")
    panel.save(refusing, "umount", meet(other, one))
    panel.save(hanging, "stop", f"#!/bin/sh\n{HANGING}\n")
    panel.pctl("set", suspended, "--autostop", "suspend")
    assert veconf.read(panel.path(suspended).ve_conf)["AUTOSTOP"] == "suspend"
    inits = pids(panel, ctids)
    ends, said = told(panel, "stop", "--timeout", 10, code=33)

    assert {number: end["ended"] for number, end in ends.items()} == {
        plain: "stopped", refusing: "killed", hanging: "killed", suspended: "suspended",
    }  # fmt: skip
    assert (panel.path(plain).fs / "stopped").exists()
    assert f"CT {refusing} was killed. Its stop script ended with exit code 3." in said
    assert f"CT {hanging} was killed. It had not ended within 10 s." in said
    assert [pid for pid in inits if Path(f"/proc/{pid}").exists()] == []
    for number in ctids:
        assert not observed.mounted(panel.path(number).root)
        assert panel.shown(panel.last(number))["via"] == "shutdown"


def test_without_a_worker_pctl_stops_them_and_starts_and_resumes_them(
    panel: Panel, ctids: list[int]
) -> None:
    starting, staying, suspended, _ = ctids
    panel.pctl("set", starting, "--onboot", "yes")
    panel.pctl("set", suspended, "--autostop", "suspend")
    panel.pctl("exec", suspended, "echo only-in-memory >/dev/shm/note")
    panel.stop("node")
    try:
        told(panel, "stop")
        started, said = told(panel, "start")
    finally:
        panel.start("node")

    assert {number: each["kind"] for number, each in started.items()} == {
        starting: "start", suspended: "resume",
    }  # fmt: skip
    assert f"CT {staying} was running before; it is not started" in said
    assert panel.state(staying) == State.STOPPED
    assert "only-in-memory" in panel.pctl("exec", suspended, "cat /dev/shm/note")


def test_after_a_reboot_the_worker_resumes_what_the_shutdown_suspended(
    panel: Panel, ctids: list[int]
) -> None:
    staying, suspended = ctids[0], ctids[1]
    panel.pctl("set", staying, "--autostop", "stop")
    vz_conf = panel.conf.vz_conf.read_text()
    panel.conf.vz_conf.write_text(f'{vz_conf}VE_STOP_MODE="suspend"\n')
    try:
        ends, _ = told(panel, "stop")
    finally:
        panel.conf.vz_conf.write_text(vz_conf)
    assert (ends[staying]["ended"], ends[suspended]["ended"]) == ("stopped", "suspended")
    before = panel.last(suspended)
    reboot(panel)
    panel.until(lambda: panel.last(suspended) > before, "it to be resumed")
    assert panel.until_over(panel.last(suspended)) == "succeeded"
    for number in ctids[1:]:
        panel.until_state(number, State.RUNNING)
    assert panel.state(staying) == State.STOPPED


def test_without_a_database_they_are_stopped_with_their_scripts_all_the_same(
    panel: Panel, ctids: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, hanging, *others = ctids
    mark = tmp_path / "dismounted"
    panel.save(plain, "umount", f"#!/bin/sh\ntouch {mark}\n")
    panel.save(hanging, "stop", f"#!/bin/sh\n[ ! -e /tmp/hang ] || {HANGING}\n")
    for number in (plain, hanging):  # an operation writes them to the node
        panel.pctl("restart", number)
    panel.pctl("exec", hanging, "touch /tmp/hang")
    mark.unlink()
    inits = pids(panel, ctids)
    panel.stop("node")
    try:
        with monkeypatch.context() as away:
            away.setitem(panel.env, "PANEL_DATABASE_URL", NOWHERE)
            said = panel.pctl("node", "stop", "--timeout", 5, code=33)
        late = [panel.pctl("exec", plain, "true", code=8), panel.pctl("enter", plain, code=31)]
    finally:
        panel.start("node")
    for words in late:  # the row says that it runs
        assert "The container is not running any more, it is stopped" in words
        assert "runc" not in words
    assert "The database is away, so nothing is recorded" in said
    assert [f"CT {number} is stopped." in said for number in (plain, *others)] == [True] * 3
    assert f"CT {hanging} was killed: it had not ended within 5 s." in said
    assert mark.exists()
    assert panel.path(plain).script(Scope.OWN, UMOUNT).exists()
    assert [pid for pid in inits if Path(f"/proc/{pid}").exists()] == []
    panel.until(lambda: panel.state(plain) == State.STOPPED, "the worker to find it stopped")
