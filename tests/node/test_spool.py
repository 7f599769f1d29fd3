"""Spools: one runner each, however often somebody looks who it is."""

import fcntl
import os
import threading
import time
from pathlib import Path

from containers.node.lock import locked
from containers.node.spool import Spool

ROUNDS = 2000


def test_a_runner_is_never_kept_out_by_those_who_look_whether_it_lives(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    over = threading.Event()
    seen: set[int | None] = set()

    def look() -> None:
        while not over.is_set():
            seen.add(spool.pid())

    looker = threading.Thread(target=look)
    looker.start()
    kept_out = 0
    for _ in range(ROUNDS):
        with spool.hold() as mine:
            kept_out += not mine
    over.set()
    looker.join()
    assert kept_out == 0
    assert seen


def test_a_second_runner_is_kept_out_and_the_first_is_named(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with spool.hold() as first, spool.hold() as second:
        assert (first, second) == (True, False)
        assert spool.pid() == os.getpid()
    assert not spool.alive()


def test_a_container_is_lockable_while_somebody_looks_whether_it_is(tmp_path: Path) -> None:
    path = tmp_path / "101.lck"
    path.touch()
    looking = threading.Event()

    def look() -> None:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            looking.set()
            time.sleep(0.01)

    looker = threading.Thread(target=look)
    looker.start()
    assert looking.wait(5)
    with locked(path, "start"):
        pass
    looker.join()
