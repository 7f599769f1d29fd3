"""Snapshots of running containers: what comes back, and that all of it is of one instant."""

import os
import signal
from pathlib import Path

import pytest

from containers.node import observed, veconf
from containers.node.states import State
from tests.real.counter import count, counting, read
from tests.real.rig import Rig
from tests.real.snapshots import fresh, listed, private, take

pytestmark = pytest.mark.criu
UP, DOWN, MOUNTED = State.RUNNING, State.STOPPED, State.MOUNTED


@pytest.fixture
def running(criu: str, rig: Rig, ctid: int) -> int:
    counting(rig, ctid)
    return ctid


def put(rig: Rig, ctid: int, text: str) -> None:
    (rig.paths(ctid).fs / "root/file").write_text(text)


def got(rig: Rig, ctid: int) -> str:
    return (rig.paths(ctid).fs / "root/file").read_text()


def test_a_snapshot_lets_the_container_go_on(rig: Rig, running: int) -> None:
    count(rig, running)
    kept = take(rig, running, name="before", note="a note")

    assert count(rig, running) == 2
    assert rig.state(running) is UP
    assert kept.facts["processes"] is True
    assert kept.facts["size"] > 0
    assert {path.name for path in kept.saved.path.iterdir()} == {
        "fs", "img", "scripts", "config.json", "ve.conf", "snapshot.json", "manifest",
    }  # fmt: skip
    assert (kept.verify().answer, kept.verify().reasons) == ("ok", ())


def test_a_restore_brings_memory_and_disk_of_then_back(rig: Rig, running: int) -> None:
    put(rig, running, "then")
    count(rig, running)
    kept = take(rig, running)
    count(rig, running)
    count(rig, running)
    put(rig, running, "later")

    restored = rig.operate("restore", running, **kept.params, safety=fresh())

    assert (restored.code, restored.state) == (0, UP), restored.log
    assert got(rig, running) == "then"
    assert count(rig, running) == 2
    assert private(rig, running) == ["fs", "scripts", "ve.conf"]


def test_the_safety_snapshot_leads_back_again(rig: Rig, running: int) -> None:
    kept = take(rig, running)
    count(rig, running)
    count(rig, running)
    put(rig, running, "later")
    restored = rig.operate("restore", running, **kept.params, safety=fresh())
    safety = restored.facts["snapshot"]
    assert safety["kind"] == "safety"
    assert count(rig, running) == 1

    params = {"snapshot": safety["uuid"], "manifest": safety["manifest"]}
    assert rig.operate("restore", running, **params).code == 0

    assert got(rig, running) == "later"
    assert count(rig, running) == 3


def test_a_container_that_was_killed_comes_back(rig: Rig, running: int) -> None:
    count(rig, running)
    kept = take(rig, running)
    init = rig.init(running)
    os.kill(init.pid, signal.SIGKILL)
    rig.wait_for(lambda: rig.state(running) is MOUNTED, "its end")

    restored = rig.operate("restore", running, **kept.params)

    assert (restored.code, restored.state) == (0, UP), restored.log
    assert count(rig, running) == 2


def test_a_restored_container_can_be_kept_restored_and_stopped_again(
    rig: Rig, running: int
) -> None:
    first = take(rig, running)
    assert rig.operate("restore", running, **first.params).code == 0
    assert count(rig, running) == 1
    second = take(rig, running)
    assert rig.operate("restore", running, **second.params).code == 0
    assert count(rig, running) == 2

    stopped = rig.operate("stop", running)

    assert (stopped.code, stopped.state) == (0, DOWN)
    assert "it is killed" not in stopped.log


def test_the_console_of_a_restored_container_is_kept(rig: Rig, running: int) -> None:
    kept = take(rig, running)
    assert rig.operate("restore", running, **kept.params).code == 0
    console = rig.paths(running).monitor / "console"

    rig.inside(running, "sh", "-c", "echo still here >/dev/console")

    rig.wait_for(lambda: b"still here" in console.read_bytes(), "the console")


def test_a_stopped_container_has_its_disk_kept_and_restored(rig: Rig, ctid: int) -> None:
    put(rig, ctid, "then")
    kept = take(rig, ctid)
    assert kept.facts["processes"] is False
    assert kept.verify().answer == "ok"
    put(rig, ctid, "later")

    restored = rig.operate("restore", ctid, **kept.params, safety=fresh())

    assert (restored.code, restored.state) == (0, DOWN), restored.log
    assert got(rig, ctid) == "then"
    back = {"snapshot": restored.facts["snapshot"]["uuid"]}
    assert rig.operate("restore", ctid, **back).code == 0
    assert got(rig, ctid) == "later"


def test_a_mounted_container_has_its_disk_kept_and_is_dismounted_by_a_restore(
    rig: Rig, ctid: int
) -> None:
    assert rig.operate("mount", ctid).code == 0
    kept = take(rig, ctid)
    assert rig.state(ctid) is MOUNTED

    restored = rig.operate("restore", ctid, **kept.params)

    assert (restored.code, restored.state) == (0, DOWN)


def test_a_disk_only_snapshot_of_a_running_container_stops_it_when_restored(
    rig: Rig, running: int
) -> None:
    kept = take(rig, running, disk_only=True)
    assert kept.facts["processes"] is False
    assert count(rig, running) == 1

    restored = rig.operate("restore", running, **kept.params, safety=fresh())

    assert (restored.code, restored.state) == (0, DOWN)
    assert restored.facts["snapshot"]["processes"] is True


def test_only_the_disk_of_a_snapshot_can_be_restored(rig: Rig, running: int) -> None:
    put(rig, running, "then")
    kept = take(rig, running)
    put(rig, running, "later")

    restored = rig.operate("restore", running, **kept.params, disk_only=True)

    assert (restored.code, restored.state) == (0, DOWN)
    assert got(rig, running) == "then"


def test_a_snapshot_can_end_the_container(rig: Rig, running: int) -> None:
    count(rig, running)
    for name in ("vps.mount", "mount", "start", "stop", "umount", "vps.umount"):
        rig.write(running, name, "#!/bin/sh\ntrue\n")

    outcome = rig.operate("snapshot", running, snapshot=fresh(), stop=True)

    assert (outcome.code, rig.state(running)) == (0, DOWN)
    assert outcome.scripts == ["umount", "vps.umount"]
    facts = outcome.facts["snapshot"]
    params = {"snapshot": facts["uuid"], "manifest": facts["manifest"]}
    restored = rig.operate("restore", running, **params)
    assert (restored.code, restored.scripts) == (0, ["vps.mount", "mount"])
    assert count(rig, running) == 2


def test_snapshots_are_deleted_one_by_one_and_with_their_container(rig: Rig, running: int) -> None:
    one, other = take(rig, running), take(rig, running)

    deleted = rig.operate("delete_snapshot", running, snapshot=one.uuid)

    assert (deleted.code, deleted.facts["snapshot_gone"]) == (0, one.uuid)
    assert listed(rig, running) == [other.uuid]
    assert rig.operate("stop", running).code == 0
    assert rig.operate("destroy", running).code == 0
    assert listed(rig, running) == []


def test_a_daemon_of_the_start_script_is_kept_too(criu: str, rig: Rig, ctid: int) -> None:
    rig.write(ctid, "start", """
        (i=0; trap 'i=$((i + 1)); echo $i >/tmp/count' USR1
         echo $i >/tmp/count; while :; do sleep 1000 & wait $!; done) &
        echo $! >/tmp/counter.pid
    """)  # fmt: skip
    assert rig.operate("start", ctid).code == 0
    rig.wait_for(lambda: read(rig, ctid) == 0, "the daemon")
    count(rig, ctid)
    kept = take(rig, ctid)

    restored = rig.operate("restore", ctid, **kept.params)

    assert (restored.code, restored.scripts) == (0, []), restored.log
    assert count(rig, ctid) == 2


def test_what_mount_scripts_have_mounted_is_there_after_a_restore(
    criu: str, rig: Rig, ctid: int, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("the node's")
    tmp_path.chmod(0o755)
    target = f"{rig.paths(ctid).root}/mnt"
    rig.write(ctid, "mount", f"#!/bin/sh\nmount --bind {tmp_path} {target}\n")
    counting(rig, ctid)
    kept = take(rig, ctid)
    assert (kept.facts["mounts"], kept.verify().answer) == (["/mnt"], "ok")

    restored = rig.operate("restore", ctid, **kept.params, safety=fresh())

    assert restored.code == 0, restored.log
    assert rig.inside(ctid, "cat", "/mnt/data") == "the node's"
    assert count(rig, ctid) == 1


def test_without_its_mount_script_a_restore_is_refused_and_nothing_is_touched(
    criu: str, rig: Rig, ctid: int, tmp_path: Path
) -> None:
    target = f"{rig.paths(ctid).root}/mnt"
    rig.write(ctid, "mount", f"#!/bin/sh\nmount --bind {tmp_path} {target}\n")
    counting(rig, ctid)
    kept = take(rig, ctid)
    rig.scripts.pop(ctid)
    rig.paths(ctid).scripts.joinpath("mount").unlink()

    restored = rig.operate("restore", ctid, **kept.params)

    assert (restored.code, restored.state) == (17, UP)
    assert "/mnt was mounted by a mount script, and there is none any more" in restored.end["error"]
    assert count(rig, ctid) == 1


def test_an_exec_session_is_told_of_left_out_and_goes_on(rig: Rig, running: int) -> None:
    session = rig.begin("exec", running, command=["sh", "-c", "echo here; sleep 1000"])
    rig.wait_for(lambda: "here" in rig.said(session), "the session")

    outcome = rig.operate("snapshot", running, snapshot=fresh())

    assert outcome.code == 0, outcome.log
    assert "an exec session is no part of a snapshot" in outcome.log
    assert count(rig, running) == 1
    assert not rig.ended(session)
    facts = outcome.facts["snapshot"]
    assert rig.operate("restore", running, snapshot=facts["uuid"], safety=fresh()).code == 0
    assert rig.finish(session).code != 0
    assert count(rig, running) == 1


def test_a_snapshot_that_exists_is_not_written_over(rig: Rig, ctid: int) -> None:
    kept = take(rig, ctid)

    again = rig.operate("snapshot", ctid, snapshot=kept.uuid)

    assert again.code == 44
    assert kept.verify().answer == "ok"


def test_a_trial_restore_touches_nothing(rig: Rig, running: int) -> None:
    kept = take(rig, running)
    before = private(rig, running)

    tried = rig.operate("trial_restore", running, **kept.params)

    assert tried.code == 0, tried.log
    assert tried.facts["tried"]["processes"] >= 3
    assert count(rig, running) == 1
    assert private(rig, running) == before
    assert [path.name for path in (rig.conf.vz / "private").iterdir()] == [f"{running}"]
    assert kept.verify().answer == "ok"


def test_on_plain_directories_nothing_vouches_for_the_disk(
    criu: str, rig: Rig, bare_ctid: int
) -> None:
    rig.storage = "directory"
    assert rig.operate("create", bare_ctid).code == 0
    counting(rig, bare_ctid)
    put(rig, bare_ctid, "then")
    kept = take(rig, bare_ctid)
    put(rig, bare_ctid, "later")
    verdict = kept.verify()
    assert (verdict.answer, verdict.reasons[0].fault) == ("can't tell", "plain-copy")

    restored = rig.operate("restore", bare_ctid, **kept.params, safety=fresh())

    assert (restored.code, restored.state) == (0, UP), restored.log
    assert got(rig, bare_ctid) == "then"
    assert count(rig, bare_ctid) == 1


def test_a_snapshot_needs_a_name_that_is_a_uuid(rig: Rig, ctid: int) -> None:
    for params in ({}, {"snapshot": "../../etc"}, {"snapshot": 7}):
        assert rig.operate("snapshot", ctid, **params).code == 21
        assert rig.operate("restore", ctid, **params).code == 21
        assert rig.operate("delete_snapshot", ctid, **params).code == 21


def test_a_restore_brings_back_its_template_and_the_settings_that_are_asked_for(
    rig: Rig, running: int
) -> None:
    """F10: its row went on saying which template the disk of before was made of."""
    then = {"template": "old@1", "hostname": "then", "ram": 64, "nameservers": ["192.0.2.1"]}
    now = {"template": "new@7", "hostname": "now", "ram": 128, "nameservers": ["192.0.2.2"]}
    assert rig.operate("set", running, spec=then, former={}).code == 0
    kept = take(rig, running, spec=then)
    assert kept.facts["template"] == "old@1"
    assert rig.operate("set", running, spec=now, former=then).code == 0

    restored = rig.operate("restore", running, spec=now, **kept.params, safety=fresh())

    assert (restored.code, restored.facts["template"]) == (0, "old@1"), restored.log
    assert set_to(rig, running) == ("old@1", "now", 128, "nameserver 192.0.2.2")
    back = {"snapshot": restored.facts["snapshot"]["uuid"], "take": {"ram": 64}}
    restored = rig.operate("restore", running, spec=now, **back)
    assert (restored.code, restored.facts["template"]) == (0, "new@7"), restored.log
    assert set_to(rig, running) == ("new@7", "now", 64, "nameserver 192.0.2.2")


def set_to(rig: Rig, ctid: int) -> tuple[str, str, int, str]:
    """Its template in ve.conf, the name and resolver it has, and its memory in MiB."""
    conf = veconf.read(rig.paths(ctid).ve_conf)
    group = observed.cgroup_paths(rig.paths(ctid))
    limit = next(path for where in (group.get("memory"), group.get("")) if where
                 for path in (where / "memory.limit_in_bytes", where / "memory.max")
                 if path.exists())  # fmt: skip
    name = rig.inside(ctid, "hostname").strip()
    assert (conf["HOSTNAME"], rig.inside(ctid, "cat", "/etc/hostname").strip()) == (name, name)
    assert conf["PHYSPAGES"] == f"0:{int(limit.read_text()) // 4096}"
    resolver = rig.inside(ctid, "grep", "nameserver", "/etc/resolv.conf").strip()
    return conf["OSTEMPLATE"], name, int(limit.read_text()) >> 20, resolver
