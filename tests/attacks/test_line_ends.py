"""Attacks with characters that Python ends lines at and nobody else: a name becomes lines."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from containers.forms.fields import KeysField
from containers.node import veconf
from containers.node.access import accounts, typed
from containers.node.conf import CHECKOUT
from containers.node.errors import OperationError
from containers.node.lines import lines_of
from containers.node.spool import Spool
from containers.node.templates import inspection, remains
from containers.node.trees.safe_tree import SafeTree
from containers.views.scripts.versions import diff

ENDS = ["\x0b", "\x0c", "\r", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPmxzTDpTVLyI2tkTH8eHNRGHqMNZ8Rtlt4hbcZCJV9C bob"
TREE = {"etc/passwd": "root:x:0:0::/root:/bin/sh\n", "root/.ssh/x": ""}


def settings(path: Path, end: str) -> bool:
    (path / "ve.conf").write_bytes(f'DESCRIPTION="a{end}CPUUNITS=1"\n'.encode())
    found = veconf.read(path / "ve.conf")
    return found == {"DESCRIPTION": f"a{end}CPUUNITS=1"}


def distribution(path: Path, end: str) -> bool:
    (path / "etc").mkdir()
    text = f'NAME="x{end}PRETTY_NAME=evil"\nPRETTY_NAME="good"\n'
    (path / "etc/os-release").write_bytes(text.encode())
    return inspection.distribution(path) == "good"


def key_in_a_comment_is_added(path: Path, end: str) -> bool:
    with tree(path) as here:
        accounts.add_lines(here, "root", f"# old{end}{KEY}\n".encode())
    file = path / "root/.ssh/authorized_keys"
    return not file.exists() or f"\n{KEY}" not in file.read_bytes().decode()


def key_in_a_comment_counts_as_there(path: Path, end: str) -> bool:
    with tree(path) as here:
        (path / "root/.ssh/authorized_keys").write_bytes(f"# old{end}{KEY}\n".encode())
        return accounts.add_key(here, "root", KEY)


def key_in_a_comment_of_a_file(path: Path, end: str) -> bool:
    (path / "keys").write_bytes(f"# old{end}{KEY}\n".encode())
    return refused(lambda: typed.keys(f"{path / 'keys'}"))


def key_in_a_form(path: Path, end: str) -> bool:
    return refused(lambda: KeysField().clean(f"# old{end}{KEY}"))


def password_in_a_name(path: Path, end: str) -> bool:
    (path / "etc").mkdir()
    text = f"root:*:1::::::\nx{end}root:$6$hash:*:1\n"
    (path / "etc/shadow").write_bytes(text.encode())
    with SafeTree(path, base=os.geteuid()) as here:
        remains.clean(here, ["passwords"], lambda line: None)
    return (path / "etc/shadow").read_bytes().decode().count("\n") == 2


def journal(path: Path, end: str) -> bool:
    spool = Spool(path)
    spool.events.write_bytes(json.dumps({"a": end}, ensure_ascii=False).encode() + b"\n")
    return spool.read_events()[0] == [{"a": end}]


def names_of_groups(path: Path, end: str) -> bool:
    (path / "groups").write_bytes(f"a{end}b\nc\n".encode())
    return lines_of(path / "groups") == [f"a{end}b", "c"]


def versions_of_a_script(path: Path, end: str) -> bool:
    old, new = (SimpleNamespace(text=f"# {word}{end}rm -rf /\n") for word in ("a", "b"))
    shown: Any = [*diff(None, new), *diff(old, new)]  # type: ignore[arg-type]
    return [line.kind for line in shown if "rm" in line.text].count("same") == 1


TABLE: dict[str, Callable[[Path, str], bool]] = {
    each.__name__: each
    for each in (
        settings, distribution, key_in_a_comment_is_added, key_in_a_comment_counts_as_there,
        key_in_a_comment_of_a_file, key_in_a_form, password_in_a_name, journal, names_of_groups,
        versions_of_a_script,
    )
}  # fmt: skip


def tree(path: Path) -> SafeTree:
    for name, text in TREE.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return SafeTree(path, base=os.geteuid())


def refused(what: Callable[[], object]) -> bool:
    try:
        return not what()
    except Exception as error:
        return isinstance(error, OperationError) or type(error).__name__ == "ValidationError"


@pytest.mark.parametrize("end", ENDS, ids=ascii)
@pytest.mark.parametrize("name", TABLE)
def test_it_ends_no_line(name: str, end: str, tmp_path: Path) -> None:
    if os.geteuid() and name.startswith("key_in_a_comment_"):
        pytest.skip("needs root: it gives files to their owner")
    assert TABLE[name](tmp_path, end)


MOUNTS = """
import os, pathlib
from containers.node import observed
from containers.node.checkpoint.mounts import mounts_of
from containers.node.processes import cgroup
from containers.node.storage import mounts
count = pathlib.Path("/proc/self/mountinfo").read_bytes().count(b"\\n")
found = [[where for where, _ in observed.mounts()], [str(m.point) for m in mounts.mounts()],
         [mount.where for mount in mounts_of(os.getpid())]]
assert [len(each) for each in found] == [count] * 3, (count, [*map(len, found)])
assert not any(where == "/fake" for each in found for where in each)
assert any(m.kind == "tmpfs" and "fake" in m.where for m in mounts_of(os.getpid()))
assert "/fake" not in map(str, cgroup.mounted().values())
assert not {"fuse.evil"} & {mount.kind for mount in mounts_of(os.getpid())}
print("fine")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts")
@pytest.mark.parametrize("end", [*ENDS, "\xa0", "\u2003"], ids=ascii)
def test_a_mount_is_called_like_a_line_about_another(end: str, tmp_path: Path) -> None:
    place = tmp_path / f"x{end}36 35 0:1 - - fake rw - fuse.evil evil rw".replace("/", "")
    place.mkdir()
    shell = 'mount -t tmpfs none "$1" && exec "$2" -c "$3"'
    argv = ["unshare", "--mount", "sh", "-c", shell, "sh", f"{place}", sys.executable, MOUNTS]
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.stdout == "fine\n", done.stderr


def test_no_code_of_ours_ends_lines_as_python_does() -> None:
    ours = list((CHECKOUT / "containers").rglob("*.py"))
    assert not [f"{path}" for path in ours if re.search(r"\.splitlines\(", path.read_text("utf-8"))]
