"""Steps between a mounted container and a running one."""

import contextlib
import os
import select
import signal
from pathlib import Path

from containers.node import lxcfs, monitor, observed, veconf
from containers.node.actions import POSTUMOUNT, UMOUNT, Scope
from containers.node.bundle import init_of, rootfs, write_bundle
from containers.node.ct import Ct
from containers.node.errors import Code, CommandFailed, OperationError, Problem
from containers.node.network import hook, live
from containers.node.observed import Init
from containers.node.plan import Step, Steps
from containers.node.processes.cgroup import Group
from containers.node.scripts import run_inside
from containers.node.states import State
from containers.node.steps import proving
from containers.node.steps.mounting import DISMOUNT
from containers.node.steps.scripting import script
from containers.node.storage.mounts import mounts_in
from containers.node.templates.init import Halt, Kind
from containers.node.trees.safe_tree import BadTree

STOP_TIMEOUT = 120.0  # seconds an init has to halt, unless vz.conf says otherwise; then: killed
ASKING = 10.0  # seconds that asking it to halt may take
LETTING_GO = 5.0  # seconds an init may take to write that it goes on
KILL_TIMEOUT = 30.0  # seconds until a killed init has to be gone
DELEGATED = ("", "cgroup.procs", "tasks", "cgroup.threads", "cgroup.subtree_control")


def create(ct: Ct) -> None:
    """Make it, up to but without its init: that waits for boot."""
    if observed.left_behind(ct.paths):
        delete(ct)
    try:
        pid = monitor.make(ct.paths, ct.runtime.create(ct.paths), rootfs(ct))
    except CommandFailed as e:
        if fault := hook.fault(e.said):
            raise fault from e
        ct.say(e.said)
        code = Code.ENV_CREATE if init_of(ct) else Code.BAD_TEMPLATE
        raise OperationError(Problem.NOT_MADE, code) from e
    init = init_of(ct)
    if init and init.kind is Kind.SYSTEMD:
        delegate(ct)
    show_own_figures(ct, pid)
    ct.fact("init_pid", pid)
    ct.fact("init", init.kind if init else "")


def show_own_figures(ct: Ct, pid: int) -> None:
    """Here, for runc takes a hundred times as long; and CRIU needs no place for it then."""
    try:
        lxcfs.bind(ct.paths.node, pid)
    except OSError as error:
        ct.say(f"Warning: it sees the node's memory and processors, not its own ({error}).")


def delegate(ct: Ct) -> None:
    """Let the container's systemd manage its group, and those below it that a restore has made."""
    base = ct.ids.base
    found = observed.cgroup_paths(ct.paths)
    unified = Path("/sys/fs/cgroup/unified") / ct.paths.cgroup.lstrip("/")
    tops = {found[name] for name in ("", "name=systemd") if name in found} | {unified}
    for folder in (folder for top in tops for folder in top.glob("**/")):
        for file in DELEGATED:
            with contextlib.suppress(FileNotFoundError):
                os.chown(folder / file, base, base)


def delete(ct: Ct) -> None:
    """End whatever of it still runs, and have the runtime and the network forget it."""
    thaw(ct)
    init = observed.init_of(ct.paths)
    if init:
        kill(init)
    with live.detaching(ct.paths.node, ct.ctid, ct.spec.ips):
        if observed.left_behind(ct.paths):
            Group(ct.paths.cgroup).kill()
            for mount in mounts_in(ct.paths.runc_root / f"{ct.ctid}"):  # of a killed restore
                ct.run(["umount", "--lazy", "--no-canonicalize", f"{mount.point}"])
            force = init is None  # half made: runc knows no process of it to look for
            ct.run(ct.runtime.delete(ct.paths, force=force))


def thaw(ct: Ct) -> None:
    """A paused one can neither be asked anything nor killed."""
    if observed.state_of(ct.paths) is State.PAUSED:
        ct.run(ct.runtime.resume(ct.paths))


def kill(init: Init, patience: float = KILL_TIMEOUT) -> None:
    """Kill an init, and with it all in its pid namespace. No waiting beyond its end."""
    fd = observed.pidfd(init)
    if fd is None:
        return
    try:
        signal.pidfd_send_signal(fd, signal.SIGKILL)
        if not select.select([fd], [], [], patience)[0]:
            raise OperationError(Problem.NOT_KILLED)
    finally:
        os.close(fd)


def boot(ct: Ct) -> None:
    if init_of(ct) is None:
        raise OperationError(Problem.NO_INIT)
    if observed.booting(ct.paths):  # else a runner that died since has let it go
        ct.paths.let_go.touch()
        if not let_go(ct):
            ct.run(ct.runtime.start(ct.paths))
    proving.come_up(ct)


def let_go(ct: Ct) -> bool:
    """Do what `runc start` does, but for the 7 ms it takes to begin: read what the init writes.

    False when it writes nothing: runc then says why.
    """
    fifo = observed.fifo(ct.paths)
    with contextlib.suppress(OSError):
        fd = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if ct.executor.wait(fd, LETTING_GO) and os.read(fd, 1):
                fifo.unlink()
                return True
        finally:
            os.close(fd)
    return False


def halt(ct: Ct) -> None:
    """Ask its init to halt; at the time limit, or when told to be fast, kill it."""
    init = observed.init_of(ct.paths)
    fd = observed.pidfd(init) if init else None
    if init is None or fd is None:
        return
    configured = veconf.read(ct.paths.node.vz_conf).get("STOP_TIMEOUT")
    timeout = float(ct.params.get("stop_timeout") or configured or STOP_TIMEOUT)
    try:
        if not ct.params.get("fast"):
            found = init_of(ct)
            ask_to_halt(ct, fd, found.halt if found else Halt(signal=signal.SIGPWR))
            if ct.executor.wait(fd, timeout):
                return
            ct.say(f"The container did not halt within {timeout:g} s; it is killed.")
        kill(init)
    finally:
        os.close(fd)


def ask_to_halt(ct: Ct, fd: int, how: Halt) -> None:
    try:
        if how.signal is not None:
            signal.pidfd_send_signal(fd, how.signal)
        elif how.command:
            run_inside(ct, list(how.command), "halt", timeout=ASKING, quiet=True)
    except (CommandFailed, BadTree, ProcessLookupError) as e:
        ct.say(f"The container could not be asked to halt ({e}).")


def stands(ct: Ct) -> bool:
    return ct.state is not State.STOPPED or observed.left_behind(ct.paths)


def is_mounted(ct: Ct) -> bool:
    return ct.state is State.MOUNTED


def was_dismounted(ct: Ct) -> bool:
    return ct.dismounted


DELETE = Step(
    "delete", "remove the container from the runtime", do=delete, leaves=State.MOUNTED, when=stands
)
UMOUNT_SCRIPTS = Steps([script(Scope.OWN, UMOUNT), script(Scope.GLOBAL, UMOUNT)])
POSTUMOUNT_SCRIPTS = Steps([script(Scope.OWN, POSTUMOUNT), script(Scope.GLOBAL, POSTUMOUNT)])

WRITE_BUNDLE = Step("write-bundle", "write its runtime configuration", do=write_bundle)
CREATE = Step(
    "create",
    "create the container in the runtime",
    do=create,
    undo={
        "documented": (DELETE,),
        "vzctl": (
            DELETE,
            *UMOUNT_SCRIPTS.only(is_mounted),
            DISMOUNT,
            *POSTUMOUNT_SCRIPTS.only(was_dismounted),
        ),
    },
)
BOOT = Step("boot", "start its init", do=boot, leaves=State.RUNNING, commits=True)
THAW = Step("unpause", "let the paused container go on", do=thaw, leaves=State.RUNNING)
HALT = Step("halt", "halt the container", do=halt, commits=True)
