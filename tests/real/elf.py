"""Programs of a few machine instructions, for what no shell can do: no compiler is needed."""

import os
import struct
from pathlib import Path

import pytest

BASE, HEADERS = 0x400000, 64 + 56  # where it is loaded; bytes of an ELF header and one segment
PAUSE, VFORK, EXIT, EPOLL_WAIT, MQ_OPEN, EPOLL_CREATE = 34, 58, 60, 232, 240, 291  # x86-64's
SYSCALL = b"\x0f\x05"


def wait_for_ever() -> bytes:
    return call(PAUSE) + b"\xeb" + (-len(call(PAUSE)) - 2).to_bytes(1, signed=True)


def call(number: int) -> bytes:
    return b"\xb8" + struct.pack("<I", number) + SYSCALL


def vforking() -> bytes:
    """A child that never starts its program, and its parent, which waits for that."""
    return call(VFORK) + wait_for_ever()


def queueing(name: bytes) -> bytes:
    """mq_open(name, O_CREAT | O_RDWR, 0600, NULL)"""
    body = b"\xbe\x42\0\0\0" + b"\xba\x80\x01\0\0" + b"\x45\x31\xd2" + call(MQ_OPEN)
    body += wait_for_ever()
    return b"\x48\x8d\x3d" + struct.pack("<I", len(body)) + body + name + b"\0"


def giving_up() -> bytes:
    """Ends when a wait for events is interrupted, as a dump and a restore do: epoll_wait, exit."""
    waits = b"\x89\xc7\x48\x89\xe6\xba\1\0\0\0\x49\xc7\xc2\xff\xff\xff\xff" + call(EPOLL_WAIT)
    return b"\x31\xff" + call(EPOLL_CREATE) + waits + b"\x31\xff" + call(EXIT)


def write(path: Path, code: bytes) -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("the program is one for x86-64")
    size = HEADERS + len(code)
    head = struct.pack(
        "<4s5B7xHHIQQQIHHHHHH",
        b"\x7fELF", 2, 1, 1, 0, 0, 2, 62, 1, BASE + HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0,
    )  # fmt: skip
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x1000)
    path.write_bytes(head + segment + code)
    path.chmod(0o755)
