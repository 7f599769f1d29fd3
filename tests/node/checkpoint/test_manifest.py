"""A manifest is what sha256sum makes of one, and every change is found by it."""

import subprocess
from pathlib import Path

import pytest

from containers.node.checkpoint import manifest
from containers.node.checkpoint.saved import Saved, checked
from containers.node.errors import BadValue


@pytest.fixture
def kept(tmp_path: Path) -> Saved:
    kept = Saved(tmp_path)
    for folder in (kept.fs, kept.images, kept.scripts):
        folder.mkdir()
    (kept.fs / "file").write_text("the disk is not in it")
    (kept.images / "pages-1.img").write_bytes(b"\0" * 5000)
    kept.config.write_text("{}")
    (kept.scripts / "mount").write_text("#!/bin/sh\n")
    return kept


def found(kept: Saved, expected: str | None = None, *, images: bool = True) -> list[str]:
    return [why.told(staff=True) for why in manifest.check(kept, expected, images=images)]


def test_sha256sum_understands_it(kept: Saved) -> None:
    manifest.write(kept)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "manifest"], cwd=kept.path,
                   check=True)  # fmt: skip
    names = [line.split("  ")[1] for line in kept.manifest.read_text().splitlines()]
    assert names == ["config.json", "img/pages-1.img", "scripts/mount"]


def test_what_is_unchanged_agrees(kept: Saved) -> None:
    digest = manifest.write(kept)
    (kept.fs / "file").write_text("has its own checksums")
    assert manifest.check(kept, digest) == []


def test_images_are_left_out_when_only_the_disk_is_wanted(kept: Saved) -> None:
    digest = manifest.write(kept)
    (kept.images / "pages-1.img").unlink()
    assert manifest.check(kept, digest, images=False) == []
    assert found(kept, digest) == ["Missing: img/pages-1.img."]
    kept.config.write_text("{ }")
    assert found(kept, digest, images=False) == ["Not as it was written: config.json."]


def test_many_names_are_kept_and_few_are_told(kept: Saved) -> None:
    manifest.write(kept)
    for number in range(7):
        (kept.images / f"core-{number}.img").touch()
    (why,) = manifest.check(kept)
    assert why.details == {
        "fault": "files-added", "names": [f"img/core-{number}.img" for number in range(7)],
    }  # fmt: skip
    names = ", ".join(f"img/core-{number}.img" for number in range(5))
    assert why.told(staff=True) == f"Not in its manifest: {names} and 2 more."
    assert "img/" not in why.told(staff=False)


@pytest.mark.parametrize("text", [b"", b"\n", b"no hash  name\n", b"a" * 64 + b"  /abs\n",
                                  b"a" * 64 + b"  x\n" + b"a" * 64 + b"  x\n",
                                  b"a" * 64 + b"  no end of line"])  # fmt: skip
def test_what_is_no_manifest_is_refused(kept: Saved, text: bytes) -> None:
    kept.manifest.write_bytes(text)
    assert found(kept) == ["Its manifest can't be read."]


@pytest.mark.parametrize("text", ["", "..", "../../etc", "1", "A" * 36, "x" * 36, "a/b"])
def test_only_a_uuid_names_a_snapshot(text: str) -> None:
    with pytest.raises(BadValue):
        checked(text)
