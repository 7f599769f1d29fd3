"""Whose fault it was that a dump failed: what CRIU's log tells, as the container's people know it.

Looked for once it has failed, when the processes go on: so it costs nobody anything before.
"""

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from containers.node.checkpoint import criu, obstacles
from containers.node.checkpoint.reason import Reason
from containers.node.doubts import Hindrances
from containers.node.errors import Problem
from containers.node.lines import lines_in
from containers.node.trees.openat2 import Links, by_kernel

TASK = re.compile(r"Dumping task \(pid: (\d+) comm: ")
RUNAWAY = re.compile(r"Runaway socket: ino (\d+) peer_ino (\d+) .* name (.*)$")
OUTSIDE = re.compile(r"Can't lookup mount=\d+ for fd=(-?\d+) path=(.*)$")
QUEUES = "mqueue isn't empty"
MQUEUE = "dev/mqueue"
INODE, NAME = 6, 7  # columns of /proc/net/unix


def of(log: Path, init: int) -> Reason | None:
    """What a sentence can be made of that names a process and a file; None where there is none."""
    text = criu.text_of(log)
    if QUEUES in text:
        return hindered(Hindrances.QUEUES, names=queues(init))
    for line in text.split("\n"):
        if match := RUNAWAY.search(line):
            return connected(init, *match.groups())
        if match := OUTSIDE.search(line):
            return outside(task(text, before=line), *match.groups())
    return None


def process(log: Path) -> str:
    """The one that was dumped when it failed, as `NAME, PID`; empty when the log doesn't say."""
    text = criu.text_of(log)
    match = next(filter(criu.telling, criu.ERROR.finditer(text)), None)
    pid = task(text, before=match[0]) if match else 0
    return f"{obstacles.name_of(pid)}, {obstacles.inside(pid)}" if pid else ""


def connected(init: int, other: str, own: str, place: str) -> Reason:
    """Of a process to one that is not in the dump: an exec's, or one of the node's."""
    everyone = obstacles.members(init)
    outside = obstacles.strangers(init, everyone)
    pid = holder(own, (pid for pid in everyone if pid not in outside))
    path = next(filter(None, (name_of(init, own), name_of(init, other), place)), "?")
    details = {**known(pid), "path": obstacles.plain(path)}
    if session := holder(other, outside):
        peer = obstacles.name_of(session)
        return hindered(Hindrances.SESSION, **details, peer=peer,
                        peer_pid=obstacles.inside(session))  # fmt: skip
    return hindered(Hindrances.SOCKET, **details)


def name_of(init: int, inode: str) -> str:
    """Of a unix socket in the container's network; empty for none, and for one elsewhere."""
    for line in lines_in(obstacles.read(f"/proc/{init}/net/unix")):
        words = line.split(maxsplit=NAME)
        if len(words) > NAME and words[INODE] == inode:
            return words[NAME]
    return ""


def holder(inode: str, pids: Iterable[int]) -> int:
    """Who has a socket open; 0 for nobody."""
    for pid in pids:
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{pid}/fd/{fd}") == f"socket:[{inode}]":
                        return pid
    return 0


def outside(pid: int, fd: str, path: str) -> Reason:
    word = Hindrances.QUEUE if is_queue(pid, fd) else Hindrances.OUTSIDE
    return hindered(word, **known(pid), path=obstacles.plain(path))


def is_queue(pid: int, fd: str) -> bool:
    """Whether it is a message queue: then it is on that file system."""
    kinds = {line.split(" ")[2]: line.partition(" - ")[2].split(" ")[0]
             for line in lines_in(obstacles.read(f"/proc/{pid}/mountinfo"))}  # fmt: skip
    with contextlib.suppress(OSError):
        device = os.stat(f"/proc/{pid}/fd/{fd}").st_dev
        return kinds.get(f"{os.major(device)}:{os.minor(device)}") == "mqueue"
    return False


def queues(init: int) -> list[str]:
    """The names of its message queues."""
    with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
        root = os.open(f"/proc/{init}/root", os.O_PATH | os.O_CLOEXEC)
        opened.callback(os.close, root)
        place = by_kernel(root, MQUEUE, Links.NONE, True)
        opened.callback(os.close, place)
        return sorted(f"/{obstacles.plain(name)}" for name in os.listdir(f"/proc/self/fd/{place}"))
    return []


def task(text: str, *, before: str) -> int:
    found = TASK.findall(text.partition(before)[0])
    return int(found[-1]) if found else 0


def known(pid: int) -> dict[str, object]:
    return obstacles.who(pid) if pid else {"name": "?", "pid": "?"}


def hindered(word: Hindrances, **details: object) -> Reason:
    return Reason(Problem.HINDERED.value, {"fault": word.value, **details})
