"""SSH host keys, some of them made ahead, so that nobody has to wait for them.

<run>/host-keys/HEX/   one of each quick kind, used by nobody yet

Each lot is taken by renaming it, so no two containers have the same keys, whoever dies in between.
They lie below <run>: a node that is put back from a backup must not find those it has used.
"""

import contextlib
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.node.processes.run import call

# These take 5 ms each and serve every client since 2011. An RSA key takes up to a second.
QUICK, SLOW = ("ed25519", "ecdsa"), "rsa"
OPTIONS = {"rsa": ["-b", "3072"]}
STOCK = 8  # lots
STALE = 3600.0  # seconds after which a lot is nobody's that is neither whole nor used up
NOBODY = "root"


@dataclass(frozen=True)
class Key:
    """As the files of a key pair have it."""

    kind: str
    private: bytes
    public: bytes

    @property
    def name(self) -> str:
        return f"ssh_host_{self.kind}_key"

    def commented(self, comment: str) -> "Key":
        algorithm, key = self.public.split()[:2]
        return replace(self, public=b"%b %b %b\n" % (algorithm, key, comment.encode()))


def make(kinds: Sequence[str], comment: str = NOBODY) -> list[Key]:
    with tempfile.TemporaryDirectory(prefix="panel-host-keys-") as folder:
        generate(kinds, Path(folder), comment)
        return read(kinds, Path(folder))


def take(conf: NodeConf, kinds: Sequence[str], comment: str = NOBODY) -> list[Key]:
    """From the stock; made on the spot where that has none, or others are wanted."""
    if set(kinds) <= set(QUICK) and (lot := taken(conf)):
        with lot as folder:
            return [key.commented(comment) for key in read(kinds, folder)]
    return make(kinds, comment)


def taken(conf: NodeConf) -> "contextlib.AbstractContextManager[Path] | None":
    for lot in whole(conf):
        mine = lot.with_name(f".taken-{lot.name}")
        with contextlib.suppress(FileNotFoundError):  # somebody was faster
            lot.rename(mine)
            return used_up(mine)
    return None


@contextlib.contextmanager
def used_up(lot: Path) -> Iterator[Path]:
    try:
        yield lot
    finally:
        shutil.rmtree(lot)


def whole(conf: NodeConf) -> list[Path]:
    try:
        return [path for path in stock(conf).iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return []


def short(conf: NodeConf) -> bool:
    return len(whole(conf)) < STOCK


def fill(conf: NodeConf, stopping: Event | None = None) -> None:
    """Make what is missing; where none can be made, whoever needs one finds out why.

    stopping: set by another thread when no more are wanted.
    """
    stopping = stopping or Event()
    with contextlib.suppress(OperationError, OSError):
        stock(conf).mkdir(0o700, exist_ok=True)
        forget_stale(conf)
        while short(conf) and not stopping.is_set():
            add(conf)


def add(conf: NodeConf) -> None:
    name = secrets.token_hex(8)
    draft = stock(conf) / f".new-{name}"
    draft.mkdir(0o700)
    try:
        generate(QUICK, draft, NOBODY)
        draft.rename(stock(conf) / name)
    except BaseException:
        shutil.rmtree(draft)
        raise


def forget_stale(conf: NodeConf) -> None:
    for path in stock(conf).glob(".*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_ctime > STALE:
                shutil.rmtree(path)


def stock(conf: NodeConf) -> Path:
    return conf.run / "host-keys"


def generate(kinds: Sequence[str], folder: Path, comment: str) -> None:
    for kind in kinds:
        call([
            "ssh-keygen", "-q",
            "-t", kind, *OPTIONS.get(kind, []),
            "-N", "", "-C", comment,
            "-f", f"{folder}/ssh_host_{kind}_key",
        ])  # fmt: skip


def read(kinds: Sequence[str], folder: Path) -> list[Key]:
    def key(kind: str) -> Key:
        path = folder / f"ssh_host_{kind}_key"
        return Key(kind, path.read_bytes(), path.with_name(f"{path.name}.pub").read_bytes())

    return [key(kind) for kind in kinds]
