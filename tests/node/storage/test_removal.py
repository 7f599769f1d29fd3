"""An area is removed whatever became of it, and whatever driver it is of."""

from pathlib import Path

import pytest

from containers.node.errors import CommandFailed
from containers.node.storage import Argv, Ask, load
from containers.node.storage.directory import Driver
from containers.node.storage.removal import remove

DIRECTORY = load("directory")


class Nesting(Driver):
    """Areas that hold no files, only others: deleted one by one, as subvolumes are."""

    def is_area(self, path: Path) -> bool:
        return path.name.startswith("area")

    def delete(self, path: Path) -> Argv:
        return ["rmdir", f"{path}"]

    def delete_nested(self, path: Path, ask: Ask) -> list[Argv]:
        found = ask(["find", f"{path}", "-mindepth", "1", "-depth", "-name", "area*"])
        return [["rmdir", each] for each in found.decode().splitlines()]


def test_nothing_there_is_fine(tmp_path: Path) -> None:
    remove(DIRECTORY, tmp_path / "nothing")


def test_a_tree_is_removed_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "fs/etc").mkdir(parents=True)
    (tmp_path / "fs/etc/passwd").touch(mode=0o400)
    remove(DIRECTORY, tmp_path / "fs")
    assert not (tmp_path / "fs").exists()


@pytest.mark.parametrize("storage", [DIRECTORY, Nesting()], ids=["directory", "nesting"])
def test_a_link_in_its_place_is_removed_and_not_followed(storage: Driver, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "area").symlink_to(tmp_path / "mine")
    remove(storage, tmp_path / "area")
    assert not (tmp_path / "area").is_symlink()
    assert (tmp_path / "mine").is_dir()


def test_a_file_in_its_place_is_removed(tmp_path: Path) -> None:
    (tmp_path / "fs").touch()
    remove(DIRECTORY, tmp_path / "fs")
    assert not (tmp_path / "fs").exists()


def test_what_is_nested_in_an_area_is_deleted_first(tmp_path: Path) -> None:
    (tmp_path / "area/area-1/area-2").mkdir(parents=True)
    remove(Nesting(), tmp_path / "area")
    assert not (tmp_path / "area").exists()


def test_an_area_that_cannot_be_deleted_though_nothing_is_nested_is_a_failure(
    tmp_path: Path,
) -> None:
    (tmp_path / "area/etc").mkdir(parents=True)
    with pytest.raises(CommandFailed, match="rmdir"):
        remove(Nesting(), tmp_path / "area")
    assert (tmp_path / "area/etc").is_dir()


def test_a_plain_directory_where_an_area_is_looked_for_goes_like_any_other(
    tmp_path: Path,
) -> None:
    (tmp_path / "fs/etc").mkdir(parents=True)
    remove(Nesting(), tmp_path / "fs")
    assert not (tmp_path / "fs").exists()
