"""What hinders a dump is told by words, whose sentences nothing in the container can garble."""

import ast
import os
import re
from pathlib import Path

import pytest

from containers.node import wording
from containers.node.checkpoint import culprit, mounts, obstacles
from containers.node.checkpoint.mounts import Mount
from containers.node.checkpoint.obstacles import UNDUMPABLE
from containers.node.doubts import Hindrances


def test_every_word_is_used_with_the_details_that_its_sentence_needs() -> None:
    """They are plain text there: the table is not imported until there is an obstacle."""
    found = {word: {"name", "pid"} for word in UNDUMPABLE.values()}
    for node in ast.walk(ast.parse(Path(obstacles.__file__).read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            given = node.args[1] if node.func.id == "Obstacle" else None
            for word in ast.walk(given) if given else ():
                if isinstance(word, ast.Constant) and word.value in Hindrances.__members__.values():
                    found[str(word.value)] = details(node)
    afterwards = {Hindrances[name] for name in re.findall(r"Hindrances\.([A-Z_]+)",
                  Path(culprit.__file__).read_text())}  # fmt: skip
    assert found.keys() == {each.value for each in Hindrances} - {each.value for each in afterwards}
    for each in {*Hindrances} - afterwards:
        assert wording.fields(each.staff) <= found[each.value], each


def details(call: ast.Call) -> set[str]:
    """**who(pid) is a process: its name, and its pid."""
    return {
        name for each in call.keywords for name in ([each.arg] if each.arg else ["name", "pid"])
    }


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
