"""What a node can say of a reinstallation beforehand. It only looks, and takes no lock for long."""

import fcntl
import os
from typing import Any

from containers.node import kept, observed, veconf
from containers.node.access.accounts import PASSWD, number, table
from containers.node.access.credentials import PERSONS
from containers.node.actions import CONFIGURE, REINSTALL, START, STOP, Action, Scope
from containers.node.ct import Ct
from containers.node.errors import CommandFailed, OperationError
from containers.node.lock import holder
from containers.node.processes.run import call
from containers.node.script_files import upcoming
from containers.node.scripts import shell_in
from containers.node.states import State
from containers.node.steps.reinstalling import require_readable_credentials
from containers.node.storage import reserve, space
from containers.node.templates import catalogue
from containers.node.trees.area import tree_of

COUNTING_TIMEOUT = 2.0  # seconds to count a container's files; meanwhile the node's worker waits
NOBODY = 65534
MOST_NAMED = 20  # users


def look(ct: Ct, template: str) -> dict[str, Any]:
    """template: NAME@N. Sizes in bytes, None for what can't be known; "" where nothing is wrong."""
    left = space(ct.paths.node.vz)
    found, missing = size_of_new(ct, template)
    return {
        "old": {"bytes": size_of_old(ct), "files": count(ct, "--inodes")},
        "new": found,
        "limited": ct.storage.has_limits,
        "shared": ct.storage.shares_blocks,
        "pool": {
            "size": left.size,
            "free": left.free,
            "inodes_free": left.inodes_free,
            "reserve": reserve.of(left.size, veconf.read(ct.paths.node.vz_conf)),
        },
        "kept": beside(ct),
        "locked": locked_by(ct),
        "template": missing,
        "credentials": unreadable(ct),
        "users": users(ct),
        "hooks": {f"{action}": whose(ct, action) for action in (REINSTALL, CONFIGURE)},
        "scripts": {f"{action}": runs(ct, Scope.OWN, action) for action in (START, STOP)},
        "shell": has_shell(ct),
        "running": observed.state_of(ct.paths) in (State.RUNNING, State.PAUSED),
        "snapshots": len(list(ct.paths.snapshots.glob("*-*"))),
    }


def beside(ct: Ct) -> dict[str, int] | None:
    """What it would count if the old system were kept too; None where that isn't counted."""
    spared = kept.REPLACED_MANY - 1
    try:
        found = kept.look(ct.paths, ct.storage, ct.spec.diskspace, replaced=spared)
    except (OSError, OperationError):
        return None
    return {"bytes": found.bytes + found.disk, "allowed": found.allowed} if found else None


def size_of_old(ct: Ct) -> int | None:
    if not ct.storage.knows_usage:
        return count(ct, "--block-size=1")
    try:
        return ct.storage.parse_usage(call(ct.storage.usage(ct.paths.fs, fresh=False))).bytes
    except OperationError:
        return None


def count(ct: Ct, what: str) -> int | None:
    """What du adds up; None when that takes too long."""
    argv = ["du", what, "--summarize", "--one-file-system", f"{ct.paths.fs}"]
    try:
        said = call(argv, ok=(0, 1), timeout=COUNTING_TIMEOUT)  # 1: some went meanwhile
        return int(said.split()[0])
    except (CommandFailed, IndexError, ValueError):
        return None


def size_of_new(ct: Ct, template: str) -> tuple[int | None, str]:
    """How large the template is, and why it can't be had."""
    try:
        found = catalogue.find(ct.paths.node, template)
        if not ct.storage.knows_usage:
            return found.facts.size, ""
        return ct.storage.parse_usage(call(ct.storage.usage(found.fs, fresh=False))).bytes, ""
    except OperationError as error:
        return None, f"{error}"


def locked_by(ct: Ct) -> str:
    try:
        file = os.open(ct.paths.lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return ""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return holder(file)
    finally:
        os.close(file)
    return ""


def unreadable(ct: Ct) -> str:
    try:
        require_readable_credentials(ct)
    except OperationError as error:
        return f"{error}"
    return ""


def users(ct: Ct) -> list[str]:
    """root and the people, by name."""
    try:
        with tree_of(ct.paths.node, ct.paths.fs) as tree:
            rows = [row for row in table(tree.read(PASSWD)) if len(row) > 2 and number(row[2])]
    except OperationError:
        return []
    people = [row for row in rows if int(row[2]) == 0 or PERSONS <= int(row[2]) < NOBODY]
    return [row[0].decode(errors="replace")[:32] for row in people[:MOST_NAMED]]


def whose(ct: Ct, action: Action) -> str:
    """Of a hook the container's own runs, or else the global one; "" for none."""
    return next((f"{scope}" for scope in (Scope.OWN, Scope.GLOBAL) if runs(ct, scope, action)), "")


def runs(ct: Ct, scope: Scope, action: Action) -> bool:
    """Whether the script will be there once the operation has written the container's own."""
    return upcoming(ct.paths, scope, action, ct.scripts.get((scope, action))) is not None


def has_shell(ct: Ct) -> bool:
    try:
        shell_in(ct.paths.fs)
    except OperationError:
        return False
    return True
