"""osctl psc and schedules on a whole panel: real processes, kept, brought back, refused."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.real.panel import Panel, whole_panel
from tests.real.test_panel_faults import reboot

pytestmark = [pytest.mark.redis, pytest.mark.xdist_group("osctl"), pytest.mark.timeout(300)]
CTIDS = itertools.count(601)
COUNTER = """#!/bin/sh
exec </dev/null >/dev/null 2>&1
sh -c 'n=0; while :; do n=$((n+1)); echo $n >/counter; sleep 0.05; done' &
"""
MOUNTING = """#!/bin/sh
. "$VE_CONFFILE"
mount -n --bind /usr/share "$VE_ROOT/mnt"
"""
NOBODYS = "00000000-1111-2222-3333-444444444444"


@pytest.fixture(scope="module")
def panel(criu: str) -> Iterator[Panel]:
    with whole_panel(PANEL_CRIU=criu.split()[1]) as panel:
        yield panel


@pytest.fixture
def ctid(panel: Panel) -> Iterator[int]:
    """A container that counts."""
    number = next(CTIDS)
    panel.pctl("create", number, "--ostemplate", "busybox")
    panel.save(number, "start", COUNTER)
    panel.pctl("start", number)
    yield number
    if panel.state(number) == "suspended":
        panel.pctl("start", number, "--discard")
    panel.pctl("stop", number, "--fast")
    panel.pctl("destroy", number)


def osctl(panel: Panel, *words: object, code: int = 0) -> tuple[str, str]:
    """What it prints and says, when it ends with the code that is expected."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "containers.commands.osctl", "psc", *map(str, words)],
        env=panel.env, cwd="/", capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout, done.stderr


def inside(panel: Panel, ctid: int, command: str) -> str:
    return panel.pctl("exec", ctid, command).strip()


def counted(panel: Panel, ctid: int) -> int:
    return int(inside(panel, ctid, "cat /counter") or 0)


def listed(panel: Panel, ctid: int) -> list[dict[str, object]]:
    return list(json.loads(osctl(panel, "list", ctid, "--json")[0]))


def test_processes_are_kept_verified_tried_and_brought_back(panel: Panel, ctid: int) -> None:
    out, _ = osctl(panel, "create", ctid, "--name", "one", "--note", "it counts")
    uuid = out.splitlines()[-1]
    at = counted(panel, ctid)
    assert osctl(panel, "ok", ctid, uuid) == ("ok\n", "")
    assert osctl(panel, "ok", ctid, "one", "--trial-restore")[0] == "ok\n"
    inside(panel, ctid, "echo later >/later")
    panel.until(lambda: counted(panel, ctid) > at + 80, "it to count on")

    osctl(panel, "restore", ctid, "one")
    back = counted(panel, ctid)
    assert back < at + 80
    assert inside(panel, ctid, "ls /later 2>&1 || true").endswith("No such file or directory")
    panel.until(lambda: counted(panel, ctid) > back, "it to count on after the restore")
    safety, one = listed(panel, ctid)
    assert (one["name"], one["here"], one["verdict"], one["note"]) == (
        "one", True, "ok", "it counts",
    )  # fmt: skip
    assert (safety["safety"], safety["parent"], safety["with_processes"]) == (True, uuid, True)

    osctl(panel, "delete", ctid, safety["uuid"])
    assert [each["uuid"] for each in listed(panel, ctid)] == [uuid]
    assert [path.name for path in panel.path(ctid).snapshots.iterdir()] == [uuid]


def test_a_flipped_byte_is_broken_and_not_restored(panel: Panel, ctid: int) -> None:
    uuid = osctl(panel, "create", ctid)[0].splitlines()[-1]
    image = next((panel.path(ctid).snapshots / uuid / "img").glob("pages-*.img"))
    with image.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))
    out, said = osctl(panel, "ok", ctid, uuid, "--json", code=2)
    assert json.loads(out)["verdict"] == "broken"
    assert f"Not as it was written: img/{image.name}." in said
    before = counted(panel, ctid)
    osctl(panel, "restore", ctid, uuid, code=17)
    panel.until(lambda: counted(panel, ctid) > before, "it to count on")
    assert len(listed(panel, ctid)) == 1


def test_what_is_unknown_is_broken_and_what_makes_no_sense_cannot_be_told(
    panel: Panel, ctid: int
) -> None:
    assert "There is no snapshot" in osctl(panel, "ok", ctid, NOBODYS, code=2)[1]
    assert "there is no CT 99999" in osctl(panel, "ok", 99999, NOBODYS, code=2)[1].replace(
        "T", "t", 1
    )
    osctl(panel, "ok", ctid, code=1)
    osctl(panel, "ok", ctid, NOBODYS, "--nonsense", code=1)
    osctl(panel, "restore", ctid, NOBODYS, code=21)


def test_a_clone_counts_on_by_itself(panel: Panel, ctid: int) -> None:
    uuid = osctl(panel, "create", ctid)[0].splitlines()[-1]
    clone = next(CTIDS)
    osctl(panel, "clone", ctid, uuid, clone, "--processes", "--hostname", "twin")
    try:
        before = counted(panel, clone)
        panel.until(lambda: counted(panel, clone) > before, "the clone to count")
        assert inside(panel, clone, "hostname") == "twin"
        assert panel.state(ctid) == panel.state(clone) == "running"
    finally:
        panel.pctl("stop", clone, "--fast")
        panel.pctl("destroy", clone)


def test_a_suspended_container_goes_on_where_it_was(panel: Panel, ctid: int) -> None:
    inside(panel, ctid, "echo only-in-memory >/dev/shm/note")
    panel.pctl("suspend", ctid)
    assert panel.state(ctid) == "suspended"
    panel.pctl("start", ctid, code=32)
    panel.pctl("resume", ctid)
    assert inside(panel, ctid, "cat /dev/shm/note") == "only-in-memory"


def test_after_a_reboot_of_the_node_a_suspended_container_goes_on_where_it_was(
    panel: Panel, ctid: int
) -> None:
    inside(panel, ctid, "echo only-in-memory >/dev/shm/note")
    panel.pctl("set", ctid, "--onboot", "yes", "--save")
    panel.pctl("suspend", ctid)
    before = panel.last()
    reboot(panel)
    panel.until(lambda: panel.last(ctid) > before, "it to be resumed")
    operation = panel.last(ctid)
    assert panel.until_over(operation) == "succeeded", panel.log(operation).decode()
    assert [panel.shown(operation)[key] for key in ("kind", "via")] == ["resume", "boot"]
    assert inside(panel, ctid, "cat /dev/shm/note") == "only-in-memory"


def test_a_trial_restore_that_fails_says_why_and_touches_nothing(panel: Panel, ctid: int) -> None:
    panel.save(ctid, "mount", MOUNTING)
    panel.pctl("restart", ctid)
    uuid = osctl(panel, "create", ctid)[0].splitlines()[-1]
    out, said = osctl(panel, "ok", ctid, uuid, "--trial-restore", code=1)
    assert out == "can't tell\n"
    assert (
        "There can be no trial restore: its processes use /mnt, which is no part of its disk."
        in said
    )
    before = counted(panel, ctid)
    panel.until(lambda: counted(panel, ctid) > before, "it to count on")


def test_a_scheduled_snapshot_is_made_while_the_web_is_down(panel: Panel, ctid: int) -> None:
    panel.stop("web")
    try:
        panel.write(
            "insert into containers_schedule (container_id, every, cron, keep, disk_only, next,"
            " failures, error, problem, details)"
            " select id, 60, '', 2, 0, ?, 0, '', '', '{}' from containers_container"
            " where ct_id = ?",
            datetime.now(UTC).isoformat(sep=" "), ctid,
        )  # fmt: skip
        panel.until(lambda: listed(panel, ctid), "the snapshot")
        (made,) = listed(panel, ctid)
        assert (made["scheduled"], made["with_processes"]) == (True, True)
    finally:
        panel.start("web")
