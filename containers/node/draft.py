"""A file that is written beside its place, and put there whole or not at all."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def written_beside(path: Path, draft: Path) -> Iterator[Path]:
    """The draft takes the place of path; one that can't be written whole leaves nothing."""
    try:
        yield draft
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
