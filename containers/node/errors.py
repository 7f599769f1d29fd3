"""What can go wrong on a node: the sentence the operator reads, and vzctl's exit code.

The codes are those of vzctl 4.11 (its vzerror.h and man page).
"""

from collections.abc import Sequence
from enum import IntEnum
from signal import Signals


class Code(IntEnum):
    OK = 0
    SYSTEM = 3
    RESOURCE = 6
    ENV_CREATE = 7
    EXEC = 8
    LOCKED = 9
    NO_VZ_CONF = 10
    NO_CT_CONF = 14
    CHECKPOINT = 16
    RESTORE = 17
    BAD_SYNTAX = 20
    BAD_VALUE = 21
    NO_TEMPLATE_NAME = 29
    NOT_RUNNING = 31
    RUNNING = 32
    STOP = 33
    NOT_MOUNTED = 40
    MOUNTED = 41
    NO_PRIVATE = 43
    EXISTS = 44
    NO_SPACE = 46
    BAD_TEMPLATE = 47
    MOUNT = 50
    UMOUNT = 51
    HOSTNAME = 70
    NETWORK = 71
    DNS = 72
    PASSWORD = 74
    ADDRESS_IN_USE = 78
    SCRIPT = 79
    BAD_CONF = 85
    NO_TEMPLATE = 91
    REINSTALL = 94
    DISABLED = 105
    CUSTOM_REINSTALL = 128
    NAME = 131


class OperationError(Exception):
    """An operation failed. Its text is one sentence for the operator, without a full stop."""

    code: int = Code.SYSTEM

    def __init__(self, sentence: str, code: int | None = None) -> None:
        super().__init__(sentence)
        if code is not None:
            self.code = code


class Refused(OperationError):
    """The container's state does not allow it; nothing was done."""


class BadValue(OperationError):
    """Something the operator gave can't be used; nothing was done."""

    code = Code.BAD_VALUE


class Locked(OperationError):
    """Somebody else is at work on this container."""

    code = Code.LOCKED


class NoSpace(OperationError):
    """The disk is full."""

    code = Code.NO_SPACE


class Cancelled(OperationError):
    """Somebody asked for the operation to end; vzctl counts that as a failed script."""

    code = Code.SCRIPT

    def __init__(self, sentence: str = "it was cancelled") -> None:
        super().__init__(sentence)


class CommandFailed(OperationError):
    """A command on the node ended with an exit code that was not expected.

    exit: the exit code, or the negated number of the signal that ended it.
    """

    def __init__(self, argv: Sequence[str], exit: int, said: str = "") -> None:
        how = ended(exit)
        super().__init__(f"{argv[0]} {how}" + (f": {said}" if said else ""))
        self.argv, self.exit, self.said = list(argv), exit, said


class CannotStart(OperationError):
    """There is no such command, or it isn't one."""

    def __init__(self, argv: Sequence[str], error: OSError) -> None:
        self.why = error.strerror or f"{error}"
        super().__init__(f"{argv[0]} could not be started: {self.why}")


class TimedOut(CommandFailed):
    """A command ran longer than its time limit and was ended."""

    def __init__(self, argv: Sequence[str], seconds: float) -> None:
        super().__init__(argv, -9)
        self.args = (f"{argv[0]} was ended at its time limit of {seconds:g} s",)
        self.seconds = seconds


class ScriptFailed(OperationError):
    """An action script or hook refused, in whatever way: it counts as 79 always."""

    code = Code.SCRIPT

    def __init__(self, name: str, how: str, *, exit: int = 1) -> None:
        super().__init__(f"the {name} script {how}")
        self.name, self.exit = name, exit


def ended(exit: int) -> str:
    """Say how a process ended: exit codes ≥ 0, signals negated."""
    if exit >= 0:
        return f"exited with {exit}"
    try:
        return f"was ended by signal {-exit} ({Signals(-exit).name})"
    except ValueError:
        return f"was ended by signal {-exit}"
