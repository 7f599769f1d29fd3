"""The images that a restore reads: those of the dump, or a copy that fits the container of now."""

import json
from pathlib import Path

from containers.node import ids
from containers.node.checkpoint import lost_console, userids, watches
from containers.node.checkpoint.saved import Saved
from containers.node.ct import Ct
from containers.node.storage.removal import remove


def images_for(ct: Ct, kept: Saved) -> Path:
    """The dump's own, or a copy: for the range of ids and the disk that the container has now,
    and with a console where it had lost that.
    """
    was, own = range_of(kept), ct.ids
    changed = {path.name: lost_console.found(path) for path in lost_console.images(kept.images)}
    changed |= other_watches(ct, kept)
    if was == own and not changed:
        return kept.images
    remove(ct.storage, moved_images(ct))
    userids.move(kept.images, moved_images(ct), was, own)
    for name, content in changed.items():
        (moved_images(ct) / name).write_bytes(content)
    return moved_images(ct)


def other_watches(ct: Ct, kept: Saved) -> dict[str, bytes]:
    """The image of what its processes watch on their disk, where that is another one now."""
    image, old, new = kept.images / watches.IMAGE, *map(watches.subvolume, (kept.fs, ct.paths.fs))
    if not image.exists() or old is None or new is None:
        return {}
    before = image.read_bytes()
    after = watches.moved(before, {old}, new)
    return {} if after == before else {image.name: after}


def moved_images(ct: Ct) -> Path:
    return ct.paths.private / "img.restore"


def range_of(kept: Saved) -> ids.Range:
    (mapping,) = json.loads(kept.config.read_text())["linux"]["uidMappings"]
    return ids.Range(mapping["hostID"], mapping["size"])
