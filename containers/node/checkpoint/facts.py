"""What a node's row says of its process snapshots: the same that verdicts and vzcptcheck use."""

import os
from typing import Any

from containers.node.checkpoint import cpu, criu, version
from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.node.processes.run import call


def facts(conf: NodeConf, *, runtime: list[str]) -> dict[str, Any]:
    """runtime: the command that prints its version. caps as text: JavaScript's numbers end at 53
    bits. criu: its version, empty with the reason in snapshots_off."""
    try:
        found, off = criu.find(conf).version, ""
    except criu.Off as e:
        found, off = "", f"{e}"
    return {
        "snapshot_version": version.VERSION,
        "caps": f"{cpu.of_node()}",
        "kernel": os.uname().release,
        "runtime": first_line(runtime),
        "criu": found,
        "snapshots_off": off,
    }


def first_line(argv: list[str]) -> str:
    try:
        return call(argv, timeout=10).decode(errors="replace").partition("\n")[0].strip()
    except OperationError:
        return ""
