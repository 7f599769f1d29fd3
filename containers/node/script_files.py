"""The files of scripts on a node: what is there, what the panel wrote, and what will be there."""

import hashlib
import json
import os
from pathlib import Path

from containers.node.actions import Action, Scope
from containers.node.ct import Script
from containers.node.draft import written_beside
from containers.node.layout import Layout


def put(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        written_beside(path, path.with_name(f".{path.name}.new")) as draft,
        open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), "wb") as file,
    ):
        os.fchmod(file.fileno(), 0o700)
        file.write(body)


def hash_of(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
    except OSError:
        return ""  # a directory, or worse: there, but nothing we wrote


def readable(path: Path) -> str:
    """Why it can't be read, as a clause; empty when it can."""
    if not path.is_file():
        return "it is no file"
    try:
        path.open("rb").close()
    except OSError as error:
        return error.strerror or f"{error}"
    return ""


class Written:
    """Hashes of the files the panel wrote, to tell them from those it did not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.hashes: dict[str, str] = json.loads(path.read_text())
        except (OSError, ValueError):
            self.hashes = {}

    def get(self, path: Path) -> str | None:
        return self.hashes.get(path.name)

    def set(self, path: Path, sha256: str | None) -> None:
        if self.hashes.get(path.name) == sha256:
            return
        self.hashes.pop(path.name, None)
        if sha256:
            self.hashes[path.name] = sha256
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with written_beside(self.path, self.path.with_suffix(".new")) as draft:
            draft.write_text(json.dumps(self.hashes))


def upcoming(
    paths: Layout, scope: Scope, action: Action, want: Script | None, *, replace: bool = False
) -> str | None:
    """The hash of what an operation will find there, once it has written the container's own.

    None: nothing. A global script is what was published.
    """
    path = paths.script(scope, action)
    have = hash_of(path)
    if scope is Scope.GLOBAL:
        return have
    wrote = Written(paths.node.state / "written" / f"{paths.ctid}.json").get(path)
    if want is None:
        return None if have in (None, wrote) else have
    if have is None:
        return None if action.hook and wrote == want.sha256 and not replace else want.sha256
    return want.sha256 if replace or have in (wrote, want.sha256) else have
