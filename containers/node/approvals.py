"""Which scripts root has approved on this node, where vz.conf says that only those may run.

<state>/approved/CTID/ACTION/SHA256    the text as it was approved; CTID is global for a global one
<state>/approved/log                   who approved or withdrew what, when: only ever added to

All of it is root's alone: whoever can write to the database can't approve. What was approved for
one script is not for another, nor for that of another container.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from containers.node import veconf
from containers.node.actions import Action
from containers.node.conf import NodeConf

KEY = "APPROVE_SCRIPTS"  # of vz.conf, which only root can write
GLOBAL = "global"
COPY = "running"  # beside a container's approvals: the text that runs at the moment
DIGITS = 64  # of a SHA-256


def required(conf: NodeConf) -> bool:
    """Whatever it says but no, or nothing, is a yes: a mistyped wall stands."""
    return veconf.read(conf.vz_conf).get(KEY, "").strip().lower() not in ("", "no")


def approved(conf: NodeConf, ctid: int | None, action: Action, sha256: str) -> bool:
    """ctid: None for a global script."""
    there = len(sha256) == DIGITS and (folder(conf, ctid, action) / sha256).is_file()
    return there and ours_alone(conf)


def ours_alone(conf: NodeConf) -> bool:
    """Whether nobody else could have put an approval there."""
    found = [path.lstat() for path in (conf.state, store(conf))]
    return all(each.st_uid == os.geteuid() and not each.st_mode & 0o022 for each in found)


def approve(conf: NodeConf, ctid: int | None, action: Action, body: bytes, *, who: str) -> str:
    """Returns the hash of what may run from now on. Raises OSError."""
    sha256 = hashlib.sha256(body).hexdigest()
    place = folder(conf, ctid, action)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    store(conf).chmod(0o700)
    note(conf, "approve", ctid, action.name, who, sha256)  # first: no approval without a line
    draft = place / "new"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(body)
        os.fsync(file.fileno())
    draft.replace(place / sha256)
    return sha256


def withdraw(conf: NodeConf, ctid: int | None, action: Action, *, who: str) -> int:
    """None of its texts may run any more; returns how many could."""
    found = list(texts(conf, ctid, action))
    for path in found:
        path.unlink(missing_ok=True)
        note(conf, "withdraw", ctid, action.name, who, path.name)
    return len(found)


def forget(conf: NodeConf, ctid: int, *, who: str) -> None:
    """The container is gone: another one with its CT ID has other scripts."""
    if (place := store(conf) / f"{ctid}").is_dir():
        note(conf, "forget", ctid, "", who, "")
        shutil.rmtree(place)


def latest(conf: NodeConf, ctid: int | None, action: Action) -> bytes | None:
    """The text that was approved last, to compare a new one with."""
    found = sorted(texts(conf, ctid, action), key=lambda path: path.stat().st_mtime_ns)
    return found[-1].read_bytes() if found else None


def texts(conf: NodeConf, ctid: int | None, action: Action) -> Iterator[Path]:
    """One file for each text that may run."""
    place = folder(conf, ctid, action)
    return (path for path in place.glob("*") if len(path.name) == DIGITS)


def store(conf: NodeConf) -> Path:
    return conf.state / "approved"


def folder(conf: NodeConf, ctid: int | None, action: Action) -> Path:
    return store(conf) / (GLOBAL if ctid is None else f"{ctid}") / action.name


def running(conf: NodeConf, ctid: int) -> Path:
    """Where the text lies that a container's operation runs; nobody writes into it meanwhile."""
    return store(conf) / f"{ctid}" / COPY


def note(conf: NodeConf, did: str, ctid: int | None, action: str, who: str, sha256: str) -> None:
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": who,
        "did": did,
        "ctid": ctid,
        "action": action,
        "sha256": sha256,
    }
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    file = os.open(store(conf) / "log", flags, 0o600)
    try:
        os.write(file, f"{json.dumps(line)}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)
