"""A snapshot's manifest: the SHA-256 of each of its files, as sha256sum writes and checks them.

The disk is not in it: that is a read-only area, known by its identity, with its own checksums.
"""

import ctypes
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from containers.node.checkpoint.reason import Reason
from containers.node.checkpoint.saved import Saved
from containers.node.errors import Doubts

LINE = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<name>[^\0/\n][^\0\n]*)\Z")
START = 2  # SYNC_FILE_RANGE_WRITE: begin, and do not wait


def write(saved: Saved) -> str:
    """Write it, all of the snapshot being on the disk then; returns the manifest's own hash."""
    lines = [f"{hash_of(saved.path / name)}  {name}\n" for name in files(saved)]
    with saved.manifest.open("w") as file:
        file.writelines(lines)
        file.flush()
        sync(file.fileno())
    return hash_of(saved.manifest)


def hasten(saved: Saved) -> None:
    """Let the images go to the disk by themselves, so that sync has less to wait for."""
    libc = ctypes.CDLL(None)
    for path in saved.images.iterdir():
        with path.open("rb") as file:
            libc.sync_file_range(file.fileno(), ctypes.c_int64(0), ctypes.c_int64(0), START)


def sync(fd: int) -> None:
    """The whole file system at once: a hundred files one by one take a second."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syncfs(fd):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def check(saved: Saved, expected: str | None = None, *, images: bool = True) -> list[Reason]:
    """What does not agree with it.

    expected: the manifest's own hash, from where nobody who can change files can change it.
    images: whether those are needed, and looked at.
    """
    try:
        text = saved.manifest.read_bytes()
    except OSError:
        return [Reason.doubt(Doubts.NO_MANIFEST)]
    if expected and hashlib.sha256(text).hexdigest() != expected:
        return [Reason.doubt(Doubts.OTHER_MANIFEST)]
    wanted = parse(text)
    if wanted is None:
        return [Reason.doubt(Doubts.BAD_MANIFEST)]
    there = set(files(saved))
    if not images:
        left_out = {name for name in there | wanted.keys() if name.startswith("img/")}
        there -= left_out
        wanted = {name: wanted[name] for name in wanted.keys() - left_out}
    found = {
        Doubts.FILES_MISSING: wanted.keys() - there,
        Doubts.FILES_ADDED: there - wanted.keys(),
        Doubts.FILES_CHANGED: {*differing(saved, wanted, there)},
    }
    return [Reason.doubt(word, names=sorted(names)) for word, names in found.items() if names]


def differing(saved: Saved, wanted: dict[str, str], there: set[str]) -> Iterator[str]:
    for name in wanted.keys() & there:
        try:
            if hash_of(saved.path / name) != wanted[name]:
                yield name
        except OSError:
            yield name


def parse(text: bytes) -> dict[str, str] | None:
    found: dict[str, str] = {}
    whole, _, rest = text.rpartition(b"\n")
    if rest or not whole:
        return None
    for line in whole.split(b"\n"):
        match = LINE.match(line.decode(errors="replace"))
        if not match or match["name"] in found:
            return None
        found[match["name"]] = match["sha256"]
    return found


def files(saved: Saved) -> list[str]:
    """All but the disk and the manifest itself."""
    found = []
    for folder, folders, names in os.walk(saved.path):
        if Path(folder) == saved.path:
            folders[:] = [name for name in folders if name != saved.fs.name]
            names = [name for name in names if name != saved.manifest.name]
        found += [f"{(Path(folder) / name).relative_to(saved.path)}" for name in names]
    return sorted(found)


def hash_of(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
