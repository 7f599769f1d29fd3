"""Sixty Debians on one node, and one of them that takes all it can get."""

import ctypes
import itertools
import os
import pty
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from containers.node.kernel.prepare import Machine, prepare, remove
from containers.node.templates.catalogue import Template
from tests.real.rig import Rig

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600), pytest.mark.xdist_group("debian")]
FIRST, SIZE = 1001, 60
LIMITS = {"ram": 384, "pids": 400, "diskspace": 1024}
UP_WITHIN, HELD_WITHIN = 600.0, 120.0  # seconds
HOLD = "hold-it"  # a file; an attack ends when it is gone
ADD_KEY, INOTIFY_INIT, SENDMSG, SETRLIMIT = 248, 253, 46, 160  # system calls of x86_64
NOFILE = 16384  # as many as it may have
PRELUDE = f"""
$| = 1;
my $files = pack("QQ", {NOFILE}, {NOFILE}); syscall({SETRLIMIT}, 7, $files);
sub hold {{ print "held $_[0]\\n"; select(undef, undef, undef, 0.2) while -e "/{HOLD}"; exit }}
sub users {{ my $do = shift; my $all = 0;
    for my $uid (0, 1000 .. 1020) {{
        pipe(my $r, my $w);
        if (!(fork // last)) {{ ($<, $>) = ($uid, $uid);
            my $n = $do->(); print $w "$n\\n"; close $w;
            select(undef, undef, undef, 0.2) while -e "/{HOLD}"; exit }}
        close $w; $all += <$r> // 0;
    }}
    hold($all) }}
"""
# Perl that takes as much of it as it gets, says how much, and holds it
ATTACKS = {
    "keys": f"""users(sub {{ my $n = 0; for (1 .. 5000) {{
        my ($kind, $name, $value) = ("user", "k$$-$_", "x");
        syscall({ADD_KEY}, $kind, $name, $value, 1, -4) >= 0 or last; $n++ }} $n }});""",
    "ptys": """users(sub { my @all; while (@all < 5000) {
        open(my $f, "+<", "/dev/ptmx") or last; push @all, $f }
        our @kept = @all; scalar @all });""",
    "inotify": f"""users(sub {{ my $n = 0; $n++ while syscall({INOTIFY_INIT}) >= 0; $n }});""",
    "descriptors": f"""users(sub {{ my ($n, @all) = (0);
        for (1 .. 400) {{
            socketpair(my $a, my $b, 1, 1, 0) or last; push @all, $a, $b;
            my ($data, $count) = ("x", 200);
            my $iov = pack("PQ", $data, 1);
            my $cmsg = pack("Qll l$count", 16 + 4 * $count, 1, 1, (fileno $a) x $count);
            my $msg = pack("QLx4PQPQlx4", 0, 0, $iov, 1, $cmsg, length $cmsg, 0);
            $n += $count while syscall({SENDMSG}, fileno $a, $msg, 0x40) == 1;
        }} our @kept = @all; $n }});""",
    "processes": f"""my $n = 0; while (1) {{ my $pid = fork; defined $pid or last; $n++;
        if (!$pid) {{ select(undef, undef, undef, 0.5) while -e "/{HOLD}"; exit }} }} hold($n);""",
    "memory": f"""my $n = 0; while (-e "/{HOLD}") {{ my $pid = fork // next;
        if (!$pid) {{ my $all = ""; $all .= "x" x (1 << 20) while 1 }}
        waitpid($pid, 0); print "held $n\\n" if $n++ == 3 }}""",
    "disk": """open(my $f, ">", "/root/full") or die; my ($n, $part) = (0, "x" x (1 << 20));
        while (1) { (syswrite($f, $part) // 0) == length $part or last; $n++ } hold($n);""",
}
# So many it has to get hold of, or it is no attack; keys it gets none, see node/syscalls.py
LEAST = {"ptys": 500, "inotify": 100_000, "descriptors": 100_000, "processes": 300, "memory": 3,
         "disk": 500}  # fmt: skip


@dataclass
class Crowd:
    rig: Rig
    template: Template

    def spec(self, number: int) -> dict[str, object]:
        return {"template": f"{self.template}", "hostname": f"deb{number}", **LIMITS}

    def operate(self, plan: str, number: int) -> None:
        done = self.rig.operate(plan, number, spec=self.spec(number))
        assert done.code == 0, done.log

    def console(self, number: int) -> Path:
        return self.rig.paths(number).monitor / "console"

    def until_login(self, numbers: range | list[int]) -> None:
        """Each has a getty on its console, which asks who is there."""
        left = set(numbers)

        def all_up() -> bool:
            for number in list(left):
                path = self.console(number)
                if path.exists() and b"login:" in path.read_bytes():
                    left.discard(number)
            return not left

        self.rig.wait_for(all_up, f"{SIZE} logins", UP_WITHIN)

    def start_again(self, number: int) -> None:
        self.operate("stop", number)
        self.console(number).unlink()
        self.operate("start", number)
        self.until_login([number])

    def log_in(self, number: int) -> None:
        line = "su -l root -c 'echo in; systemctl is-active console-getty'"
        said = self.rig.inside(number, "script", "-qec", line, "/dev/null")
        assert said.split() == ["in", "active"], (number, said)


@pytest.fixture(scope="module")
def raised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The limits of the kernel, as set-up raises them, and as they were afterwards."""
    from containers.node.conf import NodeConf

    place = tmp_path_factory.mktemp("kernel")
    conf, machine = NodeConf("alpha", place, place, place), Machine(files=place / "sysctl.d")
    prepare(conf, machine)
    yield
    remove(conf, machine)


@pytest.fixture
def crowd(rig: Rig, debian_systemd_template: Template, raised: None) -> Iterator[Crowd]:
    crowd = Crowd(rig, debian_systemd_template)
    numbers = range(FIRST, FIRST + SIZE)
    try:
        began = time.monotonic()
        for number in numbers:
            crowd.operate("create", number)
        made = time.monotonic()
        for number in numbers:
            crowd.operate("start", number)
        started = time.monotonic()
        crowd.until_login(numbers)
        print(f"{SIZE} made in {made - began:.0f} s, started in {started - made:.0f} s,"
              f" all at their login after {time.monotonic() - made:.0f} s")  # fmt: skip
        yield crowd
    finally:
        for number in numbers:
            rig.clear(number)


def test_one_that_takes_all_it_can_get_harms_no_other(crowd: Crowd) -> None:
    evil, *others = range(FIRST, FIRST + SIZE)
    restarted = itertools.cycle(others)
    for what, body in ATTACKS.items():
        hold = crowd.rig.paths(evil).fs / HOLD
        hold.touch()
        attack = crowd.rig.begin("exec", evil, command=["perl", "-e", PRELUDE + body],
                                 spec=crowd.spec(evil))  # fmt: skip
        crowd.rig.wait_for(
            lambda attack=attack: "held " in crowd.rig.said(attack), what, HELD_WITHIN
        )
        began = time.monotonic()
        for number in others:
            crowd.log_in(number)
        crowd.start_again(next(restarted))
        for do in NODE:
            do()
        held = int(crowd.rig.said(attack).split("held ")[1].split()[0])
        print(f"{what}: {held} held, the others were asked in {time.monotonic() - began:.0f} s")
        assert held == 0 if what == "keys" else held >= LEAST[what]
        hold.unlink()
        crowd.rig.finish(attack)
        (crowd.rig.paths(evil).fs / "root/full").unlink(missing_ok=True)


def watch() -> None:
    fd = ctypes.CDLL(None, use_errno=True).inotify_init1(0)
    assert fd >= 0, os.strerror(ctypes.get_errno())
    os.close(fd)


def open_a_pty() -> None:
    for fd in pty.openpty():
        os.close(fd)


def add_a_key() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    key = libc.syscall(ADD_KEY, b"user", b"panel-crowd", b"x", 1, -2)
    assert key >= 0, os.strerror(ctypes.get_errno())


def fork() -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)


NODE: tuple[Callable[[], None], ...] = (watch, open_a_pty, add_a_key, fork)
