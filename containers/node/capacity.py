"""What a node has for all its containers together: memory and processes."""

import os
from pathlib import Path

PID_MAX = Path("/proc/sys/kernel/pid_max")


def measure() -> dict[str, int]:
    """memory in bytes, pid_max: as a node's facts have them."""
    return {
        "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "pid_max": int(PID_MAX.read_text()),
    }
