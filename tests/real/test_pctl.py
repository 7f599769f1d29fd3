"""pctl on a real node without a node process: every command is typed in a process of its own."""

import itertools
import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from containers.node import observed
from containers.node.conf import CHECKOUT, NodeConf
from containers.node.layout import Layout
from containers.node.states import State
from containers.node.templates.catalogue import Template

CTIDS = itertools.count(1001)  # far from those of other tests on this node
BASE = 200000  # the ids of the tests' templates
DONE_WITHIN = 30.0  # seconds
DAEMON = 120  # seconds that a daemon is left for
PREPARE = """
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from containers.models import Node
from containers.node.network import record
from containers.worker import templates
call_command("migrate", verbosity=0, skip_checks=True)
pool = record.load(settings.NODE).pool
node = Node.objects.create(name="alpha", runtime="runc", storage="btrfs", pool=pool)
templates.sync(settings.NODE, node)
"""


@dataclass
class Shell:
    """Where pctl is typed."""

    env: dict[str, str]

    def argv(self, *words: object) -> list[str]:
        return [sys.executable, "-P", "-m", "containers.commands.pctl", *map(str, words)]

    def run(self, *words: object, stdin: str = "", code: int = 0) -> str:
        """What it prints; with its exit code as expected."""
        done = subprocess.run(
            self.argv(*words), input=stdin, env=self.env, cwd="/",
            capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    @contextmanager
    def begun(self, *words: object) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            self.argv(*words), env=self.env, cwd="/", text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture(scope="module")
def shell(node_conf: NodeConf, busybox: Template, networked: IPv4Network) -> Shell:
    """A node as prepare leaves it, but for what it would change outside its own places."""
    (node_conf.state / "web").mkdir(mode=0o700, exist_ok=True)
    node_conf.vz_conf.write_text(f'UID_BASE="{BASE}"\nUID_SIZE="65536"\n')
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{CHECKOUT}",
        "DJANGO_SETTINGS_MODULE": "panel.settings",
        "PANEL_STATE_DIR": f"{node_conf.state}",
        "PANEL_OPENVZ_DIR": f"{node_conf.openvz}",
        "PANEL_NODE": node_conf.name,
        "PANEL_POOL_SIZE": "8G",
    }
    subprocess.run([sys.executable, "-c", PREPARE], env=env, cwd="/", check=True)
    return Shell(env)


@pytest.fixture
def ctid(shell: Shell, node_conf: NodeConf) -> Iterator[int]:
    """A container made with pctl, which is gone afterwards."""
    yield from made(shell, node_conf)


@pytest.fixture
def another(shell: Shell, node_conf: NodeConf) -> Iterator[int]:
    yield from made(shell, node_conf)


def made(shell: Shell, node_conf: NodeConf) -> Iterator[int]:
    number = next(CTIDS)
    shell.run("create", number, "--ostemplate", "busybox", "--userpasswd", "root:correct-horse-7")
    yield number
    shell.run("stop", number, "--fast")
    if observed.mounted(Layout(node_conf, number).root):
        shell.run("umount", number)
    shell.run("destroy", number)


def test_a_containers_life_from_the_command_line(
    shell: Shell, ctid: int, node_conf: NodeConf, networked: IPv4Network
) -> None:
    assert shell.run("status", ctid) == f"CTID {ctid} exist unmounted down\n"
    assert f"Start of CT {ctid}: done." in shell.run("start", ctid)
    assert shell.run("status", ctid) == f"CTID {ctid} exist mounted running\n"
    assert observed.state_of(Layout(node_conf, ctid)) is State.RUNNING
    shell.run("start", ctid, code=32)
    listed = json.loads(shell.run("list", ctid, "--json"))[0]
    assert listed["status"] == "running"
    assert listed["ip"][0].startswith(f"{networked}".rsplit(".", 2)[0])
    shell.run("set", ctid, "--hostname", "shop", "--ram", "64M", "--save")
    assert shell.run("exec2", ctid, "hostname") == "shop\n"
    shell.run("umount", ctid, code=32)
    shell.run("destroy", ctid, code=32)
    shell.run("restart", ctid)
    shell.run("stop", ctid)
    assert shell.run("status", ctid) == f"CTID {ctid} exist unmounted down\n"
    shell.run("umount", ctid, code=40)
    shell.run("mount", ctid)
    assert shell.run("status", ctid) == f"CTID {ctid} exist mounted down\n"
    shell.run("destroy", ctid, code=41)
    shell.run("umount", ctid)


def test_a_change_that_the_node_refuses_leaves_row_and_container_alone(
    shell: Shell, ctid: int
) -> None:
    shell.run("set", ctid, "--ram", "64M", "--numproc", "50")
    shell.run("start", ctid)
    shell.run("exec2", ctid, "mount -t tmpfs none /mnt; dd if=/dev/zero of=/mnt/x bs=1M count=24")

    said = shell.run("set", ctid, "--ram", "6M", "--hostname", "other", code=6)

    last = said.splitlines()[-1]
    assert last.startswith(f"Change settings of CT {ctid} failed. Its memory can't be limited to 6")
    (listed,) = json.loads(shell.run("list", ctid, "--json"))
    assert (listed["ram"], listed["hostname"], listed["numproc.l"]) == (64, f"ct{ctid}", 50)
    shell.run("restart", ctid)
    assert shell.run("exec2", ctid, "hostname") == f"ct{ctid}\n"
    shell.run("exec2", ctid, "dd if=/dev/urandom of=/big bs=1M count=24")
    for option, value in (("--diskspace", "16M"), ("--numproc", "4")):
        shell.run("exec2", ctid, "for i in 1 2 3; do sleep 1000 >/dev/null 2>&1 </dev/null & done")
        assert "can't be limited to " in shell.run("set", ctid, option, value, code=6)
    shell.run("set", ctid, "--diskspace", "96M")
    (listed,) = json.loads(shell.run("list", ctid, "--json"))
    assert (listed["diskspace.h"], listed["numproc.l"]) == (96 << 10, 50)
    shell.run("set", ctid, "--pids", "9" * 30, code=21)
    shell.run("set", ctid, "--ram", "100T", code=21)


def test_commands_run_with_the_callers_stdio_and_vzctls_codes(shell: Shell, ctid: int) -> None:
    shell.run("exec", ctid, "true", code=8)
    shell.run("exec2", ctid, "true", code=31)
    shell.run("start", ctid)
    assert shell.run("exec", ctid, "cat; echo $((1 + 1))", stdin="typed\n") == "typed\n2\n"
    assert shell.run("exec", ctid, "-", stdin="echo a\necho b\n") == "a\nb\n"
    shell.run("exec", ctid, "exit", "7", code=8)
    shell.run("exec2", ctid, "exit", "7", code=7)
    assert "inside" in shell.run("enter", ctid, "--exec", "echo inside")


def test_the_output_of_a_failing_script_comes_with_its_code(shell: Shell, ctid: int) -> None:
    shell.run("script", "save", ctid, "mount", stdin="#!/bin/sh\necho by $VEID; exit 7\n")
    said = shell.run("start", ctid, code=79)
    assert f"by {ctid}\n" in said
    [end, way] = said.splitlines()[-2:]
    assert end.startswith(f"Start of CT {ctid} failed. Its mount script ended with exit code 7.")
    assert end.endswith("The container is stopped now.")
    assert way == f"What can be done now: pctl script save {ctid} mount --file FILE"
    assert shell.run("status", ctid) == f"CTID {ctid} exist unmounted down\n"


def test_one_at_a_time_and_the_second_is_told_who_holds_it(shell: Shell, ctid: int) -> None:
    shell.run("script", "save", ctid, "start", stdin="echo here; sleep 600\n")
    with shell.begun("start", ctid) as first:
        assert first.stdout
        assert next(line for line in first.stdout if "==>" not in line) == "here\n"
        said = shell.run("stop", ctid, code=9)
        first.send_signal(signal.SIGINT)  # no terminal: it cancels
        _, err = first.communicate(timeout=DONE_WITHIN)
    assert re.fullmatch(
        rf"CT {ctid} is busy: operation (\d+) \(Start\) has been running since \S+; "
        r"cancel it with pctl operation cancel \1\.\n",
        said,
    )
    assert first.returncode != 0
    assert "The operation is being cancelled." in err
    assert shell.run("status", ctid) == f"CTID {ctid} exist unmounted down\n"


def test_two_containers_at_once_without_a_node_process_both_end(
    shell: Shell, ctid: int, another: int
) -> None:
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda number: shell.run("start", number), (ctid, another)))
    for number in (ctid, another):
        assert shell.run("status", number) == f"CTID {number} exist mounted running\n"


def on_terminal(shell: Shell, answers: dict[bytes, bytes], *words: object) -> tuple[bytes, int]:
    """What a command says there, and its exit code; answers: what is typed at which words."""
    said = b""
    pid, terminal = pty.fork()
    if pid == 0:
        argv = shell.argv(*words)
        os.execve(argv[0], argv, shell.env)
    while True:
        if not select.select([terminal], [], [], DONE_WITHIN)[0]:
            os.kill(pid, signal.SIGKILL)
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # it has left the terminal
            break
        if not chunk:
            break
        said += chunk
        for prompt in [prompt for prompt in answers if prompt in said]:
            os.write(terminal, answers.pop(prompt))
    os.close(terminal)
    return said, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_ctrl_c_asks_on_a_terminal_and_the_answer_counts(shell: Shell, ctid: int) -> None:
    shell.run("script", "save", ctid, "start", stdin="echo here; sleep 3; echo slept\n")
    answers = {b"here\r\n": b"\x03", b"Cancel it? [y/N] ": b"n\n"}
    said, code = on_terminal(shell, answers, "start", ctid)
    assert code == 0, said.decode()
    assert not answers
    assert b"slept" in said
    assert shell.run("status", ctid) == f"CTID {ctid} exist mounted running\n"


def test_a_daemon_that_a_command_leaves_does_not_hold_it_up(shell: Shell, ctid: int) -> None:
    """What was said when the shell ended is heard, in a pipe too; the daemon goes on."""
    shell.run("start", ctid)
    leave = f"sleep {DAEMON} & echo hi; echo aside >&2; exit 3"
    began = time.monotonic()
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{shlex.join(shell.argv('exec2', ctid, leave))} | cat"],
        env=shell.env, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=90, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (3, "hi\n", "aside\n")
    assert time.monotonic() - began < DAEMON / 2
    assert f"sleep {DAEMON}" in shell.run("exec2", ctid, "ps", "-o", "args")

    chatty = "(while :; do echo more; done) & dd if=/dev/zero bs=1k count=300 2>/dev/null"
    said = shell.run("exec2", ctid, chatty)
    assert said.count("\0") == 300 * 1024


def test_a_command_is_fed_and_ended_as_one_that_runs_here(shell: Shell, ctid: int) -> None:
    shell.run("start", ctid)
    sent = "".join(f"{number}\n" for number in range(100_000))
    assert shell.run("exec2", ctid, "cat", stdin=sent) == sent
    assert shell.run("exec2", ctid, "exec <&-; sleep .2; echo done", stdin=sent) == "done\n"
    assert shell.run("exec2", ctid, "kill -9 $$", code=137) == ""
    endless = f"{shlex.join(shell.argv('exec2', ctid, 'yes'))} | head -n 1"
    first = subprocess.run(["sh", "-c", endless], env=shell.env, capture_output=True, check=True)
    assert first.stdout == b"y\n"
    assert "yes" not in shell.run("exec2", ctid, "ps", "-o", "comm").split()
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with shell.begun("exec2", ctid, "echo here; sleep 600; echo not reached") as busy:
            assert busy.stdout
            assert busy.stdout.readline() == "here\n"
            busy.send_signal(number)
            assert busy.communicate(timeout=DONE_WITHIN)[0] == ""
            assert busy.returncode == code
        assert "sleep 600" not in shell.run("exec2", ctid, "ps", "-o", "args")


def test_a_daemon_that_is_left_from_a_terminal_lives(shell: Shell, ctid: int) -> None:
    shell.run("start", ctid)
    said, code = on_terminal(shell, {}, "exec2", ctid, f"tty; sleep {DAEMON} & exit 5")
    assert (said.splitlines(), code) == ([b"/dev/pts/1"], 5)  # 0 is its console
    assert f"sleep {DAEMON}" in shell.run("exec2", ctid, "ps", "-o", "args")
    answers = {b"here": b"\x1a", b"^Z": b"\x03"}  # Ctrl-Z does not leave it stopped there
    said, code = on_terminal(shell, answers, "exec2", ctid, "echo here; sleep 600; echo then")
    assert code == 130, said
    assert b"then" not in said


def test_scripts_of_the_node_and_words_without_a_shell(
    shell: Shell, ctid: int, tmp_path: Path
) -> None:
    shell.run("start", ctid)
    assert shell.run("exec3", ctid, "echo", "a  b", "$HOME", "*") == "a  b $HOME *\n"
    script = tmp_path / "script"
    script.write_text("echo $0 in $(hostname); read line; exit 5\n")
    assert shell.run("runscript", ctid, script, code=5) == f"/bin/sh in ct{ctid}\n"
    where = b"\x1b[6n"  # its shell asks where the cursor is
    answers = {where: b"\x1b[1;1Recho $((40 + 2))\r", b"\n42": b"\r\x1b."}
    said, code = on_terminal(shell, answers, "console", ctid)
    assert (code, answers) == (0, {}), said
    assert f"etached from the console of CT {ctid}".encode() in said
    assert shell.run("status", ctid) == f"CTID {ctid} exist mounted running\n"


def test_snapshots_are_taken_and_switched_to_in_vzctls_words(
    shell: Shell, ctid: int, node_conf: NodeConf
) -> None:
    file = Layout(node_conf, ctid).fs / "root/file"
    uuid = "{0a1b2c3d-1111-2222-3333-444455556666}"
    shell.run("snapshot", ctid, "--id", uuid, "--name", "before", "--description", "d")
    file.write_text("after\n")
    listed = shell.run("snapshot-list", ctid, "-H", "-o", "current,uuid,name,desc")
    assert listed.split() == ["*", uuid, "before", "d"]
    shell.run("snapshot-switch", ctid, "--id", uuid)
    assert not file.exists()
    shell.run("snapshot-delete", ctid, "--uuid", uuid)
    assert uuid not in shell.run("snapshot-list", ctid)
    shell.run("snapshot-switch", ctid, "--id", uuid, code=21)
