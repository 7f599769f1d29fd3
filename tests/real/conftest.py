"""A node of the tests' own: its state, pool, mounts and control groups are gone afterwards."""

import contextlib
import fcntl
import hashlib
import itertools
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from containers.node.checkpoint.criu import status, version_of
from containers.node.conf import CHECKOUT, NodeConf
from containers.node.network import live, prepare, record, remove
from containers.node.processes.run import call
from containers.node.storage import Storage, pool
from containers.node.storage.mounts import mounts, mounts_in
from containers.node.templates import busybox as busybox_template
from containers.node.templates import catalogue, debian, inspection
from containers.node.templates.catalogue import Build, Template, newest
from containers.node.templates.shift import Shift
from containers.node.zygote import Zygote
from tests.real.rig import Rig, bell_of

CACHE = Path("/var/cache/panel-tests")
SLOW = {"debian_template", "debian_systemd_template", "systemd_archive"}
BUILDING = 600  # seconds a test may take that has to build a template first
# Taken away, or each test's own status would count for nothing; under another name for xdist's
# workers, which inherit what is left.
os.environ.setdefault("TESTS_CRIU", os.environ.pop("PANEL_CRIU", ""))
OWN_CRIU = os.environ["TESTS_CRIU"]
GONE_WITHIN = 10.0  # seconds that killed processes may take to go


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("real")
            slow = SLOW & set(getattr(item, "fixturenames", ()))
            if slow and not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(BUILDING))


@pytest.fixture(scope="session")
def node_conf() -> Iterator[NodeConf]:
    """Node alpha, with a btrfs pool of 8 GiB that takes only what is written to it."""
    if os.geteuid():
        pytest.fail("the tests in tests/real need root")
    with node("alpha", "8G") as conf:
        yield conf
    assert leftovers(conf) == []


@contextlib.contextmanager
def node(name: str, size: str) -> Iterator[NodeConf]:
    """A node with a pool of that size, gone afterwards with all that it may have left."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "w")
    state = Path(f"/var/tmp/panel-test-{worker}-{os.getpid()}-{time.time_ns():x}")
    conf = NodeConf(
        name=name, state=state, vz=state / "vz", etc=state / "etc", openvz=state / "openvz"
    )
    state.mkdir(mode=0o700)
    before = os.environ.get("PANEL_POOL_SIZE")
    os.environ["PANEL_POOL_SIZE"] = size
    try:
        pool.prepare(conf)
        conf.scripts.mkdir(parents=True)
        yield conf
    finally:
        if before is None:
            del os.environ["PANEL_POOL_SIZE"]
        else:
            os.environ["PANEL_POOL_SIZE"] = before
        clear(conf)


def leftovers(conf: NodeConf) -> list[str]:
    """What is still there of a node: mounts, loop devices, control groups, links, files."""
    groups = [place / conf.cgroup.lstrip("/") for place in hierarchies()]
    places = [conf.state, conf.run, *groups]
    return [
        *(f"{mount.point}" for place in (conf.state, conf.run) for mount in mounts_in(place)),
        *pool.loops(pool.image(conf)),
        *live.links(conf).values(),
        *(f"{place}" for place in places if place.exists()),
    ]


@pytest.fixture(scope="session")
def storage(node_conf: NodeConf) -> Storage:
    return pool.driver(node_conf)


@pytest.fixture(scope="session")
def busybox(node_conf: NodeConf) -> Template:
    return busybox_template.publish(node_conf)


@pytest.fixture(scope="session")
def debian_template(node_conf: NodeConf) -> Template:
    """debian-12 with sysvinit: built once a machine (half a minute), then kept in a cache."""
    return cached(node_conf, "debian-12-sysvinit")


@pytest.fixture(scope="session")
def debian_systemd_template(node_conf: NodeConf) -> Template:
    return cached(node_conf, "debian-12")


@pytest.fixture(scope="session")
def systemd_archive() -> Path:
    """The tarball of a Debian with systemd as anybody may have made it, device nodes and all."""
    return archived("debian-12")


@pytest.fixture(scope="session")
def debian_workload(node_conf: NodeConf) -> Template:
    """Debian with sysvinit and servers: built once a machine (minutes), then kept in a cache."""
    return cached(node_conf, "debian-12-sysvinit", ("nginx-light", "redis-server", "postgresql"))


def cached(conf: NodeConf, name: str, more: tuple[str, ...] = ()) -> Template:
    published = "-".join([name, *more])
    if last := newest(conf, published):
        return last
    storage, build = pool.driver(conf), Build(conf, published, "tests")
    try:
        catalogue.begin(build, storage)
        call(["tar", "--extract", "--numeric-owner", "--same-permissions",
              "--xattrs", "--xattrs-include=*",
              f"--file={archived(name, more)}", f"--directory={build.fs}"])  # fmt: skip
        debian.configure(name, build.fs)
        facts = inspection.facts(build.fs, Shift(0).tree(build.fs))
        return catalogue.publish(build, storage, facts)
    except BaseException:
        catalogue.discard(build, storage)
        raise


def archived(name: str, more: tuple[str, ...] = ()) -> Path:
    """What mmdebstrap makes, kept on this machine until it would be asked for something else."""
    argv = debian.argv(name, Path("target"), debian.sources())
    argv = ["--format=tar" if word == "--format=directory" else word for word in argv]
    argv = [",".join([word, *more]) if word.startswith("--include=") else word for word in argv]
    archive = CACHE / f"{name}-{hashlib.sha256(repr(argv).encode()).hexdigest()[:12]}.tar"
    with alone(name):
        if not archive.exists():
            fresh = archive.with_suffix(".new")
            call([f"{fresh}" if word == "target" else word for word in argv], timeout=900)
            fresh.rename(archive)
    return archive


@contextlib.contextmanager
def alone(name: str) -> Iterator[None]:
    """One process at a time: two test runs want the same template at once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sweep() -> None:
    """Clear what a run left that was killed: its number is in the name."""
    for state in Path("/var/tmp").glob("panel-test-*-*-*"):
        pid = state.name.split("-")[3]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            clear(NodeConf(name="alpha", state=state, vz=state / "vz", etc=state / "etc"))


def clear(conf: NodeConf) -> None:
    """Take away all that this node may have left, whatever happened."""
    groups = sorted(
        (path for place in hierarchies() for path in (place / conf.cgroup.lstrip("/")).glob("**/")),
        key=lambda path: -len(path.parts),
    )
    for group in groups:  # what is frozen can't be killed
        with contextlib.suppress(OSError):
            (group / "freezer.state").write_text("THAWED")
    end([pid for group in groups for pid in pids(group)])
    for group in groups:
        with contextlib.suppress(OSError):
            group.rmdir()
    for place in (conf.run, conf.vz):
        for mount in mounts_in(place):
            call(["umount", "--lazy", f"{mount.point}"], ok=(0, 1, 32))
    for device in pool.loops(pool.image(conf)):
        call(["losetup", "--detach", device], ok=(0, 1))
    shutil.rmtree(conf.run, ignore_errors=True)
    shutil.rmtree(conf.state, ignore_errors=True)


def hierarchies() -> list[Path]:
    return [m.point for m in mounts() if m.kind in ("cgroup", "cgroup2")]


def pids(group: Path) -> list[int]:
    try:
        return [int(pid) for pid in (group / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def end(processes: list[int]) -> None:
    """Kill what runs in this node's own control groups, and wait until it's gone."""
    with contextlib.ExitStack() as opened:
        killed = []
        for pid in {pid for pid in processes if pid > 1}:
            with contextlib.suppress(ProcessLookupError):
                fd = os.pidfd_open(pid)
                opened.callback(os.close, fd)
                signal.pidfd_send_signal(fd, signal.SIGKILL)
                killed.append(fd)
        for fd in killed:  # some go only once another has
            select.select([fd], [], [], GONE_WITHIN)


@pytest.fixture(scope="session")
def zygote(node_conf: NodeConf) -> Iterator[Zygote]:
    zygote = Zygote.start(node_conf)
    yield zygote
    zygote.close()


@pytest.fixture(scope="session")
def networked(node_conf: NodeConf) -> Iterator[IPv4Network]:
    """The node's network: links, NAT and rules of its own. Yields the pool."""
    prepare.prepare(node_conf)
    try:
        found = record.load(node_conf)
        if found.without:
            pytest.skip(f"no network, no NAT: {found.without}")
        yield found.network
    finally:
        remove.remove(node_conf)


@pytest.fixture(scope="session")
def criu(node_conf: NodeConf) -> str:
    """The node has the CRIU that set-up found for this checkout, or that PANEL_CRIU names."""
    checkout = NodeConf("", CHECKOUT / "var", Path(), Path())
    found = f"ok {OWN_CRIU} {version_of(OWN_CRIU)}" if OWN_CRIU else status(checkout)
    if not found.startswith("ok "):
        pytest.skip(f"no CRIU that works here: {found or 'none was set up'}")
    file = node_conf.state / "criu/status"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{found}\n")
    return found


@pytest.fixture
def rig(node_conf: NodeConf, busybox: Template, zygote: Zygote) -> Iterator[Rig]:
    with bell_of(node_conf) as bell:
        yield Rig(node_conf, zygote, bell)


@pytest.fixture
def ctid(rig: Rig) -> Iterator[int]:
    """A container of the busybox template, which is gone afterwards whatever became of it."""
    number = next(CTIDS)
    made = rig.operate("create", number)
    assert made.code == 0, made.log
    yield number
    rig.clear(number)


@pytest.fixture
def bare_ctid(rig: Rig) -> Iterator[int]:
    """The number of a container that the test makes itself."""
    number = next(CTIDS)
    yield number
    rig.clear(number)


CTIDS = itertools.count(101)


@pytest.fixture
def vz_conf_in_place(node_conf: NodeConf) -> Iterator[None]:
    """/etc/vz/vz.conf and /etc/sysconfig/vz, as prepare makes them where there are none."""
    node_conf.vz_conf.write_text(f'VE_ROOT="{node_conf.vz}/root/$VEID"\n')
    places = [Path("/etc/vz/vz.conf"), Path("/etc/sysconfig/vz")]
    made = [place for place in places if not os.path.lexists(place)]
    folders = [place.parent for place in made if not place.parent.exists()]
    for place in made:
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(node_conf.vz_conf)
    yield
    for place in made:
        place.unlink()
    for folder in folders:
        folder.rmdir()
