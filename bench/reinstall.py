"""A Debian set up afresh with its old files under /old, against bare commands.

What its system takes to halt and to boot is its own affair, so both are left out of the times.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median

from bench.bare import Bare
from bench.operation import Done, operate
from bench.row import Row
from containers.node.actions import BY_NAME, Scope
from containers.node.processes.run import call
from containers.node.templates import catalogue
from tests.real.conftest import archived
from tests.real.panel import Panel

CTID = 103
TEMPLATE = "debian-12-sysvinit"
PAIRS = 4
LIMIT = 1.3
BOOTED = 3.0  # seconds until its system has booted
SCRIPTS = [f"{scope}-{name}" for scope in Scope for name in BY_NAME]
ITS_OWN = ("halt", "boot", "go-on", *SCRIPTS)  # the keys of those steps
# An old user is taken over where name and id are the new one's, or where there is none
MERGE = """
awk -F: -v OFS=: 'NR == FNR { old[$1] = $0; id[$1] = $3; next }
    ($1 in old) && id[$1] == $3 { print old[$1]; seen[$1]; next } { print; seen[$1] }
    END { for (name in old) if (!(name in seen)) print old[name] }' "$1/passwd" "$2/passwd" >"$3"
cat "$3" >"$2/passwd"
awk -F: 'NR == FNR { old[$1] = $0; next } $1 in old { print old[$1]; delete old[$1]; next } 1
    END { for (name in old) print old[name] }' "$1/shadow" "$2/shadow" >"$3"
cat "$3" >"$2/shadow"
awk -F: 'NR == FNR { old[$1] = $0; next } $1 in old { print old[$1]; delete old[$1]; next } 1
    END { for (name in old) print old[name] }' "$1/group" "$2/group" >"$3"
cat "$3" >"$2/group"
[ ! -e "$1/../root/.ssh/authorized_keys" ] || cp -a "$1/../root/.ssh" "$2/../root/"
"""


def measure(panel: Panel) -> list[Row]:
    """One of the one, one of the other, and so on: what disturbs, disturbs both."""
    from containers import doorbell

    panel.pctl("template", "import", TEMPLATE, archived(TEMPLATE))
    panel.pctl("create", CTID, "--ostemplate", TEMPLATE, "--diskspace", "4G")
    bare = ByHand(Bare(panel.path(CTID)))
    by_panel: list[Times] = []
    by_hand: list[Times] = []
    with doorbell.own_loop():
        change(panel, "start")
        bare.bare.prepare()
        for _ in range(PAIRS):
            settle(panel)
            by_panel.append(by_the_panel(panel))
            change(panel, "stop", fast=True)
            bare.bare.start()
            settle(panel)
            by_hand.append(bare.reinstall())
            bare.end()
            change(panel, "start")
        change(panel, "stop", fast=True)
    panel.pctl("destroy", CTID)
    return rows(by_panel, by_hand)


@dataclass(frozen=True)
class Times:
    """Seconds: all but halt, boot and scripts; and from the old one's end to the new one's boot."""

    work: float
    down: float


def settle(panel: Panel) -> None:
    """Each time the same 10,000 files: what was under /old does not go there once more."""
    shutil.rmtree(panel.path(CTID).fs / "old", ignore_errors=True)
    time.sleep(BOOTED)
    call(["btrfs", "filesystem", "sync", f"{panel.conf.vz}"])


def change(panel: Panel, kind: str, **params: object) -> Done:
    from containers.models import Container, Via

    container = Container.objects.get(ctid=CTID)
    return operate(panel, lambda: container.request(kind, via=Via.PCTL, params=params))


def by_the_panel(panel: Panel) -> Times:
    from containers.models import OperationStep

    until = datetime.now(UTC) + timedelta(days=7)
    done = change(panel, "reinstall", keep_until=until.isoformat())
    found = OperationStep.objects.filter(operation=done.number, ended__isnull=False)
    steps = {step.key: step for step in found}
    own = sum(seconds(s.began, s.ended) for key, s in steps.items() if key in ITS_OWN)
    return Times(done.seconds - own, seconds(steps["halt"].ended, steps["boot"].ended))


def seconds(since: datetime | None, until: datetime | None) -> float:
    return (until - since).total_seconds() if since and until else 0.0


@dataclass
class ByHand:
    """The same as an operator would type it."""

    bare: Bare
    own: float = 0.0  # seconds of the last one that its halt and boot took
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def reinstall(self) -> Times:
        paths, run, began, self.own = self.bare.paths, self.bare.run, time.perf_counter(), 0.0
        template = catalogue.find(self.bare.node, TEMPLATE)
        aside = self.bare.node.vz / "old" / f"{CTID}" / f"by-hand-{next(self.numbers)}"
        run("btrfs", "subvolume", "snapshot", f"{template.fs}", f"{paths.fs_tmp}")
        run("btrfs", "qgroup", "limit", "4G", f"{paths.fs_tmp}")
        self.identify(paths.fs_tmp)
        halted = self.apart(self.bare.halt)
        self.bare.delete()
        self.bare.umount()
        run("mkdir", f"{paths.fs_tmp}/old")
        run("cp", "-a", "--reflink=always", "-T", f"{paths.fs}", f"{paths.fs_tmp}/old")
        run("mkdir", "-p", f"{aside}")
        run("mv", f"{paths.fs}", f"{aside}/fs")
        run("mv", f"{paths.fs_tmp}", f"{paths.fs}")
        self.bare.mount()
        self.bare.create()
        booted = self.apart(self.bare.boot)
        old, new, draft = f"{aside}/fs/etc", f"{paths.fs}/etc", f"{self.bare.bundle}/draft"
        run("sh", "-c", MERGE, "merge", old, new, draft)
        return Times(time.perf_counter() - began - self.own, booted - halted)

    def identify(self, fs: Path) -> None:
        """Host name, machine id, host keys."""
        run = self.bare.run
        name = f"ct{CTID}"
        run("sh", "-c", 'tr -d - </proc/sys/kernel/random/uuid >"$1"', "id", f"{fs}/etc/machine-id")
        run("sh", "-c", 'echo "$1" >"$2"', "name", name, f"{fs}/etc/hostname")
        run("sed", "-i", f"/^127.0.1.1/d; $ a 127.0.1.1 {name}", f"{fs}/etc/hosts")
        run("sh", "-c", 'rm -f "$1"/etc/ssh/ssh_host_*', "keys", f"{fs}")
        for kind in ("ed25519", "ecdsa"):
            key = f"{fs}/etc/ssh/ssh_host_{kind}_key"
            run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", f"root@{name}", "-f", key)

    def end(self) -> None:
        """Not halt: a system that still boots may not heed it."""
        self.bare.runc("delete", "--force", "bare")
        self.bare.umount()

    def apart(self, do: Callable[[], None]) -> float:
        """Do what is not counted; when that was done."""
        began = time.perf_counter()
        do()
        ended = time.perf_counter()
        self.own += ended - began
        return ended


def rows(by_panel: list[Times], by_hand: list[Times]) -> list[Row]:
    found = []
    for what, part in (("reinstall", "work"), ("reinstall, downtime", "down")):
        for who, times in (("bare", by_hand), ("panel", by_panel)):
            found.append(
                Row(f"{what}, {who}", 1000 * median(getattr(t, part) for t in times), "ms")
            )
    ratio = median(t.work for t in by_panel) / median(t.work for t in by_hand)
    return [*found, Row(f"reinstall, panel / bare, {PAIRS} pairs", ratio, "times", LIMIT)]
