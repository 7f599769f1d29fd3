"""An init that dies within its first seconds is a failed start, and its reason is told."""

import itertools
import json
from collections.abc import Iterator

import pytest

from containers.node.problems import for_customers
from containers.node.spool import Event
from containers.node.states import State
from tests.real.rig import Outcome, Rig
from tests.real.snapshots import fresh, take

UP, DOWN = State.RUNNING, State.STOPPED
NUMBERS = itertools.count(801)
SCREEN = r"printf '\033[2J\033]0;title\007one.\r\n\007tw\033[31mo\r\n' >/dev/console"
HOG = "exec tail /dev/zero"  # all of it is one line
SMALL = {"ram": 32}  # MiB
MOUNT = (
    '#!/bin/sh\n. "$VE_CONFFILE"\n[ ! -e "$VE_ROOT/root/snapshot" ] || touch "$VE_ROOT/root/die"\n'
)
# what its init does, how it ended, and what is told besides
DEATHS = {
    "exits": ("exit 3", 3, "init-died"),
    "ends-well": ("exit 0", 0, "init-died"),
    "is-killed": ("f() { f; }; f", -11, "init-died"),  # its stack overflows
    "eats-memory": (HOG, -9, "init-out-of-memory"),
}


@pytest.fixture
def other(rig: Rig) -> Iterator[int]:
    """A container with little memory."""
    number = next(NUMBERS)
    assert rig.operate("create", number, spec=SMALL).code == 0
    yield number
    rig.clear(number)


def boot_with(rig: Rig, ctid: int, body: str) -> None:
    path = rig.paths(ctid).fs / "sbin/init"
    path.unlink()
    path.write_text(f"#!/bin/sh\n# panel-init\n{body}\n")
    path.chmod(0o755)


def gone(rig: Rig, ctid: int) -> Event:
    return dict(json.loads(rig.paths(ctid).monitor.joinpath("events").read_text().splitlines()[-1]))


def failed(outcome: Outcome, word: str) -> dict[str, object]:
    assert outcome.end["progress"] == "failed", outcome.log
    assert outcome.end["problem"] == word, outcome.log
    return dict(outcome.end["details"])


@pytest.mark.parametrize("how", DEATHS)
def test_a_start_fails_with_its_init(rig: Rig, other: int, how: str) -> None:
    body, exit, word = DEATHS[how]
    boot_with(rig, other, body)

    started = rig.operate("start", other, spec=SMALL)

    details = failed(started, word)
    assert details["exit"] == exit
    assert details["lived"] == gone(rig, other)["lived"] < 2
    assert started.code == 7
    assert (started.state, rig.state(other)) == (DOWN, DOWN)
    assert not rig.paths(other).runc_root.joinpath(f"{other}").exists()


def test_its_last_lines_are_told_and_harmless(rig: Rig, ctid: int) -> None:
    boot_with(rig, ctid, f"{SCREEN}; exit 1")
    details = failed(rig.operate("start", ctid), "init-died")
    assert details["last"] == ["one.", "two"]
    started = rig.operate("start", ctid)
    assert "ended with exit code 1 0." in started.end["error"]
    assert started.end["error"].endswith("on its console: one. / two.")
    told = for_customers("init-died", started.end["details"])
    assert "exit code" not in told
    assert told.endswith("on its console: one. / two.")


def test_a_missing_or_unusable_init_is_told(rig: Rig, ctid: int) -> None:
    path = rig.paths(ctid).fs / "sbin/init"
    path.unlink()
    path.write_bytes(b"\x7fELF no program")
    path.chmod(0o755)
    started = rig.operate("start", ctid)
    assert (started.code, started.state) == (7, DOWN), started.log
    path.unlink()
    started = rig.operate("start", ctid)
    assert (started.end["problem"], started.state) == ("no-init", DOWN), started.log


def test_one_that_starts_others_is_not_waited_for(rig: Rig, ctid: int) -> None:
    started = rig.operate("start", ctid)
    assert (started.code, started.state) == (0, UP)
    began, ended = (e["t"] for e in started.events if e.get("i") == boot_of(started)
                    and e["ev"] in ("began", "ended"))  # fmt: skip
    assert ended - began < 0.25  # which one without children is watched for


def boot_of(outcome: Outcome) -> int:
    return next(int(e["i"]) for e in outcome.events if e["ev"] == "began" and e["step"] == "boot")


def test_a_restart_fails_with_the_new_init(rig: Rig, ctid: int) -> None:
    assert rig.operate("start", ctid).code == 0
    boot_with(rig, ctid, "exit 5")
    restarted = rig.operate("restart", ctid)
    assert failed(restarted, "init-died")["exit"] == 5
    assert restarted.state is DOWN


@pytest.mark.parametrize("body", ["exit 6", "sleep 1; exit 6"])
def test_a_reinstallation_has_its_old_system_back(rig: Rig, ctid: int, body: str) -> None:
    assert rig.operate("start", ctid).code == 0
    rig.inside(ctid, "touch", "/root/mine")
    line = body.replace("exit", "\\nexit")
    rig.write(
        ctid,
        "vps.reinstall",
        f"""#!/bin/sh
cp -a "$6" "$4"
rm "$4/sbin/init"
printf '#!/bin/sh\\n# panel-init\\n{line}\\n' >"$4/sbin/init"
chmod 755 "$4/sbin/init"
""",
    )

    done = rig.operate("reinstall", ctid, skipbackup=True)

    assert failed(done, "init-died")["exit"] == 6
    assert (done.code, done.state) == (94, UP), done.log
    assert (rig.paths(ctid).fs / "root/mine").exists()
    assert rig.inside(ctid, "ls", "/root") == "mine\n"


@pytest.mark.criu
@pytest.mark.parametrize("plan", ["restore", "resume"])
def test_processes_that_die_as_they_come_back(criu: str, rig: Rig, ctid: int, plan: str) -> None:
    """It looks as soon as it runs whether it has been kept."""
    boot_with(rig, ctid, "while [ ! -e /root/die ]; do usleep 1000; done; exit 7")
    assert rig.operate("start", ctid).code == 0
    if plan == "resume":
        assert rig.operate("suspend", ctid).code == 0
        (rig.paths(ctid).fs / "root/die").touch()
        done = rig.operate("resume", ctid)
        assert (failed(done, "init-died")["exit"], done.state) == (7, State.SUSPENDED), done.log
        (rig.paths(ctid).fs / "root/die").unlink()
        assert rig.operate("resume", ctid).state is UP
        return
    (rig.paths(ctid).fs / "root/snapshot").touch()
    kept = take(rig, ctid)
    (rig.paths(ctid).fs / "root/snapshot").unlink()
    rig.write(ctid, "mount", MOUNT)
    done = rig.operate("restore", ctid, **kept.params, safety=fresh())
    assert failed(done, "init-died")["exit"] == 7
    assert (done.code, done.state) == (17, UP), done.log
    assert not (rig.paths(ctid).fs / "root/snapshot").exists()
