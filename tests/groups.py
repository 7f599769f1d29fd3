"""Control groups that the processes of a test's node have made."""

import contextlib
import time
from pathlib import Path

from containers.node.conf import NodeConf
from containers.node.processes.cgroup import mounted

LEFT_WITHIN = 5.0  # seconds that forked children may take to leave, once their zygote has ended


def take_away(conf: NodeConf) -> None:
    """Once they are empty."""
    deadline = time.monotonic() + LEFT_WITHIN
    while (left := groups(conf)) and time.monotonic() < deadline:
        for group in left:
            with contextlib.suppress(OSError):
                group.rmdir()
        time.sleep(0.005)
    assert left == [], f"somebody still runs in {left}"


def groups(conf: NodeConf) -> list[Path]:
    """The innermost first."""
    tops = {place / conf.cgroup.lstrip("/") for place in mounted().values()}
    found = [path for top in tops for path in top.glob("**/")]
    return sorted(found, key=lambda path: -len(path.parts))
