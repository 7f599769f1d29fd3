"""A process that can be seen to be the same: it counts in its memory, a signal a step."""

import contextlib

from tests.real.rig import Rig

COUNTER = """#!/bin/sh
exec </dev/null >/dev/null 2>&1
(
    i=0
    trap 'i=$((i + 1)); echo $i >/tmp/count.new; mv /tmp/count.new /tmp/count' USR1
    echo $i >/tmp/count
    while :; do sleep 1000 & wait $!; kill $!; done
) &
echo $! >/tmp/counter.pid
"""


def install(rig: Rig, ctid: int) -> None:
    """Have it started by the container's init."""
    script = rig.paths(ctid).fs / "etc/rc.d/counter"
    script.write_text(COUNTER)
    script.chmod(0o755)


def counting(rig: Rig, ctid: int) -> None:
    """A running container with a counter that stands at 0."""
    install(rig, ctid)
    started = rig.operate("start", ctid)
    assert started.code == 0, started.log
    rig.wait_for(lambda: read(rig, ctid) == 0, "the counter")


def read(rig: Rig, ctid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int((rig.paths(ctid).fs / "tmp/count").read_text())
    return -1


def count(rig: Rig, ctid: int) -> int:
    """One step; returns where it stands then."""
    before = read(rig, ctid)
    rig.inside(ctid, "sh", "-c", "kill -USR1 $(cat /tmp/counter.pid)")
    rig.wait_for(lambda: read(rig, ctid) != before, "the counter to count")
    return read(rig, ctid)
