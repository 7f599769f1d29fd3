"""What the whole panel survives: its processes killed, its Redis and database away, a power cut."""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.node import observed
from containers.node.network import names
from containers.node.processes.run import call
from containers.node.spool import Spool
from containers.node.states import State
from containers.node.storage import pool
from tests.real.panel import DONE_WITHIN, Panel, whole_panel

pytestmark = [pytest.mark.redis, pytest.mark.xdist_group("panel-faults"), pytest.mark.timeout(180)]
CTIDS = itertools.count(101)
AWAY = 10.0  # seconds
LINES = 2000  # more than a page of the page cache, which may have room on a full disk
EARLY, LATE = (b"%s %d\n" % (word, LINES) for word in (b"early", b"late"))


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with whole_panel() as panel:
        yield panel


@pytest.fixture
def ctid(panel: Panel) -> Iterator[int]:
    """A container of the busybox template; gone afterwards, whatever became of it."""
    yield from made(panel)


@pytest.fixture
def another(panel: Panel) -> Iterator[int]:
    yield from made(panel)


def made(panel: Panel) -> Iterator[int]:
    number = next(CTIDS)
    panel.pctl("create", number, "--ostemplate", "busybox")
    yield number
    panel.save(number, "umount", "#!/bin/sh\n")
    panel.pctl("stop", number, "--fast", "--without-stop-script", "--reason", "the test is over")
    if observed.mounted(panel.path(number).root):
        panel.pctl("umount", number)
    panel.pctl("destroy", number)


class Gate:
    """A file that a script waits for."""

    def __init__(self, path: Path, inside: str = "") -> None:
        self.path, self.inside = path, inside or f"{path}"

    def script(self, before: str, after: str) -> str:
        """Says some lines, waits, and says some more."""
        wait = f"while [ ! -e {self.inside} ]; do sleep 0.02; done"
        return f"#!/bin/sh\n{say(before)}\n{wait}\n{say(after)}\n"

    def open(self) -> None:
        self.path.touch()


def say(word: str) -> str:
    return f"i=0; while [ $i -lt {LINES} ]; do i=$((i + 1)); echo {word} $i; done"


def said(word: str) -> bytes:
    return b"".join(b"%s %d\n" % (word.encode(), i) for i in range(1, LINES + 1))


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "open")


def gate_in(panel: Panel, ctid: int) -> Gate:
    """One that a script in the container can see."""
    return Gate(panel.path(ctid).fs / "open", "/open")


def whole(log: bytes) -> bool:
    """Every line of both halves, once each and in order."""
    return log.count(said("early")) == 1 and log.count(said("late")) == 1


# Processes


def test_killing_the_node_costs_no_byte_of_the_script_that_runs(
    panel: Panel, ctid: int, gate: Gate
) -> None:
    panel.save(ctid, "mount", gate.script("early", "late"))
    operation = panel.request("start", ctid)
    panel.until_says(operation, EARLY)
    panel.stop("node", by=signal.SIGKILL)
    gate.open()
    spool = panel.conf.spool / f"{operation}" / "log"
    panel.until(lambda: LATE in spool.read_bytes(), "the script to go on alone")
    assert b"late" not in panel.log(operation)
    panel.start("node")
    assert panel.until_over(operation) == "succeeded"
    assert whole(panel.log(operation))
    assert panel.state(ctid) == State.RUNNING
    assert observed.state_of(panel.path(ctid)) is State.RUNNING


def test_what_ended_while_the_node_was_away_is_found_when_it_is_back(
    panel: Panel, ctid: int, gate: Gate
) -> None:
    panel.save(ctid, "mount", gate.script("early", "late") + "exit 7\n")
    operation = panel.request("start", ctid)
    panel.until_says(operation, EARLY)
    runner = Spool(panel.conf.spool / f"{operation}")
    panel.stop("node", by=signal.SIGKILL)
    gate.open()
    panel.until(lambda: not runner.alive(), "the runner to end")
    panel.start("node")
    assert panel.until_over(operation) == "failed"
    assert whole(panel.log(operation))
    shown = panel.shown(operation)
    assert shown["error"].startswith("Its mount script ended with exit code 7.")
    assert panel.state(ctid) == State.STOPPED


@pytest.mark.parametrize(("script", "kind"), [("mount", "start"), ("start", "start")])
def test_a_killed_runner_leaves_an_interrupted_operation_and_the_true_state(
    panel: Panel, ctid: int, gate: Gate, script: str, kind: str
) -> None:
    gate = gate_in(panel, ctid) if script == "start" else gate
    panel.save(ctid, script, gate.script("early", "late"))
    operation = panel.request(kind, ctid)
    panel.until_says(operation, EARLY)
    kill(Spool(panel.conf.spool / f"{operation}").pid())
    assert panel.until_over(operation) == "interrupted"
    assert b"The runner of this operation ended unexpectedly" in panel.log(operation)
    shown = panel.shown(operation)
    assert (shown["problem"], shown["details"]["recovered"]) == ("runner-died", "back")
    assert (shown["details"]["scope"], shown["details"]["action"]) == ("own", script)
    assert panel.state(ctid) == State.STOPPED
    assert observed.state_of(panel.path(ctid)) is State.STOPPED
    assert not runs(f"{panel.path(ctid).scripts / script}")  # though nobody has opened the gate
    panel.save(ctid, script, "#!/bin/sh\n")
    panel.pctl("start", ctid)


def runs(path: str) -> bool:
    lines = []
    for pid in observed.processes():
        with contextlib.suppress(OSError):
            lines.append(Path(f"/proc/{pid}/cmdline").read_bytes())
    return any(path.encode() in line for line in lines)


def test_a_container_outlives_its_monitor_and_its_halt_is_noticed_all_the_same(
    panel: Panel, ctid: int
) -> None:
    panel.pctl("start", ctid)
    init = observed.init_of(panel.path(ctid))
    monitor = Spool(panel.path(ctid).monitor)
    before = monitor.pid()
    kill(before)
    panel.until(lambda: monitor.alive() and monitor.pid() != before, "a new monitor")
    assert init == observed.init_of(panel.path(ctid))
    assert init is not None
    assert init.alive
    ask_within(panel, ctid, "halt")
    panel.until_state(ctid, State.STOPPED)
    assert panel.shown(panel.last(ctid))["kind"] == "halted"


def test_a_container_whose_monitor_was_killed_with_it_is_not_said_to_run(
    panel: Panel, ctid: int
) -> None:
    panel.pctl("start", ctid)
    init = observed.init_of(panel.path(ctid))
    assert init is not None
    kill(Spool(panel.path(ctid).monitor).pid())
    kill(init.pid)
    panel.until_state(ctid, State.STOPPED)
    assert not observed.mounted(panel.path(ctid).root)


def ask_within(panel: Panel, ctid: int, word: str) -> None:
    """Its init may end the command before that can say how it went."""
    with panel.pctl_begin("exec", ctid, word) as asking:
        asking.communicate(timeout=DONE_WITHIN)


def kill(pid: int | None) -> None:
    assert pid
    os.kill(pid, signal.SIGKILL)


# What is beside it


def test_a_log_goes_on_when_redis_was_restarted_meanwhile(
    panel: Panel, ctid: int, gate: Gate
) -> None:
    panel.save(ctid, "mount", gate.script("early", "late"))
    operation = panel.request("start", ctid)
    panel.until_says(operation, EARLY)
    panel.stop("redis", by=signal.SIGKILL)
    gate.open()
    panel.until_says(operation, LATE)  # rows need no bell
    panel.start("redis")
    assert panel.until_over(operation) == "succeeded"
    assert whole(panel.log(operation))
    panel.pctl("stop", ctid)


def test_nothing_is_lost_while_the_database_takes_no_writes(
    panel: Panel, ctid: int, gate: Gate
) -> None:
    panel.save(ctid, "mount", gate.script("early", "late"))
    operation = panel.request("start", ctid)
    panel.until_says(operation, EARLY)
    database = panel.database()
    database.isolation_level = None
    with contextlib.closing(database):
        database.execute("begin exclusive")
        gate.open()
        time.sleep(AWAY)
        assert panel.progress(operation) == "running"
        database.execute("rollback")
    assert panel.until_over(operation) == "succeeded"
    assert whole(panel.log(operation))


@pytest.mark.postgres
def test_nothing_is_lost_while_postgresql_is_away(postgres: "Postgres", gate: Gate) -> None:
    with whole_panel(PANEL_DATABASE_URL=postgres.url) as panel:
        ctid = 101
        panel.pctl("create", ctid, "--ostemplate", "busybox")
        panel.save(ctid, "mount", gate.script("early", "late"))
        with panel.pctl_begin("start", ctid) as follower:
            spool = panel.conf.spool
            panel.until(
                lambda: any(EARLY in path.read_bytes() for path in spool.glob("*/log")),
                "the script to begin",
            )
            postgres.stop()
            gate.open()
            time.sleep(AWAY)
            postgres.start()
            out, _ = follower.communicate(timeout=60)
        assert follower.returncode == 0, out
        assert whole(out.encode())
        assert panel.pctl("status", ctid) == f"CTID {ctid} exist mounted running\n"
        log = panel.pctl("operation", "log", "2")
        assert whole(log.encode()), log


def test_output_waits_for_room_below_the_spool(
    panel: Panel, ctid: int, gate: Gate, tmp_path: Path
) -> None:
    """The disk of the spool is full while a script writes; then somebody makes room."""
    filler = panel.conf.spool / "filler"
    with tight_spool(panel):
        panel.save(ctid, "mount", gate.script("early", "late"))
        operation = panel.request("start", ctid)
        panel.until_says(operation, EARLY)
        fill(filler)
        gate.open()
        spool = panel.conf.spool / f"{operation}" / "log"
        assert LATE not in spool.read_bytes()
        time.sleep(1)
        assert panel.progress(operation) == "running"
        filler.unlink()
        assert panel.until_over(operation) == "succeeded"
        assert whole(panel.log(operation))
        panel.pctl("stop", ctid)


@contextlib.contextmanager
def tight_spool(panel: Panel) -> Iterator[None]:
    """A small disk for the spool, as long as no container runs."""
    panel.stop("node")
    call(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "spool", f"{panel.conf.spool}"])
    panel.start("node")
    try:
        yield
    finally:
        panel.stop("node")
        call(["umount", "--lazy", f"{panel.conf.spool}"])
        panel.start("node")


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


# From within, and two at once


@pytest.mark.parametrize("word", ["halt", "poweroff"])
def test_what_is_halted_from_within_is_dismounted_with_its_scripts(
    panel: Panel, ctid: int, word: str
) -> None:
    panel.save(ctid, "umount", "#!/bin/sh\necho own umount of $VEID\n")
    panel.pctl("start", ctid)
    ask_within(panel, ctid, word)
    panel.until_state(ctid, State.STOPPED)
    operation = panel.last(ctid)
    assert panel.until_over(operation) == "succeeded"
    shown = panel.shown(operation)
    assert (shown["kind"], shown["via"]) == ("halted", "container")
    assert b"own umount of %d\n" % ctid in panel.log(operation)
    assert observed.state_of(panel.path(ctid)) is State.STOPPED


def test_a_start_whose_init_dies_a_second_later_is_told_as_failed_after_all(
    panel: Panel, ctid: int
) -> None:
    init = panel.path(ctid).fs / "sbin/init"
    init.unlink()
    init.write_text("#!/bin/sh\n# panel-init\necho no disk >/dev/console\nsleep 1\nexit 3\n")
    init.chmod(0o755)
    panel.pctl("start", ctid)
    start = panel.last(ctid)
    panel.until_state(ctid, State.STOPPED)
    shown = panel.shown(start)
    assert (shown["kind"], shown["state"], shown["code"]) == ("start", "failed", 7)
    assert "ended with exit code 3 1." in shown["error"]
    assert shown["error"].endswith("on its console: no disk.")
    died = panel.last(ctid)
    assert panel.until_over(died) == "failed"
    assert panel.shown(died)["kind"] == "died"


def test_an_end_for_want_of_memory_is_a_failure_that_tells_why_and_is_tidied_up(
    panel: Panel, ctid: int
) -> None:
    panel.save(ctid, "umount", "#!/bin/sh\necho own umount of $VEID\n")
    init = panel.path(ctid).fs / "sbin/init"
    init.unlink()
    init.write_text(
        "#!/bin/sh\n# panel-init\nwhile [ ! -e /go ]; do sleep .1; done; exec tail /dev/zero\n"
    )
    init.chmod(0o755)
    panel.pctl("set", ctid, "--ram", "32M")
    panel.pctl("start", ctid)
    long_ago = time.time() - 7500
    os.utime(panel.path(ctid).let_go, (long_ago, long_ago))  # as if it had run for long

    (panel.path(ctid).fs / "go").touch()

    panel.until_state(ctid, State.STOPPED)
    operation = panel.last(ctid)
    assert panel.until_over(operation) == "failed"
    shown = panel.shown(operation)
    assert (shown["kind"], shown["via"]) == ("died", "container")
    assert (shown["problem"], shown["code"]) == ("init-out-of-memory", 3)
    assert "killed for want of memory 2 h 5 min after it was started" in shown["error"]
    assert b"killed for want of memory" in panel.log(operation)
    assert b"own umount of %d\n" % ctid in panel.log(operation)
    assert "ended by itself" in panel.pctl("audit", "export")
    (panel.path(ctid).fs / "go").unlink()
    panel.pctl("start", ctid)  # nothing keeps it from that


def test_a_reboot_from_within_is_an_operation_by_the_container_with_its_scripts(
    panel: Panel, ctid: int
) -> None:
    for name in ("mount", "start", "stop", "umount"):
        panel.save(ctid, name, f"#!/bin/sh\necho own {name} of $VEID\n")
    panel.pctl("start", ctid)
    first = observed.init_of(panel.path(ctid))
    ask_within(panel, ctid, "reboot")
    panel.until(lambda: panel.shown(panel.last(ctid))["kind"] == "rebooted", "the reboot")
    operation = panel.last(ctid)
    assert panel.until_over(operation) == "succeeded"
    assert panel.shown(operation)["via"] == "container"
    lines = [line for line in panel.log(operation).decode().splitlines() if line[:3] == "own"]
    assert lines == [f"own {name} of {ctid}" for name in ("umount", "mount", "start")]
    assert panel.state(ctid) == State.RUNNING
    assert observed.init_of(panel.path(ctid)) != first


def test_a_second_operation_is_refused_with_its_holder_named(
    panel: Panel, ctid: int, gate: Gate
) -> None:
    panel.save(ctid, "mount", gate.script("early", "late"))
    operation = panel.request("start", ctid)
    panel.until_says(operation, b"early")
    holder = f"operation {operation} (Start)"
    assert f"CT {ctid} is busy: {holder} has been running since" in panel.pctl("stop", ctid, code=9)
    gate.open()
    assert panel.until_over(operation) == "succeeded"


def test_without_a_node_worker_pctl_tidies_up_by_itself_and_nothing_is_held(
    panel: Panel, ctid: int, another: int
) -> None:
    panel.stop("node")
    try:
        psc(panel, "create", ctid, "--name", "a")
        for _ in range(3):
            psc(panel, "restore", ctid, "a")
        assert safeties(panel, ctid) == 3

        panel.pctl("set", another, "--description", "another one")

        assert safeties(panel, ctid) == 2  # the newest are kept
        unfinished = "select count(*) from containers_operation where finished is null"
        assert panel.rows(unfinished) == [(0,)]
        panel.pctl("start", ctid)
        panel.pctl("stop", ctid)
    finally:
        panel.start("node")


def psc(panel: Panel, *words: object) -> None:
    panel.python("-P", "-m", "containers.commands.osctl", "psc", *map(str, words))


def safeties(panel: Panel, ctid: int) -> int:
    found = panel.rows(
        "select count(*) from containers_snapshot s join containers_container c"
        " on c.id = s.container_id where c.ct_id = ? and s.safety",
        ctid,
    )
    return int(found[0][0])


# A power cut


def test_after_a_reboot_of_the_node_one_start_brings_everything_back(
    panel: Panel, ctid: int, another: int, gate: Gate
) -> None:
    """Also what was under way then: it is interrupted. One failing start holds up no other."""
    failing, under_way = made(panel), made(panel)
    third, fourth = next(failing), next(under_way)
    for number in (ctid, another, third):
        panel.save(number, "mount", "#!/bin/sh\necho mounted $VEID\n")
        panel.save(number, "start", "echo started $VEID\n")
        panel.pctl("start", number)
    panel.pctl("set", ctid, "--onboot", "yes", "--save")
    panel.pctl("set", third, "--onboot", "yes", "--save")
    panel.save(third, "start", "echo refusing; exit 3\n")
    panel.save(fourth, "mount", gate.script("early", "late"))
    cut = panel.request("start", fourth)
    panel.until_says(cut, EARLY)
    before = panel.last()

    reboot(panel)

    panel.until(lambda: panel.last(ctid) > before, f"CT {ctid} to be started")
    panel.until(lambda: panel.last(third) > before, f"CT {third} to be started")
    for number, ended, state in ((ctid, "succeeded", State.RUNNING),
                                 (third, "failed", State.STOPPED)):  # fmt: skip
        operation = panel.last(number)
        assert panel.until_over(operation) == ended
        assert panel.shown(operation)["via"] == "boot"
        assert b"mounted %d\n" % number in panel.log(operation)
        assert panel.state(number) == state
        assert observed.state_of(panel.path(number)) is state
    assert b"started %d\n" % ctid in panel.log(panel.last(ctid))
    assert panel.state(another) == State.STOPPED
    assert panel.until_over(cut) == "interrupted"
    assert panel.state(fourth) == State.STOPPED
    assert said("early") in panel.log(cut)
    assert pool.mounted(panel.conf)
    assert names.table(panel.conf).encode() in call(["nft", "list", "tables"])
    panel.pctl("start", another)
    for leftover in (failing, under_way):
        next(leftover, None)


def test_a_power_cut_during_a_reinstallation_leaves_the_old_system_as_it_was(
    panel: Panel, ctid: int
) -> None:
    panel.pctl("start", ctid)
    mine = panel.path(ctid).fs / "root" / "mine"
    mine.write_text("precious\n")
    gate = gate_in(panel, ctid)
    panel.save(ctid, "start", gate.script("early", "late"))
    operation = panel.request("reinstall", ctid)
    panel.until_says(operation, EARLY)  # in the new system, which is in its place by now
    assert not mine.exists()

    reboot(panel)
    panel.until(mine.exists, "the old system to be put back")
    gate.open()

    assert panel.until_over(operation) == "interrupted"
    assert mine.read_text() == "precious\n"
    assert not panel.path(ctid).fs_tmp.exists()
    assert panel.state(ctid) == State.RUNNING  # as before
    assert panel.pctl("exec", ctid, "cat", "/root/mine") == "precious\n"


def reboot(panel: Panel) -> None:
    """What a boot leaves of it: the disk, no process, no mount, no link, another boot id."""
    panel.power_off()
    for place in (panel.conf.run, panel.conf.vz):
        for mounted, _ in reversed(observed.mounts()):
            if Path(mounted).is_relative_to(place):
                call(["umount", "--lazy", mounted], ok=(0, 32))
    for device in pool.loops(pool.image(panel.conf)):
        call(["losetup", "--detach", device], ok=(0, 1))
    table = names.table(panel.conf)
    call(["nft", "delete", "table", "inet", table])
    for interface in Path("/sys/class/net").iterdir():
        if names.ctid_of(panel.conf, interface.name):
            call(["ip", "link", "del", interface.name], ok=(0, 1))
    shutil.rmtree(panel.conf.run)
    panel.write("update containers_node set boot_id = 'the boot before'")
    panel.script("run-folder.sh")
    panel.start()


# PostgreSQL


class Postgres:
    """A private cluster on a socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not programs:
            pytest.skip("PostgreSQL is missing: apt-get install postgresql")
        self.bin = programs[-1]
        self.data = folder / "data"

    @property
    def url(self) -> str:
        return f"postgres://postgres@/panel?host={self.folder}"

    def run(self, *argv: str) -> None:
        subprocess.run(
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *argv],
            cwd="/", check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self) -> None:
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        self.run(f"{self.bin / 'pg_ctl'}", "--wait", "--silent", "--log", f"{self.folder / 'log'}",
                 "--pgdata", f"{self.data}", "--options", options, "start")  # fmt: skip

    def stop(self) -> None:
        self.run(f"{self.bin / 'pg_ctl'}", "--wait", "--silent", "--mode", "immediate",
                 "--pgdata", f"{self.data}", "stop")  # fmt: skip


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    folder = Path(f"/var/tmp/panel-postgres-{os.getpid()}-{time.time_ns():x}")
    folder.mkdir(mode=0o711)
    shutil.chown(folder, "postgres", "postgres")
    cluster = Postgres(folder)
    try:
        cluster.run(f"{cluster.bin / 'initdb'}", "--auth=trust", "--no-sync", "--username=postgres",
                    "--pgdata", f"{cluster.data}")  # fmt: skip
        cluster.start()
        cluster.run(f"{cluster.bin / 'createdb'}", "--host", f"{folder}", "panel")
        yield cluster
    finally:
        if (cluster.data / "postmaster.pid").exists():
            cluster.stop()
        shutil.rmtree(folder)
