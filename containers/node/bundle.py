"""The OCI bundle: config.json for a container, as its runtime reads it."""

import json
import os
import resource
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from containers.node import apparmor, ids, observed, settings, syscalls, veconf
from containers.node.ct import Ct
from containers.node.errors import BadTrees
from containers.node.idmap import Ids, Rootfs
from containers.node.kernel.limits import PTYS
from containers.node.network.hook import hook
from containers.node.templates.init import Init, Kind, NoInit, detect
from containers.node.trees.openat2 import Links
from containers.node.trees.safe_tree import BadTree, SafeTree
from containers.node.trees.safe_tree import Kind as Entry

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENV = [f"PATH={PATH}", "container=oci", "TERM=xterm"]
NO_INIT = ["/bin/sh"]  # so that the start script runs, as vzctl has it; booting says what's missing
MIB = 1024 * 1024

# What a system container's root may do, each in its own user namespace; number in capability.h.
CAPABILITIES = {
    "CHOWN": 0, "DAC_OVERRIDE": 1, "DAC_READ_SEARCH": 2, "FOWNER": 3, "FSETID": 4, "KILL": 5,
    "SETGID": 6, "SETUID": 7, "SETPCAP": 8, "LINUX_IMMUTABLE": 9, "NET_BIND_SERVICE": 10,
    "NET_BROADCAST": 11, "NET_ADMIN": 12, "NET_RAW": 13, "IPC_LOCK": 14, "IPC_OWNER": 15,
    "SYS_CHROOT": 18, "SYS_PTRACE": 19, "SYS_ADMIN": 21, "SYS_BOOT": 22, "SYS_NICE": 23,
    "SYS_RESOURCE": 24, "SYS_TTY_CONFIG": 26, "MKNOD": 27, "LEASE": 28, "AUDIT_WRITE": 29,
    "SETFCAP": 31,
}  # fmt: skip
NOFILE = 16384  # or the node's own hard limit when that is lower

NOSUID = ["nosuid", "noexec", "nodev"]
MOUNTS: list[dict[str, Any]] = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
     "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620",
                 f"max={PTYS}"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",  # noqa: S108
     "options": [*NOSUID, "mode=1777", "size=65536k"]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": NOSUID},
]  # fmt: skip
RUN_MOUNTS: list[dict[str, Any]] = [
    {"destination": "/run", "type": "tmpfs", "source": "tmpfs",
     "options": ["nosuid", "nodev", "mode=755"]},
    {"destination": "/run/lock", "type": "tmpfs", "source": "tmpfs", "options": NOSUID},
]  # fmt: skip
# Its root can take these off. What lies beneath is closed to it, or says nothing of others.
MASKED = ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kallsyms", "/proc/kcore",
          "/proc/keys", "/proc/kmsg", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
          "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
          "/sys/firmware"]  # fmt: skip
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sysrq-trigger"]
ALWAYS = ("/dev", "/proc", "/run", "/sys")
KEPT_OPTIONS = ("ro", "nosuid", "nodev", "noexec", "noatime")


def write_bundle(ct: Ct) -> None:
    """config.json, with what the mount scripts have mounted below VE_ROOT as explicit binds."""
    require_plain_accounts(ct)
    config = config_of(ct)
    require_real_places(ct.paths.fs, places(config))
    ct.paths.bundle.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = ct.paths.bundle / "config.json"
    path.write_text(json.dumps(config))


def require_plain_accounts(ct: Ct) -> None:
    """runc reads these in the container, and would wait for ever for a fifo's other end."""
    with SafeTree(ct.paths.fs) as tree:
        for path in ("/etc/passwd", "/etc/group"):
            entry = tree.look(path, Links.INSIDE)
            if entry and (entry.kind is not Entry.FILE or entry.size > MIB):
                raise BadTree(BadTrees.NOT_PLAIN, path=path)


def places(config: dict[str, Any]) -> list[str]:
    """Where its runtime mounts something."""
    return [mount["destination"] for mount in config["mounts"]]


def require_real_places(fs: Path, mounts: Iterable[str] = ()) -> None:
    """A runtime follows a link in the place of /dev out of the container, and deletes files there.

    What lies below another mount is not looked at: that hides it.
    """
    hidden: set[str] = set()
    with SafeTree(fs) as tree:
        for path in sorted({*ALWAYS, *mounts}):
            above = [f"{each}" for each in Path(path).parents]
            if hidden.isdisjoint(above):
                require_real(tree, [*above[-2::-1], path])
            if path in mounts:
                hidden.add(path)


def require_real(tree: SafeTree, paths: list[str]) -> None:
    """Each a directory, or missing; the last may be a file that another is bound on."""
    for path in paths:
        kind = tree.kind(path)
        if kind is None:
            return
        if kind is Entry.DIRECTORY or (kind is Entry.FILE and path == paths[-1] not in ALWAYS):
            continue
        raise BadTree(BadTrees.NOT_REAL, path=path, found=kind)


def config_of(ct: Ct) -> dict[str, Any]:
    init = init_of(ct)
    systemd = init is not None and init.kind is Kind.SYSTEMD
    mapping = mapping_of(ct.ids)
    namespaces = ("pid", "ipc", "uts", "mount", "network", "cgroup", "user")
    return {
        "ociVersion": "1.0.2",
        "process": {
            **process(ct, [init.path] if init else NO_INIT, ENV),
            "terminal": True,
        },
        "root": {"path": f"{ct.paths.rootfs}"},
        "hostname": ct.spec.hostname or f"ct{ct.ctid}",
        "mounts": [*MOUNTS, *sys_mounts(systemd), *(RUN_MOUNTS if systemd else ()), *binds(ct)],
        "hooks": {"createRuntime": [hook(ct.paths.node, ct.ctid, ct.spec.ips)]},
        "linux": {
            "cgroupsPath": ct.paths.cgroup,
            "uidMappings": mapping,
            "gidMappings": mapping,
            "namespaces": [{"type": name} for name in namespaces],
            "resources": {
                "devices": [{"allow": False, "access": "rwm"}],
                **resources(ct),
            },
            "maskedPaths": MASKED,
            "readonlyPaths": READONLY,
            **filters(ct),
        },
    }


def filters(ct: Ct) -> dict[str, Any]:
    configured = veconf.read(ct.paths.node.vz_conf).get(syscalls.KEY)
    found = syscalls.seccomp(socketcall=configured == "yes")
    return {"seccomp": found} if found else {}


def init_of(ct: Ct) -> Init | None:
    try:
        return detect(ct.paths.fs)
    except NoInit:
        return None


def mapping_of(own: ids.Range) -> list[dict[str, int]]:
    return [{"containerID": 0, "hostID": own.base, "size": own.size}]


def rootfs(ct: Ct) -> Rootfs:
    """What its runtime is to find at rootfs, and the folders down to there."""
    own, there = ct.ids, ids.on_disk(ct.paths.node, ct.paths.fs)
    target = ct.paths.rootfs
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(0o755)
    os.chown(target.parent, 0, own.base)
    target.parent.chmod(0o710)
    target.parent.parent.chmod(0o711)
    return Rootfs(ct.paths.fs, target, Ids(there.base, own.base, own.size))


def process(ct: Ct, argv: list[str], env: list[str]) -> dict[str, Any]:
    allowed, profile = capabilities(), apparmor.profile(ct.paths.node)
    return {
        "user": {"uid": 0, "gid": 0},
        "args": argv,
        "env": env,
        "cwd": "/",
        "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), allowed),
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": nofile()}],
        "noNewPrivileges": False,
        **({"apparmorProfile": profile} if profile else {}),
    }


def write_process(ct: Ct, argv: list[str]) -> Path:
    """What runc exec runs for an action script; its environment is HOME TERM PATH VEID, no more."""
    require_plain_accounts(ct)
    require_real_places(ct.paths.fs)
    env = ["HOME=/", "TERM=linux", f"PATH={PATH}", f"VEID={ct.ctid}"]
    path = ct.paths.bundle / f"process-{ct.operation}.json"
    path.write_text(json.dumps({**process(ct, argv, env), "terminal": False}))
    return path


def capabilities() -> list[str]:
    """Those that the node itself has: a container can't have more."""
    status = Path("/proc/self/status").read_text()
    bounding = int(status.split("CapBnd:")[1].split()[0], 16)
    return [f"CAP_{name}" for name, number in CAPABILITIES.items() if bounding >> number & 1]


def nofile() -> int:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return NOFILE if hard == resource.RLIM_INFINITY else min(NOFILE, hard)


def resources(ct: Ct, *, all: bool = False) -> dict[str, Any]:
    """Its limits, as both config.json and `runc update` take them; all: also those it has not."""
    found: dict[str, Any] = {}
    for setting in settings.of_node():
        if resource := setting.resource:
            value = getattr(ct.spec, setting.name)
            if value is not None or all:
                part = resource.unlimited if value is None else resource.limit(value)
                found.setdefault(resource.name, {}).update(part)
    return found


def sys_mounts(systemd: bool) -> list[dict[str, Any]]:
    """systemd wants to write to its own control group; the others have no need to."""
    how = ["relatime", "rw"] if systemd else ["relatime", "ro"]
    return [
        {"destination": "/sys", "type": "sysfs", "source": "sysfs",
         "options": [*NOSUID, *([] if systemd else ["ro"])]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
         "options": [*NOSUID, *how]},
    ]  # fmt: skip


def binds(ct: Ct) -> list[dict[str, Any]]:
    """What is mounted below VE_ROOT; of mounts on one another only the topmost can be seen."""
    found = dict(observed.submounts(ct.paths.root))
    return [
        {
            "destination": where.removeprefix(f"{ct.paths.root}"),
            "type": "bind",
            "source": where,
            "options": ["bind", "rprivate", *(o for o in options if o in KEPT_OPTIONS)],
        }
        for where, options in found.items()
    ]
