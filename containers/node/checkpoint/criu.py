"""CRIU, which dumps processes and restores them: where it is, how it is told, what it says."""

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from containers.node import panels
from containers.node.conf import NodeConf
from containers.node.errors import OperationError, Problem
from containers.node.processes.run import call

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FEW = 20  # errors that are told
GHOSTS = 1 << 30  # bytes of one deleted file that is open still; CRIU's own limit is 1 MiB
LIMIT = 60.0  # seconds a dump or a restore may take, and one more for each so many bytes
BYTES_A_SECOND = 20 << 20
ERROR = re.compile(r"^\(\d+\.\d+\)\s+(?:\d+: )?Error \(.*?\): (?P<what>.*)$", re.M)
NOISE = re.compile(r"RLIMIT_NOFILE|FAILED|failed with|wrong exit|exited, status|killed by signal")

NO_LINKS = "Can't create link remap"

# What CRIU calls by its own names, as the operator knows it; the first that fits.
SAYINGS = {
    "No space left on device": "the disk is full",
    "External socket is used": "a process in it is connected, by a unix socket, to one that is not"
    " part of it",
    "Timeout reached": "one of its processes could not be halted",
    "found while seizing": "a process in it is being traced",
    "Zombies with threads": "the first thread of a process in it has ended and others go on",
    NO_LINKS: "a process in it has a file open whose name was deleted, and which has others",
    "mqueue isn't empty": "there are POSIX message queues in it",
    "Unix socket": "a process in it has a unix socket of another network than its own",
    "nested uts namespace": "a process in it has namespaces of its own, as systemd gives services"
    " that are set to ProtectHostname",
    "nested ipc namespace": "a process in it has namespaces of its own",
    "nested user namespace": "a process in it has a user namespace of its own, as containers in it"
    " have",
    "have a proper root mount": "something is mounted in it that did not come by a mount script",
    "unsupported FS": "a file system of a kind that can't be dumped is mounted in it",
    "Can't lookup mount": "a process in it has a file open that is outside of it",
    "bpf-prog": "a process in it has a BPF program loaded",
    "io_uring": "a process in it uses io_uring",
    "ghost file": "a process in it has a deleted file open that is too large",
    "traced": "a process in it is being traced",
    "Connected TCP socket": "connections are open in it",
    "Can't bind inet socket": "an address that its processes listen on is not its own now",
    "No mapping for": "a mount that was there when it was frozen is missing",
    "has bad size": "a file that is open in it is not the same any more",
    "file size": "a file that is open in it is not the same any more",
}


class Off(OperationError):
    """Processes can neither be dumped nor restored on this node."""


@dataclass(frozen=True)
class Criu:
    path: Path
    version: str


def find(conf: NodeConf, environ: Mapping[str, str] = os.environ) -> Criu:
    """The one that set-up tried and found working; PANEL_CRIU overrides it. Raises Off."""
    if own := environ.get("PANEL_CRIU"):
        return Criu(Path(own), version_of(own))
    word, path, version = [*status(conf).split(" ", 2), "", ""][:3]
    if word != "ok" or not os.access(path, os.X_OK):
        raise Off(Problem.SNAPSHOTS_OFF, why=why_not(conf))
    return Criu(Path(path), version)


def status(conf: NodeConf, registry: Path | None = None) -> str:
    """`ok PATH VERSION` or `off: REASON`, as set-up left it; empty when it never looked.

    Then another panel's of this machine counts.
    """
    for state in (conf.state, *panels.others(conf, registry)):
        with contextlib.suppress(OSError):
            said = (state / "criu/status").read_text().strip()
            if said.startswith("ok ") or (said and state == conf.state):
                return said
    return ""


def why_not(conf: NodeConf) -> str:
    said = status(conf)
    if said.startswith("off: "):
        return said.removeprefix("off: ")
    return f"{said.split(' ')[1]} is gone" if said else "no CRIU was set up (make setup does)"


def version_of(program: str) -> str:
    """Raises Off when there is none."""
    try:
        words = call([program, "--version"], timeout=10).decode().split()
    except OperationError as e:
        raise Off(Problem.CRIU_FAILED, cause=e.cause) from e
    return words[words.index("Version:") + 1] if "Version:" in words else ""


def older(version: str, than: str) -> bool:
    return numbers(version) < numbers(than)


def numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def environment(criu: Criu, options: Path) -> dict[str, str]:
    """What a runtime has to be started with so that it uses this CRIU, with these options.

    The restoring process runs iptables and tar, too.
    """
    return {"PATH": f"{criu.path.parent}:{PATH}", "CRIU_CONFIG_FILE": f"{options}"}


def write_options(
    path: Path,
    *,
    tcp_close: bool = False,
    links: bool = False,
    script: Path | None = None,
    connected: bool = True,
    patience: float = 0,
    mounts: Mapping[str, str] | None = None,
) -> None:
    """What a runtime has no options for, or makes a fuss about: a place in /proc to mount at.

    mounts: what the node has mounted in a container, and gives again to what is restored: in a
    dump the name of each place, in a restore by such a name what is to be there.

    tcp_close: restore established connections as closed.
    links: make links for files that have lost their name in one place. They are on the disk until
    the processes go on, so that it has to be kept before that.
    script: what it runs from time to time, with the occasion in CRTOOLS_SCRIPT_ACTION.
    patience: whole seconds that halting all processes may take; CRIU's own 10 otherwise.
    """
    lines = [f"ghost-limit {GHOSTS}", "skip-in-flight"]
    lines += ["tcp-close"] if tcp_close else []
    lines += ["link-remap"] if links else []
    lines += [f"action-script {script}"] if script else []
    lines += [] if connected else ["network-lock skip"]
    lines += [f"external mnt[{key}]:{value}" for key, value in (mounts or {}).items()]
    lines += [f"timeout {max(1, round(patience))}"] if patience else []
    path.write_text("".join(f"{line}\n" for line in lines))


def time_limit(size: int) -> float:
    """Seconds that so many bytes of memory may take."""
    return LIMIT + size / BYTES_A_SECOND


def fault(log: Path) -> str:
    """Why it failed, as a clause; empty when the log doesn't say."""
    found = errors(log)
    for sign, saying in SAYINGS.items():
        if any(sign in error for error in found):
            return saying
    return next((error.rstrip(".") for error in found if not NOISE.search(error)), "")


def wants_links(log: Path) -> bool:
    return any(NO_LINKS in error for error in errors(log))


def errors(log: Path) -> list[str]:
    """What it called an error, in its own words."""
    return [match["what"].strip() for match in ERROR.finditer(text_of(log))][:FEW]


def telling(error: re.Match[str]) -> bool:
    """Whether it says why."""
    return not NOISE.search(error["what"])


def text_of(log: Path) -> str:
    """Of a log; empty when there is none."""
    try:
        return log.read_text(errors="replace")
    except OSError:
        return ""
