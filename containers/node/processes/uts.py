"""The host name of what runs in a namespace of its own, set from outside: nothing is run in it."""

import ctypes
import os
import socket
from threading import Thread

CLONE_NEWUTS = 0x04000000


def set_hostname(pidfd: int, name: str) -> None:
    """Name the host for a process, given by its descriptor, and for all in its namespace.

    Raises OSError, as when it has ended.
    """
    failed: list[OSError] = []

    def enter() -> None:
        try:
            if ctypes.CDLL(None, use_errno=True).setns(pidfd, CLONE_NEWUTS):
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code), "its UTS namespace")
            socket.sethostname(name)
        except OSError as error:
            failed.append(error)

    # A namespace is the thread's: this one ends in it.
    thread = Thread(target=enter)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
