"""Which of two private areas is the old one and which the new: written down, never guessed.

<private>/reinstall.json holds the marks of both while they trade places; whoever comes after a
crash reads it there.
"""

import json
import os
from pathlib import Path

from containers.node.ct import Ct


def role_of(ct: Ct, path: Path) -> str:
    """old or new, once that has been written down; else empty."""
    if path.is_symlink() or not path.is_dir():
        return ""
    found, noted_ = ct.storage.mark(path), noted(ct)
    return next((role for role in ("old", "new") if noted_.get(role) == found), "")


def note_path(ct: Ct) -> Path:
    return ct.paths.private / "reinstall.json"


def noted(ct: Ct) -> dict[str, object]:
    try:
        return dict(json.loads(note_path(ct).read_text()))
    except (OSError, ValueError):
        return {}


def forget_notes(ct: Ct) -> None:
    note_path(ct).unlink(missing_ok=True)


def note(ct: Ct, **what: object) -> None:
    path = note_path(ct)
    draft = path.with_suffix(".new")
    with draft.open("w") as file:
        json.dump({**noted(ct), **what}, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
