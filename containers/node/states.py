"""The words for where a container, an operation and a step stand."""

from enum import StrEnum


class State(StrEnum):
    """A container, as vzlist words it, and what vzlist has no word for."""

    CREATING = "creating"
    STOPPED = "stopped"  # nothing mounted, nothing running
    MOUNTED = "mounted"  # the private area is mounted at the root
    RUNNING = "running"
    PAUSED = "paused"
    SUSPENDED = "suspended"  # its processes are kept in a dump
    BROKEN = "broken"  # half of it is missing
    UNKNOWN = "unknown"  # its node has not said


class Progress(StrEnum):
    """An operation."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # what could be undone was undone
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # its runner died; what it left was tidied up


class StepState(StrEnum):
    """A step of an operation."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNDONE = "undone"
    UNDO_FAILED = "undo-failed"


class Omission(StrEnum):
    """Why a step was left out, as people read it beside the step."""

    ASKED = "left out, as asked"
    NO_SCRIPT = "no such script"
    NEEDLESS = "not needed here"


UNFINISHED = tuple(p.value for p in (Progress.QUEUED, Progress.RUNNING, Progress.CANCELLING))
FINISHED = tuple(p.value for p in Progress if p.value not in UNFINISHED)
