"""Snapshots against the bare commands: how long a container stands still, and how long it is away.

Beside that, the steps of what is said to take no time: a snapshot of a disk, and a clone of one.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.bare import Bare
from bench.keeping import Keeping, keeping
from bench.operation import Done, operate
from bench.row import Row
from containers.node.checkpoint import criu
from containers.node.conf import CHECKOUT, NodeConf
from containers.node.processes.run import call
from tests.real.conftest import CACHE, OWN_CRIU
from tests.real.counter import COUNTER
from tests.real.panel import Panel

if TYPE_CHECKING:
    from containers.models import Container, Snapshot

KEPT, BARE, CLONE = 103, 104, 105
BUSYBOX, DEBIAN = "busybox", "debian-12-sysvinit"
PAIRS = 16  # CRIU takes 100 ms for the same processes now and 200 ms then
TIMES = 10
PAUSE = 0.25  # seconds, see bench/start_stop.py
CLEANING = 0.5  # seconds that btrfs has to clear away what was deleted
SELDOM, SOON = 0.02, 0.005  # seconds, for what is timed by its steps and for what isn't
FROZEN, AWAY = 1.15, 1.2
STEPS = 50.0  # ms


def measure(panel: Panel) -> list[Row]:
    from containers import doorbell

    found: list[Row] = []
    with doorbell.own_loop():
        if able(panel):
            found += with_processes(panel)
        for template in filter(None, (BUSYBOX, debian(panel))):
            found += of_disks(panel, template)
    return found


def able(panel: Panel) -> bool:
    """Whether processes can be dumped; the panel then knows of the CRIU that does, as set-up's."""
    said = criu.status(NodeConf("", CHECKOUT / "var", Path(), Path()))
    if OWN_CRIU:
        said = f"ok {OWN_CRIU} {criu.version_of(OWN_CRIU)}"
    file = panel.conf.state / "criu/status"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{said}\n")
    return said.startswith("ok ")


def with_processes(panel: Panel) -> list[Row]:
    """The same container twice, one of them run by hand. Turn about, and a moment between."""
    for ctid in (KEPT, BARE):
        make(panel, ctid, BUSYBOX)
        program = panel.path(ctid).fs / "etc/rc.d/counter"
        program.write_text(COUNTER)
        program.chmod(0o755)
        panel.pctl("start", ctid)
    bare = Bare(panel.path(BARE))
    bare.prepare()
    panel.pctl("stop", BARE)
    frozen: list[tuple[float, float]] = []
    away: list[tuple[float, float]] = []
    with keeping(bare, criu.find(panel.conf)) as by_hand:
        for i in range(PAIRS):
            one, other = round_of(panel, by_hand, first=bool(i % 2))
            frozen.append(one)
            away.append(other)
    panel.pctl("stop", KEPT, "--fast")
    for ctid in (KEPT, BARE):
        panel.pctl("destroy", ctid)
    return [
        *compared("frozen by a snapshot of it running", frozen, FROZEN),
        *compared("restore with a safety snapshot", away, AWAY),
    ]


def round_of(
    panel: Panel, by_hand: Keeping, *, first: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Seconds by hand and by the panel: frozen, and restoring. first: whether that is by hand."""
    container = row_of(KEPT)

    def freeze() -> float:
        take(panel, container)
        return float(row_of(KEPT).facts["frozen"])

    frozen = both(by_hand.freeze, freeze, first)
    snapshot = only(container)
    away = both(by_hand.restore, lambda: restore(panel, snapshot).seconds, first)
    by_hand.forget()
    forget(panel, container)
    return frozen, away


def both(one: Callable[[], float], other: Callable[[], float], first: bool) -> tuple[float, float]:
    """What they say, the one's first whichever of them was done first."""
    done = {each: after_a_while(each) for each in ((one, other) if first else (other, one))}
    return done[one], done[other]


def of_disks(panel: Panel, template: str) -> Iterator[Row]:
    make(panel, KEPT, template)
    container = row_of(KEPT)
    taken, cloned = [], []
    for _ in range(TIMES):
        taken.append(after_a_while(take, panel, container).steps)
        snapshot = only(container)
        cloned.append(after_a_while(clone, panel, snapshot).steps)
        operate(panel, lambda: row_of(CLONE).request("destroy", via="pctl"))
        forget(panel, container)
    panel.pctl("destroy", KEPT)
    yield Row(f"steps of a snapshot of a disk, {template}", 1000 * median(taken), "ms", STEPS)
    yield Row(f"steps of a clone without processes, {template}", 1000 * median(cloned), "ms", STEPS)


def debian(panel: Panel) -> str:
    """A Debian that an earlier run of the tests has left on this machine; else none."""
    left = CACHE.glob(f"{DEBIAN}-*.tar")
    if not (archive := min(left, key=lambda path: path.stat().st_size, default=None)):
        return ""
    panel.pctl("template", "import", DEBIAN, archive)
    return DEBIAN


def make(panel: Panel, ctid: int, template: str) -> None:
    panel.pctl("create", ctid, "--ostemplate", template)


def row_of(ctid: int) -> "Container":
    from containers.models import Container

    return Container.objects.select_related("node", "template").get(ctid=ctid)


def take(panel: Panel, container: "Container") -> Done:
    from containers.models import Snapshot

    return operate(panel, lambda: Snapshot.take(container, via="pctl"), SELDOM)


def clone(panel: Panel, snapshot: "Snapshot") -> Done:
    return operate(panel, lambda: snapshot.clone(CLONE, via="pctl"), SELDOM)


def restore(panel: Panel, snapshot: "Snapshot") -> Done:
    return operate(panel, lambda: snapshot.restore(via="pctl"), SOON)


def only(container: "Container") -> "Snapshot":
    return container.snapshots.select_related("container__node").get()


def forget(panel: Panel, container: "Container") -> None:
    """And let btrfs be done with it: that would disturb what is measured next."""
    from containers.models import Snapshot

    def delete(snapshot: Snapshot) -> Done:
        return operate(panel, lambda: snapshot.delete_from_node(via="pctl"))

    for snapshot in container.snapshots.all():
        delete(snapshot)
    call(["btrfs", "filesystem", "sync", f"{panel.conf.vz}"])
    time.sleep(CLEANING)


def after_a_while(do: Callable[..., Any], *with_: Any) -> Any:
    time.sleep(PAUSE)
    return do(*with_)


def compared(what: str, times: Sequence[tuple[float, float]], limit: float) -> Iterator[Row]:
    by_hand, by_panel = (median(each) for each in zip(*times, strict=True))
    yield Row(f"{what}, bare", 1000 * by_hand, "ms")
    yield Row(f"{what}, panel", 1000 * by_panel, "ms")
    yield Row(f"{what}, panel / bare, {len(times)} pairs", by_panel / by_hand, "times", limit)
