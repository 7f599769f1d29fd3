"""Steps that bring kept processes and a kept disk back to a container."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from containers.node import lxcfs, monitor, observed
from containers.node.bundle import config_of, init_of, places, require_real_places, rootfs
from containers.node.checkpoint import criu, saved
from containers.node.checkpoint.saved import Saved
from containers.node.checkpoint.verdict import Answer, verify
from containers.node.ct import Ct
from containers.node.errors import (
    Code,
    CommandFailed,
    OperationError,
    Problem,
    TimedOut,
)
from containers.node.layout import Layout
from containers.node.lines import lines_of
from containers.node.network import hook, names
from containers.node.network.link import LOOPBACK, Lines
from containers.node.plan import Step
from containers.node.processes.cgroup import mounted
from containers.node.processes.run import call
from containers.node.states import State
from containers.node.steps import proving
from containers.node.steps.configuring import limit_disk_of
from containers.node.steps.images import images_for, moved_images, range_of
from containers.node.steps.mounting import DISMOUNT
from containers.node.steps.owners import claim
from containers.node.steps.remounting import CannotRestore, mount_again, moved
from containers.node.steps.roles import forget_notes, note, role_of
from containers.node.steps.running import (
    DELETE,
    POSTUMOUNT_SCRIPTS,
    UMOUNT_SCRIPTS,
    delegate,
    delete,
)
from containers.node.steps.settling import restored, settle
from containers.node.storage.mounts import mounts_in
from containers.node.storage.removal import remove
from containers.node.templates.init import Kind
from containers.node.trees.exchange import exchange
from containers.node.wording import uncapitalized

DELEGATED_OF_V2 = ("cgroup.procs", "cgroup.threads", "cgroup.subtree_control")
# Sockets may be bound to an address that is not the container's any more, or not the clone's:
# they are restored, and nothing ever reaches them. Sockets of its own it binds as always.
ANY_ADDRESS = """
for family in ipv4 ipv6; do
    setting=/proc/sys/net/$family/ip_nonlocal_bind
    [ ! -w $setting ] || echo 1 >$setting
done"""


def restore(ct: Ct, kept: Saved, *, tcp_close: bool = False, alone: bool = False) -> None:
    """Bring the processes back, in a container that is mounted and has none.

    alone: with no network but its loopback interface. params: restore_timeout, seconds. Nothing
    of them runs when it fails.
    """
    if alive(ct):
        return  # a runner before us came as far as that
    claim(ct)
    own = criu.find(ct.paths.node)
    if observed.left_behind(ct.paths):
        delete(ct)
    forget_work(ct)
    work = work_of(ct)
    env = criu.environment(own, work / "options")
    limit = float(ct.params.get("restore_timeout") or criu.time_limit(kept.size))
    try:
        node = {where: lxcfs.source(ct.paths.node, where) for where in lxcfs.PLACES}
        criu.write_options(work / "options", tcp_close=tcp_close, mounts=node)
        mount_again(ct, kept, range_of(kept))
        describe(ct, kept, alone=alone)
        argv = ct.runtime.restore(ct.paths, env, images_for(ct, kept), work)
        pid = monitor.make(ct.paths, argv, rootfs(ct), timeout=limit)
        ct.paths.let_go.touch()
    except CommandFailed as e:
        raise not_restored(ct, e, work / "restore.log", limit) from e
    finally:
        forget_work(ct)
        remove(ct.storage, moved_images(ct))
    init = init_of(ct)
    if init and init.kind is Kind.SYSTEMD:
        delegate(ct)
    proving.go_on(ct, proving.RESTORED, Code.RESTORE)
    ct.fact("init_pid", pid)
    ct.fact("init", init.kind if init else "")


def not_restored(ct: Ct, error: CommandFailed, log: Path, limit: float) -> OperationError:
    if fault := hook.fault(error.said):
        return fault
    ct.say(error.said or f"{error}")
    for line in criu.errors(log):
        ct.say(f"CRIU: {line}")
    if isinstance(error, TimedOut):
        return CannotRestore(Problem.RESTORE_TIME_LIMIT, seconds=limit)
    if why := criu.fault(log):
        return CannotRestore(Problem.RESTORE_FAILED, why=why)
    return CannotRestore(Problem.RESTORE_COMMAND_FAILED, cause=error.cause)


def alive(ct: Ct) -> bool:
    monitor.settle(ct.paths)
    init = observed.init_of(ct.paths)
    return bool(init and init.alive)


def describe(ct: Ct, kept: Saved, *, alone: bool) -> None:
    """config.json as it was when they were dumped, but for what belongs to this container now."""
    config: dict[str, Any] = json.loads(kept.config.read_text())
    now = config_of(ct)
    config["root"], config["hostname"] = now["root"], now["hostname"]
    config["linux"]["cgroupsPath"] = now["linux"]["cgroupsPath"]
    for key in ("resources", "uidMappings", "gidMappings"):
        config["linux"][key] = now["linux"][key]
    require_real_places(ct.paths.fs, places(config))
    config["mounts"] = [moved(ct, each, work_of(ct)) for each in config["mounts"]]
    (network,) = now["hooks"]["createRuntime"]
    network = hook.entry("", "", Lines([], [LOOPBACK])) if alone else network
    network["args"].append(ANY_ADDRESS)
    config["hooks"] = {"createRuntime": [network, *own_groups(ct, kept)]}
    ct.paths.bundle.mkdir(parents=True, exist_ok=True, mode=0o700)
    (ct.paths.bundle / "config.json").write_text(json.dumps(config, indent=1))


def stand(ct: Ct, kept: Saved) -> bool:
    """Whether it is mounted, and with it all that scripts had mounted when it was dumped."""
    config: dict[str, Any] = json.loads(kept.config.read_text())
    binds = [each["destination"] for each in config["mounts"] if each["type"] == "bind"]
    return all(observed.mounted(Path(f"{ct.paths.root}{where}")) for where in ["", *binds])


def own_groups(ct: Ct, kept: Saved) -> Iterator[dict[str, Any]]:
    """The hooks that make the container's own groups in v2's hierarchy anew: systemd watches
    files in them, or has one open to move a process, and CRIU looks for those."""
    if not kept.groups.exists() or "cgroup2" not in mounted():
        return
    top = mounted()["cgroup2"] / ct.paths.cgroup.lstrip("/")
    base = f"{ct.ids.base}"
    groups = [top / name for name in ("", *lines_of(kept.groups))]
    files = [f"{group / file}" for group in groups for file in DELEGATED_OF_V2]
    for argv in (["install", "-d", "-o", base, "-g", base, *(f"{group}" for group in groups)],
                 ["chown", f"{base}:{base}", *files]):  # fmt: skip
        yield {
            "path": f"/usr/bin/{argv[0]}",
            "args": argv,
            "env": hook.ENV,
            "timeout": hook.HOOK_TIMEOUT,
        }


def work_of(ct: Ct) -> Path:
    """Where CRIU's options and logs of this operation are."""
    work = ct.paths.node.run / f"criu-{ct.operation}"
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    return work


def forget_work(ct: Ct) -> None:
    work = ct.paths.node.run / f"criu-{ct.operation}"
    if not work.is_dir():
        return
    for mount in mounts_in(work):
        call(["umount", "--lazy", "--no-canonicalize", f"{mount.point}"])
    if not mounts_in(work):  # what is mounted there is the node's own
        shutil.rmtree(work)


def owner_of(ct: Ct) -> Layout:
    """The container whose snapshot it is; params: source, when it's another's."""
    return Layout(ct.paths.node, int(ct.params.get("source") or ct.ctid))


def kept_of(ct: Ct) -> Saved:
    return saved.published(owner_of(ct), uuid_of(ct))


def uuid_of(ct: Ct, param: str = "snapshot") -> str:
    """Raises BadValue when none was named."""
    return saved.checked(f"{ct.params.get(param) or ''}")


def wants_processes(ct: Ct) -> bool:
    """params: disk_only; for a clone that is so unless processes says otherwise."""
    if "source" in ct.params:
        return bool(ct.params.get("processes"))
    return not ct.params.get("disk_only")


def with_processes(ct: Ct) -> bool:
    """Whether processes come back."""
    return wants_processes(ct) and kept_of(ct).processes


def check(ct: Ct) -> None:
    """Raises CannotRestore when it is known that it can't be restored."""
    verdict = verify(
        ct.paths.node,
        owner_of(ct).ctid,
        uuid_of(ct),
        manifest=ct.params.get("manifest"),
        into=ct.ctid,
        processes=wants_processes(ct),
    )
    if verdict.answer is Answer.BROKEN:
        reasons = [why.words() for why in verdict.reasons]
        raise CannotRestore(Problem.NOT_RESTORABLE, reasons=reasons)
    for reason in verdict.reasons:
        ct.say(f"Not certain: {uncapitalized(reason.told(staff=True))}")


def cut(ct: Ct) -> None:
    """Or the other ends of its connections would hear that it was killed."""
    call(["ip", "link", "set", names.veth(ct.paths.node, ct.ctid), "down"], ok=(0, 1))


def restore_kept(ct: Ct) -> None:
    restore(restored(ct), kept_of(ct), tcp_close=bool(ct.params.get("tcp_close")))


def new_disk(ct: Ct) -> Path:
    return ct.paths.private / "fs.restore"


def fetch(ct: Ct) -> None:
    remove(ct.storage, new_disk(ct))
    call(ct.storage.snapshot(kept_of(ct).fs, new_disk(ct)))
    limit_disk_of(restored(ct), new_disk(ct))


def drop(ct: Ct) -> None:
    """Remove the snapshot's disk that is not needed, never the former one."""
    if role_of(ct, new_disk(ct)) == "old":
        raise OperationError(Problem.HOLDS_OLD_DISK, path=new_disk(ct))
    remove(ct.storage, new_disk(ct))
    forget_notes(ct)


def switch(ct: Ct) -> None:
    """Written down first, so that whoever comes after a crash knows which is which."""
    note(ct, old=ct.storage.mark(ct.paths.fs), new=ct.storage.mark(new_disk(ct)))
    exchange(ct.paths.fs, new_disk(ct))


def switch_back(ct: Ct) -> None:
    if role_of(ct, new_disk(ct)) == "old":
        exchange(ct.paths.fs, new_disk(ct))


def settle_restored(ct: Ct) -> None:
    settle(ct, kept_of(ct))


def drop_former(ct: Ct) -> None:
    """What the container had; what it has been given instead is at its place."""
    remove(ct.storage, new_disk(ct))
    forget_notes(ct)
    forget_work(ct)


UNDOING = (  # a script that refuses does not keep the container from coming back
    DELETE,
    *UMOUNT_SCRIPTS.but(ignore_failure=True),
    DISMOUNT,
    *POSTUMOUNT_SCRIPTS.but(ignore_failure=True),
)
CHECK = Step("verify", "verify the snapshot", do=check)
CUT = Step("cut", "take it off the network", do=cut)
DROP = Step("drop-disk", "remove the copy of the saved disk", do=drop, ignore_failure=True)
FETCH = Step("fetch-disk", "copy the saved disk", do=fetch, undo=(DROP,))
SWITCH_BACK = Step("switch-back", "put the former disk back", do=switch_back)
SWITCH = Step("switch-disk", "put the saved disk in place", do=switch, undo=(SWITCH_BACK,))
RESTORE = Step(
    "restore",
    "bring the saved processes back",
    do=restore_kept,
    undo=UNDOING,
    leaves=State.RUNNING,
    commits=True,  # once they live, disk and processes of before can't be brought together again
)
SETTLE = Step("settle-restored", "write down what it is now", do=settle_restored, commits=True,
              ignore_failure=True)  # fmt: skip
DROP_FORMER = Step("drop-former", "remove the former disk", do=drop_former, commits=True,
                   ignore_failure=True)  # fmt: skip
