"""What a container's root asks of the kernel, and doesn't get; and what is under its masks."""

import errno
import platform

import pytest

from tests.real import callers
from tests.real.rig import Rig

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="programs for x86-64")
ALG, VSOCK, INET = 38, 40, 2
CALLS = {
    "a socket to the machine below": (callers.call64(41, VSOCK, 1, 0), errno.EAFNOSUPPORT),
    "the same from 32 bits": (callers.socket32(VSOCK), errno.EAFNOSUPPORT),
    "the kernel's ciphers": (callers.call64(41, ALG, 5, 0), errno.EAFNOSUPPORT),
    "io_uring": (callers.call64(425, 1, 0), errno.ENOSYS),
    "keyctl": (callers.call64(250, 0, -3, 0), errno.ENOSYS),
    "add_key": (callers.call64(248, 0, 0, 0), errno.ENOSYS),
    "perf_event_open": (callers.call64(298, 0, 0, 0), errno.EPERM),
    "bpf": (callers.call64(321, 0, 0, 0), errno.EPERM),
    "userfaultfd": (callers.call64(323, 1), errno.EPERM),
    "kexec_load": (callers.call64(246, 0, 0, 0), errno.EPERM),
    "init_module": (callers.call64(175, 0, 0, 0), errno.EPERM),
    "open_by_handle_at": (callers.call64(304, -100, 0, 0), errno.EPERM),
    "clock_settime": (callers.call64(227, 0, 0), errno.EPERM),
    "swapon": (callers.call64(167, 0, 0), errno.EPERM),
    "the kernel's log": (callers.call64(103, 10, 0, 0), errno.EPERM),
    "TIOCSTI": (callers.call64(16, 0, 0x5412, 0), errno.EPERM),
    "TIOCSTI with a longer number": (callers.call64(16, 0, 0x1_0000_5412, 0), errno.EPERM),
}
OPEN = {
    "a socket": callers.call64(41, INET, 1, 0),
    "a namespace": callers.call64(272, 0x20000),  # unshare(CLONE_NEWNS)
    "a user namespace": callers.call64(272, 0x10000000),
}
# What may be there, and says nothing of others when the mask is gone: nobody's in the container.
BENEATH = ("kcore", "kmsg", "timer_list", "sched_debug", "latency_stats", "slabinfo",
           "vmallocinfo", "kpagecount", "kpageflags")  # fmt: skip
UNMASK = f"""
for each in keys timer_list kallsyms interrupts kmsg; do umount /proc/$each; done 2>/dev/null
for each in {" ".join(BENEATH)}; do
    head -c 1 /proc/$each >/dev/null 2>&1 && echo "read $each"
done
grep -v '^0000000000000000 ' /proc/kallsyms | head -1
for each in sysrq-trigger sys/kernel/core_pattern sys/kernel/panic sys/kernel/modprobe; do
    (echo 1 >/proc/$each) 2>/dev/null && echo "wrote $each"
done
"""


@pytest.fixture
def running(rig: Rig, ctid: int) -> int:
    assert rig.operate("start", ctid).code == 0
    return ctid


def ask(rig: Rig, ctid: int, program: bytes) -> int:
    place = rig.paths(ctid).fs / "root/call"
    place.write_bytes(program)
    place.chmod(0o755)
    return int(rig.inside(ctid, "sh", "-c", "/root/call </dev/console; echo $?"))


def test_what_is_closed_is_refused(rig: Rig, running: int) -> None:
    found = {name: ask(rig, running, program) for name, (program, _) in CALLS.items()}
    assert found == {name: error for name, (_, error) in CALLS.items()}


def test_what_a_system_container_needs_is_open(rig: Rig, running: int) -> None:
    assert {name: ask(rig, running, program) for name, program in OPEN.items()} == dict.fromkeys(
        OPEN, 0
    )


def test_nothing_of_others_lies_under_the_masks(rig: Rig, running: int) -> None:
    """Its root may take them off: its mounts are its own, in a user namespace of its own."""
    assert rig.inside(running, "sh", "-c", UNMASK) == ""


def test_a_plain_user_of_it_can_not_take_them_off(rig: Rig, running: int) -> None:
    """Who is root only in a namespace nested in the container's finds them locked."""
    inner = "umount /proc/keys; umount -l /proc; mount -t proc proc /proc; wc -c </proc/keys"
    said = rig.inside(running, "unshare", "-U", "-r", "-m", "-p", "-f", "sh", "-c", inner)
    assert said.splitlines()[-1] == "0"
    assert said.count("Invalid argument") == 2
    assert said.count("denied") == 1


def test_namespaces_can_be_nested_with_a_proc_of_their_own(rig: Rig, running: int) -> None:
    inner = ["unshare", "-m", "-p", "-f", "--mount-proc", "sh", "-c", "ls -d /proc/1"]
    assert rig.inside(running, *inner) == "/proc/1\n"


def test_programs_of_32_bits_have_sockets_where_vz_conf_says_so(rig: Rig, ctid: int) -> None:
    with rig.configured(SOCKETCALL="yes"):
        assert rig.operate("start", ctid).code == 0

    assert ask(rig, ctid, callers.socket32(INET)) == 0
    assert ask(rig, ctid, callers.call64(248, 0, 0, 0)) == errno.ENOSYS
