"""Debian 12 with systemd or sysvinit, made by mmdebstrap from the node's own mirrors."""

from dataclasses import dataclass
from pathlib import Path

from containers.node.errors import OperationError, Problem
from containers.node.lines import lines_in
from containers.node.processes.run import call
from containers.node.storage import Argv
from containers.node.trees.openat2 import Links
from containers.node.trees.safe_tree import Kind as Entry
from containers.node.trees.safe_tree import SafeTree

SUITE = "bookworm"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
COMMON = ("openssh-server", "iproute2", "curl", "nano", "ca-certificates", "iputils-ping",
          "less", "netbase", "procps")  # fmt: skip

# It mounts the node's /dev/shm, /sys and more into the tree. In namespaces of its own these go
# with it however it ends, and whoever removes the tree can't reach the node's files through them.
ALONE = ("unshare", "--mount", "--propagation", "private",
         "--pid", "--fork", "--kill-child", "--mount-proc")  # fmt: skip


@dataclass(frozen=True)
class Flavour:
    packages: tuple[str, ...]
    files: dict[str, str]
    masked: tuple[str, ...] = ()  # systemd units


FILES = {
    "/etc/hostname": "localhost\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n",
    "/etc/resolv.conf": "",
    "/etc/machine-id": "",
    "/etc/default/locale": "LANG=C.UTF-8\n",
    "/etc/network/interfaces": "# The address is set from outside, by the node.\n"
                               "auto lo\niface lo inet loopback\n",
    "/etc/ssh/sshd_config.d/10-panel.conf": "PermitRootLogin yes\n",
}  # fmt: skip

# What these options do is done with namespaces inside the container, which CRIU can't dump.
CRIU = "\n".join([
    "[Service]", "PrivateTmp=no", "PrivateDevices=no", "PrivateNetwork=no", "PrivateUsers=no",
    "PrivateMounts=no", "PrivateIPC=no", "ProtectSystem=no", "ProtectHome=no",
    "ProtectHostname=no", "ProtectKernelTunables=no", "ProtectKernelModules=no",
    "ProtectKernelLogs=no", "ProtectControlGroups=no", "ProtectClock=no", "ProtectProc=default",
    "",
])  # fmt: skip
# The kernel's own file systems and devices are the node's.
MASKED = (
    "dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-config.mount",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-fs-fuse-connections.mount",
    "proc-sys-fs-binfmt_misc.automount", "proc-sys-fs-binfmt_misc.mount",
    "systemd-binfmt.service", "systemd-modules-load.service", "systemd-remount-fs.service",
    "systemd-udevd.service", "systemd-udevd-control.socket", "systemd-udevd-kernel.socket",
    "systemd-udev-trigger.service", "apt-daily.timer", "apt-daily-upgrade.timer",
)  # fmt: skip

FLAVOURS = {
    "debian-12": Flavour(
        packages=("systemd", "systemd-sysv", "dbus", "libpam-systemd"),
        files={"/etc/systemd/system/service.d/10-criu.conf": CRIU},
        masked=MASKED,
    ),
    "debian-12-sysvinit": Flavour(packages=("sysvinit-core",), files={}),
}
CONSOLE = "1:2345:respawn:/sbin/getty --noclear 115200 console linux"


def argv(name: str, fs: Path, sources: list[str]) -> Argv:
    """Fill the empty directory fs. sources: from sources(); none: mmdebstrap's own choice."""
    flavour = flavour_of(name)
    return [
        *ALONE,
        "mmdebstrap", "--verbose", "--mode=root", "--variant=minbase", "--format=directory",
        f"--include={','.join((*COMMON, *flavour.packages))}",
        SUITE, f"{fs}", *sources,
    ]  # fmt: skip


def sources() -> list[str]:
    """Lines of a sources.list with the mirrors that this node's apt uses, whatever its release."""
    said = call(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"])
    mirrors = sorted({uri.rstrip("/") for uri in said.decode().split()})
    main = next((uri for uri in mirrors if uri.endswith("/debian")), None)
    if main is None:
        return []
    security = next((uri for uri in mirrors if uri.endswith("debian-security")), None)
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    places = [(main, SUITE), (main, f"{SUITE}-updates")]
    places += [(security, f"{SUITE}-security")] if security else []
    return [f"deb {signed}{uri} {suite} main" for uri, suite in places]


def configure(name: str, fs: Path) -> None:
    """Make a container's system of what mmdebstrap left."""
    flavour = flavour_of(name)
    with SafeTree(fs) as tree:
        for path, content in {**FILES, **flavour.files}.items():
            tree.mkdir(path.rpartition("/")[0])
            tree.write(path, content.encode())
        for unit in flavour.masked:
            (fs / "etc/systemd/system" / unit).symlink_to("/dev/null")
        if tree.kind("/etc/inittab") is Entry.FILE:
            tree.write("/etc/inittab", inittab(tree.read("/etc/inittab").decode()).encode())
        leave_out(tree)


def inittab(text: str) -> str:
    """Without the terminals of a screen, with one on the console (CRIU wants it held open)."""
    lines = [f"#{line}" if "getty" in line and ":respawn:" in line and line[0] != "#" else line
             for line in lines_in(text)]  # fmt: skip
    return "\n".join([*lines, CONSOLE, ""])


def leave_out(tree: SafeTree) -> None:
    """Remove what only one machine may have, and device nodes (the container gets its own /dev)."""
    for name in tree.listdir("/etc/ssh"):
        if name.startswith("ssh_host_"):
            tree.remove(f"/etc/ssh/{name}")
    for path in ("/var/lib/dbus/machine-id", "/etc/apt/apt.conf.d/99mmdebstrap"):
        tree.remove(path)
    for name in tree.listdir("/dev"):
        if tree.kind(f"/dev/{name}", Links.NONE) is not Entry.DIRECTORY:
            tree.remove(f"/dev/{name}")


def flavour_of(name: str) -> Flavour:
    try:
        return FLAVOURS[name]
    except KeyError:
        raise OperationError(Problem.UNKNOWN_TEMPLATE, name=name, known=[*FLAVOURS]) from None
