"""Templates that boot: each is made, started and halted as a container is."""

import contextlib
import os
import shutil
import stat
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from containers.node.conf import NodeConf
from containers.node.errors import Cancelled, CommandFailed
from containers.node.processes.executor import Executor
from containers.node.processes.run import call
from containers.node.storage import Storage
from containers.node.storage.mounts import mounts_in
from containers.node.templates import busybox as busybox_template
from containers.node.templates import catalogue, debian, inspection
from containers.node.templates.catalogue import Build, Template
from containers.node.templates.shift import Shift, Unfit
from containers.node.templates.tarball import unpack
from tests.real.booted import Booted, booted

BASE = 200000
HANGUP, INTERRUPT = 1, 2  # how the kernel ends an init that restarted, or halted


def processes(container: Booted) -> list[str]:
    return [line.split(None, 2)[2] for line in container.exec("ps").splitlines()[1:]]


def test_busybox_is_made_once_and_anew_when_it_would_differ(
    node_conf: NodeConf, busybox: Template, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert busybox_template.publish(node_conf) == busybox
    monkeypatch.setitem(busybox_template.FOLDERS, "opt", 0o755)
    other = busybox_template.publish(node_conf)
    try:
        assert other.version == busybox.version + 1
        assert ((other.fs / "opt").stat().st_uid, other.facts.base) == (0, 0)
    finally:
        catalogue.remove(node_conf, storage, other, {f"{busybox}"})
    assert busybox.facts.distribution == "BusyBox"
    assert busybox.facts.init == "busybox"


def test_busybox_powers_off_in_an_instant(node_conf: NodeConf, busybox: Template) -> None:
    times = []
    for _ in range(3):
        with booted(node_conf, busybox) as container:
            container.until_console_says(b"is up")
            container.until_console_says(b"# ")
            began = container.halt()
            assert container.end() == INTERRUPT
            times.append(time.monotonic() - began)
    assert min(times) < 0.05, times


@pytest.mark.parametrize(
    ("command", "signal"), [("reboot", HANGUP), ("halt", INTERRUPT), ("poweroff", INTERRUPT)]
)
def test_busybox_restarts_and_halts_when_told_inside(
    node_conf: NodeConf, busybox: Template, command: str, signal: int
) -> None:
    with booted(node_conf, busybox) as container:
        container.until_console_says(b"# ")
        with contextlib.suppress(CommandFailed):  # it is ended along with all others
            container.exec(command)
        assert container.end() == signal


def test_busybox_gives_daemons_time_to_end_and_waits_for_no_other(
    node_conf: NodeConf, busybox: Template
) -> None:
    with booted(node_conf, busybox) as container:
        container.until_console_says(b"# ")
        container.exec(
            "sh",
            "-c",
            "(trap 'sleep 0.1; echo saved >/root/saved; exit' TERM; "
            "echo ready >/root/ready; while :; do sleep 0.02; done) >/dev/null 2>&1 &",
        )
        container.exec("sh", "-c", "(trap '' TERM; sleep 60) >/dev/null 2>&1 &")
        container.exec("sh", "-c", "while [ ! -e /root/ready ]; do usleep 10000; done")
        began = container.halt()
        assert container.end() == INTERRUPT
        assert time.monotonic() - began < 5
        assert (container.fs / "root/saved").read_text() == "saved\n"


def test_busybox_leaves_no_zombies_and_brings_its_console_back(
    node_conf: NodeConf, busybox: Template
) -> None:
    with booted(node_conf, busybox) as container:
        container.until_console_says(b"# ")
        container.exec("sh", "-c", "for i in 1 2 3; do (usleep 10000 &); done")
        container.seen = b""
        os.write(container.console, b"exit\n")
        container.until_console_says(b"# ")
        assert sorted(processes(container)) == ["ps", "sh -l", "{init} /bin/sh /sbin/init"]


def test_busybox_has_what_the_tests_of_others_need(node_conf: NodeConf, busybox: Template) -> None:
    with booted(node_conf, busybox) as container:
        container.until_console_says(b"# ")
        container.exec("which", "ip", "nc", "httpd", "wget", "ping", "passwd", "sha256sum", "tar")
        assert container.exec("id", "-u").strip() == "0"
        assert container.exec("cat", "/etc/resolv.conf") == ""


@pytest.mark.timeout(600)
def test_debian_with_sysvinit_boots_to_a_login_and_halts(
    node_conf: NodeConf, debian_template: Template
) -> None:
    assert debian_template.facts.init == "sysvinit"
    with booted(node_conf, debian_template) as container:
        container.until_console_says(b"login:")
        container.halt()
        assert container.end() == INTERRUPT


@pytest.mark.timeout(600)
def test_debian_with_systemd_boots_to_a_login_with_no_failed_unit_but_ssh_without_keys(
    node_conf: NodeConf, debian_systemd_template: Template
) -> None:
    assert debian_systemd_template.facts.init == "systemd"
    with booted(node_conf, debian_systemd_template) as container:
        container.until_console_says(b"login:")
        call(container.runc("exec", container.name, "systemctl", "is-system-running", "--wait"),
             ok=(0, 1))  # fmt: skip
        failed = container.exec("systemctl", "--failed", "--plain", "--no-legend")
        assert [line.split()[0] for line in failed.splitlines()] in ([], ["ssh.service"])
        container.halt()
        assert container.end() == INTERRUPT


def test_debian_lets_root_in_and_knows_nothing_of_the_machine_it_was_made_on(
    debian_template: Template,
) -> None:
    fs = debian_template.fs
    assert "Debian GNU/Linux 12" in debian_template.facts.distribution
    assert list((fs / "etc/ssh").glob("ssh_host_*")) == []
    assert (fs / "etc/machine-id").read_text() == ""
    assert (fs / "etc/resolv.conf").read_text() == ""
    assert list((fs / "var/cache/apt/archives").glob("*.deb")) == []
    assert not [path for path in (fs / "dev").iterdir() if not path.is_dir()]
    for program in ("usr/sbin/sshd", "usr/bin/curl", "usr/bin/nano", "bin/ip"):
        assert (fs / program).exists(), program
    said = subprocess.run(["chroot", f"{fs}", "dpkg", "--audit"], capture_output=True, check=True)
    assert said.stdout == b""


@pytest.mark.timeout(600)
def test_a_build_that_is_cancelled_leaves_neither_mounts_nor_files_nor_processes(
    node_conf: NodeConf, storage: Storage
) -> None:
    build = Build(node_conf, "debian-12", uuid.uuid4().hex[:8])
    catalogue.begin(build, storage)
    reader, writer = os.pipe()
    seen = b""

    def out(chunk: bytes) -> None:
        nonlocal seen
        seen += chunk
        if b"Setting up" in seen:  # in the tree, where its mounts are by now
            os.set_blocking(writer, False)
            os.write(writer, b"x")

    precious = Path(f"/dev/shm/{node_conf.state.name}")  # the tree has the node's own in it
    precious.touch()
    try:
        argv = debian.argv("debian-12", build.fs, debian.sources())
        with pytest.raises(Cancelled):
            Executor(out=out, cancel=reader).run(argv, timeout=250, terminal=True)
        assert mounts_in(build.fs) == []
    finally:
        catalogue.discard(build, storage)
        os.close(reader)
        os.close(writer)
        precious.unlink()
    assert not [p for p in commands() if f"{build.fs}" in p]


def commands() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text(errors="replace"))
    return found


def test_capabilities_of_files_count_in_the_container(
    node_conf: NodeConf, debian_template: Template
) -> None:
    """ping is no set-user-id program in Debian: it has cap_net_raw."""
    with booted(node_conf, debian_template) as container:
        container.until_console_says(b"login:")
        nobody = container.runc("exec", "--user", "65534", container.name,
                                "grep", "CapPrm", "/proc/self/status")  # fmt: skip
        assert call(nobody).split()[1] == b"0" * 16
        ping = container.fs / "usr/bin/ping"
        copied = container.fs / "usr/bin/grep-raw"
        shutil.copyfile(container.fs / "usr/bin/grep", copied)
        copied.chmod(0o755)
        value = os.getxattr(ping, "security.capability")
        os.setxattr(copied, "security.capability", value)
        said = call(
            container.runc(
                "exec",
                "--user",
                "65534",
                container.name,
                "/usr/bin/grep-raw",
                "CapPrm",
                "/proc/self/status",
            )
        )
        assert int(said.split()[1], 16) == 1 << 13


@pytest.mark.timeout(600)
def test_an_imported_systemd_tarball_boots_to_a_login(
    node_conf: NodeConf, storage: Storage, systemd_archive: Path
) -> None:
    build = Build(node_conf, "imported", uuid.uuid4().hex[:8])
    catalogue.begin(build, storage)
    unpacked = unpack(systemd_archive, build.fs)
    assert "dev/null" in unpacked.left_out
    template = catalogue.publish(
        build, storage, inspection.facts(build.fs, Shift(0).tree(build.fs))
    )
    try:
        with booted(node_conf, template) as container:
            container.until_console_says(b"login:")
            container.halt()
            assert container.end() == INTERRUPT
    finally:
        catalogue.remove(node_conf, storage, template, set())


def test_a_template_that_was_shifted_elsewhere_is_not_imported_by_mistake(
    node_conf: NodeConf, storage: Storage, busybox: Template, tmp_path: Path
) -> None:
    archive = tmp_path / "busybox.tar"
    call(["tar", "--create", f"--file={archive}", f"--directory={busybox.fs}",
          f"--owner=:{BASE}", "."])  # fmt: skip
    build = Build(node_conf, "imported", uuid.uuid4().hex[:8])
    catalogue.begin(build, storage)
    with pytest.raises(Unfit, match="belongs to id 200000"):
        unpack(archive, build.fs)
    catalogue.discard(build, storage)


def test_a_shift_keeps_set_user_id_bits_and_can_be_repeated(
    node_conf: NodeConf, storage: Storage
) -> None:
    build = Build(node_conf, "shifted", uuid.uuid4().hex[:8])
    catalogue.begin(build, storage)
    try:
        (build.fs / "su").write_text("x")
        os.chown(build.fs / "su", 0, 4)
        (build.fs / "su").chmod(0o6755)
        (build.fs / "link").symlink_to("/etc/passwd")
        before = os.stat("/etc/passwd").st_uid
        for _ in range(2):
            Shift(BASE).tree(build.fs)
            found = (build.fs / "su").stat()
            assert (found.st_uid, found.st_gid) == (BASE, BASE + 4)
            assert stat.S_IMODE(found.st_mode) == 0o6755
            assert (build.fs / "link").lstat().st_uid == BASE
        assert os.stat("/etc/passwd").st_uid == before
        os.mknod(build.fs / "sda", stat.S_IFBLK | 0o600, os.makedev(8, 0))
        with pytest.raises(Unfit, match="/sda is a device node"):
            Shift(BASE).tree(build.fs)
    finally:
        catalogue.discard(build, storage)


def test_a_shift_is_fast_enough_for_a_whole_system(
    node_conf: NodeConf, storage: Storage, debian_template: Template
) -> None:
    build = Build(node_conf, "fast", uuid.uuid4().hex[:8])
    build.path.mkdir()
    try:
        call(storage.snapshot(debian_template.fs, build.fs))
        began = time.monotonic()
        found = Shift(BASE).tree(build.fs)
        assert found.files > 5000
        assert time.monotonic() - began < 5
    finally:
        catalogue.discard(build, storage)
    assert inspection.distribution(debian_template.fs).startswith("Debian")
