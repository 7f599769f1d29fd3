"""Averages of how many tasks want to run, and the keys that leave a console."""

import os
from pathlib import Path

import pytest

from containers.node import load
from containers.node.attached import Keys, Said


@pytest.fixture
def group(tmp_path: Path) -> dict[str, Path]:
    """With this process, which runs while it looks, and one that has ended."""
    (tmp_path / "below").mkdir()
    (tmp_path / "tasks").write_text("")
    (tmp_path / "below/tasks").write_text(f"{os.getpid()}\n999999999\n")
    return {"pids": tmp_path}


def test_the_averages_come_near_what_runs_and_the_longer_ones_later(
    group: dict[str, Path],
) -> None:
    found = load.averages(group, None, 60)
    assert found == pytest.approx([0.6321, 0.1813, 0.0645], abs=1e-3)
    for _ in range(100):
        found = load.averages(group, found, 60)
    assert found == pytest.approx([1, 1, 1], abs=0.01)
    (group["pids"] / "below/tasks").unlink()
    assert load.averages(group, found, 60) == pytest.approx([0.3679, 0.8187, 0.9355], abs=0.01)
    assert load.averages({}, found, 60) is None


@pytest.mark.parametrize(
    ("typed", "passed", "detached"),
    [
        ([b"ls\r"], b"ls\r", False),
        ([b"\x1b."], b"", True),
        ([b"\x1b", b"."], b"", True),
        ([b"ls\r\x1b."], b"ls\r", True),
        ([b"ls\x1b."], b"ls\x1b.", False),  # not where a line begins
        ([b"\x1b[A"], b"\x1b[A", False),  # an arrow
        ([b"\x1b", b"\x1b."], b"\x1b", True),
    ],
)
def test_escape_and_a_dot_detach_where_a_line_begins(
    typed: list[bytes], passed: bytes, detached: bool
) -> None:
    keys = Keys()
    assert b"".join(keys.typed(part) for part in typed) == passed
    assert keys.detached is detached


def test_what_a_console_says_is_read_on_when_a_new_file_begins(tmp_path: Path) -> None:
    file = tmp_path / "console"
    said = Said(file)
    assert said.begin() == b""
    file.write_bytes(b"one")
    assert said.more() == b"one"
    with file.open("ab") as more:
        more.write(b"two")
    file.rename(tmp_path / "console.1")
    file.write_bytes(b"three")
    assert said.more() + said.more() == b"twothree"
    said.close()
