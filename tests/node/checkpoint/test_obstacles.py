"""What hinders a dump is told by words, whose sentences nothing in the container can garble."""

import ast
import os
from pathlib import Path

import pytest

from containers.node import wording
from containers.node.checkpoint import mounts, obstacles
from containers.node.checkpoint.mounts import Mount
from containers.node.checkpoint.obstacles import UNDUMPABLE
from containers.node.doubts import Hindrances


def test_every_word_is_used_with_the_details_that_its_sentence_needs() -> None:
    """They are plain text there: the table is not imported until there is an obstacle."""
    found = {word: {"name", "pid"} for word in UNDUMPABLE.values()}
    for node in ast.walk(ast.parse(Path(obstacles.__file__).read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            given = node.args[1] if node.func.id == "Obstacle" else None
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                found[given.value] = {each.arg for each in node.keywords if each.arg}
    assert found.keys() == {each.value for each in Hindrances}
    for each in Hindrances:
        assert wording.fields(each.staff) <= found[each.value], each


def test_a_file_system_that_cannot_be_dumped_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        f"20 1 0:9 / {where} rw,relatime - {kind} none rw"
        for where, kind in (("/mnt/a\x1b[2J", "fuse.sshfs"), ("/srv", "nfs4"), ("/proc", "proc"))
    ]
    monkeypatch.setattr(mounts, "mounts_of", lambda pid: [Mount(line) for line in lines])
    found = [each.reason for each in obstacles.file_systems(1, [])]
    assert [(why.word, why.details) for why in found] == [
        ("hindered", {"fault": "file-system", "kind": "fuse.sshfs", "path": "/mnt/a?[2J"}),
        ("hindered", {"fault": "file-system", "kind": "nfs4", "path": "/srv"}),
    ]
    assert found[1].told(staff=True) == "A file system of the kind nfs4 is mounted at /srv."


def test_a_descriptor_that_cannot_be_dumped_is_named_with_its_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "listdir", lambda path: ["3"])
    monkeypatch.setattr(os, "readlink", lambda path: "anon_inode:[io_uring]")
    monkeypatch.setattr(obstacles, "name_of", lambda pid: "postgres")
    (found,) = obstacles.descriptors([7])
    assert (found.fatal, found.reason.fault) == (True, "io-uring")
    assert found.reason.told(staff=False) == "The process postgres (7) uses io_uring."
