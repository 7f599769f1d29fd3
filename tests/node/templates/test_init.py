"""Which init a root file system has, told without leaving it."""

from pathlib import Path

import pytest

from containers.node.templates.busybox import INIT
from containers.node.templates.init import Halt, Kind, NoInit, detect

SIGRTMIN_3 = 37
SCRIPT = "#!/bin/sh\nexec sleep infinity\n"
INITS = [
    # a link of /sbin/init (None: a file), the file it leads to, what is in it, which init, its halt
    ("/lib/systemd/systemd", "usr/lib/systemd/systemd", "ELF", Kind.SYSTEMD, Halt(SIGRTMIN_3)),
    ("../lib/systemd/systemd", "lib/systemd/systemd", "ELF", Kind.SYSTEMD, Halt(SIGRTMIN_3)),
    ("../bin/busybox", "bin/busybox", "ELF", Kind.BUSYBOX, Halt(12)),
    ("openrc-init", "sbin/openrc-init", "ELF", Kind.OPENRC,
     Halt(command=("/sbin/openrc-shutdown", "--poweroff", "now"))),
    (None, "sbin/init", "ELF /run/initctl", Kind.SYSVINIT, Halt(command=("/sbin/init", "0"))),
    (None, "sbin/init", "ELF upstart", Kind.UPSTART, Halt(command=("/sbin/telinit", "0"))),
    (None, "sbin/init", INIT, Kind.BUSYBOX, Halt(12)),
    (None, "sbin/init", SCRIPT, Kind.OTHER, Halt(30)),
]  # fmt: skip


@pytest.mark.parametrize(("link", "file", "content", "kind", "halt"), INITS)
def test_each_init_is_known_with_its_way_to_halt(
    tmp_path: Path, link: str | None, file: str, content: str, kind: Kind, halt: Halt
) -> None:
    if file.startswith("usr/"):
        (tmp_path / "usr/lib").mkdir(parents=True)
        (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "sbin").mkdir()
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content)
    if link:
        (tmp_path / "sbin/init").symlink_to(link)
    found = detect(tmp_path)
    assert (found.kind, found.path, found.halt) == (kind, "/sbin/init", halt)


def test_an_absolute_link_is_followed_in_the_tree_and_never_on_the_node(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("systemd")
    tree = tmp_path / "tree"
    (tree / "sbin").mkdir(parents=True)
    (tree / "sbin/init").symlink_to(outside)
    with pytest.raises(NoInit):
        detect(tree)


def test_systemd_without_a_link_at_sbin_init_is_found(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/systemd").mkdir(parents=True)
    (tmp_path / "usr/lib/systemd/systemd").write_text("ELF")
    assert detect(tmp_path).path == "/usr/lib/systemd/systemd"


def test_a_tree_without_an_init_has_none(tmp_path: Path) -> None:
    (tmp_path / "sbin").mkdir()
    (tmp_path / "sbin/init").mkdir()
    with pytest.raises(NoInit, match="There is no init in it"):
        detect(tmp_path)
