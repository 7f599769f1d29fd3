"""Which of two private areas is the old one and which the new: written down, never guessed.

<private>/reinstall.json holds the marks of both while they trade places; whoever comes after a
crash reads it there.
"""

import json
import os
from pathlib import Path

from containers.node.ct import Ct
from containers.node.draft import written_beside


def role_of(ct: Ct, path: Path) -> str:
    """old or new, once that has been written down; else empty."""
    if path.is_symlink() or not path.is_dir():
        return ""
    found, noted_ = ct.storage.mark(path), noted(ct)
    return next((role for role in ("old", "new") if noted_.get(role) == found), "")


def note_path(ct: Ct) -> Path:
    return ct.paths.private / "reinstall.json"


def draft_path(ct: Ct) -> Path:
    return note_path(ct).with_suffix(".new")


def noted(ct: Ct) -> dict[str, object]:
    try:
        return dict(json.loads(note_path(ct).read_text()))
    except (OSError, ValueError):
        return {}


def forget_notes(ct: Ct) -> None:
    for path in (note_path(ct), draft_path(ct)):
        path.unlink(missing_ok=True)


def note(ct: Ct, **what: object) -> None:
    with written_beside(note_path(ct), draft_path(ct)) as draft, draft.open("w") as file:
        json.dump({**noted(ct), **what}, file)
        file.flush()
        os.fsync(file.fileno())
