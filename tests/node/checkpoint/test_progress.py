"""A dump that makes no progress is seen, and one that is slow is not."""

from pathlib import Path

import pytest

from containers.node.checkpoint.saved import Saved
from containers.node.steps.dumping import Progress, Stalled


def test_it_gets_on_while_its_log_or_its_images_grow_or_the_disk_is_copied(tmp_path: Path) -> None:
    log, into = tmp_path / "dump.log", Saved(tmp_path / "new")
    into.images.mkdir(parents=True)
    progress = Progress(log, into, patience=0)
    progress.look()
    for path in (log, into.images / "pages-1.img", log):
        with path.open("a") as file:
            file.write("more")
        progress.look()
        with pytest.raises(Stalled, match="no progress for 0 s"):
            progress.look()
    into.fs.mkdir()
    progress.look()
    progress.look()
