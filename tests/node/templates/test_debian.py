"""How a Debian template is asked for, and what is changed in it."""

from pathlib import Path

import pytest

from containers.node.errors import OperationError
from containers.node.templates import debian
from containers.node.trees.safe_tree import SafeTree

INITTAB = """\
id:2:initdefault:
1:2345:respawn:/sbin/getty --noclear 38400 tty1
2:23:respawn:/sbin/getty 38400 tty2
#T0:23:respawn:/sbin/getty -L ttyS0 9600 vt100
ca:12345:ctrlaltdel:/sbin/shutdown -t1 -a -r now
"""


def test_mmdebstrap_is_given_the_packages_and_the_nodes_mirrors() -> None:
    mirror = "deb http://mirror.example/debian bookworm main"
    argv = debian.argv("debian-12", Path("/vz/template/.build/fs"), [mirror])
    assert argv[:4] == ["unshare", "--mount", "--propagation", "private"]
    assert {"mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory"} <= set(argv)
    assert argv[-3:] == ["bookworm", "/vz/template/.build/fs", mirror]
    include = next(word for word in argv if word.startswith("--include="))
    packages = include.removeprefix("--include=").split(",")
    assert {"openssh-server", "iproute2", "curl", "nano", "systemd-sysv"} <= set(packages)


def test_an_unknown_template_names_those_that_can_be_built() -> None:
    with pytest.raises(OperationError, match="debian-12, debian-12-sysvinit"):
        debian.argv("centos-6", Path("/fs"), [])


def test_inittab_keeps_no_terminal_of_a_screen_and_gets_the_console() -> None:
    lines = debian.inittab(INITTAB).splitlines()
    assert [line for line in lines if "respawn" in line and not line.startswith("#")] == [
        "1:2345:respawn:/sbin/getty --noclear 115200 console linux"
    ]
    assert "id:2:initdefault:" in lines
    assert "ca:12345:ctrlaltdel:/sbin/shutdown -t1 -a -r now" in lines


def test_what_one_machine_alone_may_have_is_taken_out(tmp_path: Path) -> None:
    for folder in ("etc/ssh", "etc/systemd/system", "var/lib/dbus", "dev/pts"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("etc/ssh/ssh_host_rsa_key", "etc/ssh/ssh_host_rsa_key.pub", "etc/ssh/sshd_config",
                 "etc/machine-id", "var/lib/dbus/machine-id", "dev/null"):  # fmt: skip
        (tmp_path / file).write_text("the node's own")
    with SafeTree(tmp_path) as tree:
        debian.leave_out(tree)
    left = sorted(f"{path.relative_to(tmp_path)}" for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["etc/machine-id", "etc/ssh/sshd_config"]
    assert (tmp_path / "dev/pts").is_dir()
