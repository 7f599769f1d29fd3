"""What is raised on a node: a machine word with its details, and vzctl's exit code.

The sentences are made in problems.py; str() of an error is the one that staff read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from containers.node import problems
from containers.node.codes import Code as Code
from containers.node.doubts import Doubts as Doubts
from containers.node.faults import BadTrees as BadTrees
from containers.node.faults import BadUsages as BadUsages
from containers.node.faults import BadValues as BadValues
from containers.node.faults import Fault
from containers.node.faults import Unfits as Unfits
from containers.node.problems import Problem as Problem


class OperationError(Exception):
    """An operation failed, or was refused."""

    def __init__(
        self, word: Problem | Fault, code: int | None = None, /, **details: object
    ) -> None:
        self.problem = problems.problem_of(word)
        self.details = {key: plain(value) for key, value in details.items()}
        if isinstance(word, Fault):
            self.details["fault"] = word.value
        self.code = next(c for c in (code, word.code, self.problem.code) if c is not None)
        super().__init__(problems.for_staff(self.problem, self.details))

    @property
    def for_customers(self) -> str:
        return problems.for_customers(self.problem, self.details)

    def told(self, *, staff: bool) -> str:
        return f"{self}" if staff else self.for_customers

    @property
    def cause(self) -> dict[str, Any]:
        """As a detail of another failure, which it led to."""
        return {"problem": self.problem.value, "details": self.details}

    @property
    def record(self) -> dict[str, Any]:
        """What is kept of it: in an event, in columns."""
        return {**self.cause, "error": f"{self}"}


def plain(value: object) -> Any:
    """As JSON can hold it."""
    if isinstance(value, bool | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {f"{key}": plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return f"{value}"


def cause_of(error: Exception) -> dict[str, Any]:
    if isinstance(error, OperationError):
        return error.cause
    return OperationError(Problem.SYSTEM_ERROR, why=f"{error}").cause


class Refused(OperationError):
    """The container's state does not allow it; nothing was done."""


class BadValue(OperationError):
    """Something the operator gave can't be used; nothing was done."""

    def at(self, place: str) -> "BadValue":
        """The same, with the option it was given to."""
        self.details[problems.AT] = place
        self.args = (problems.for_staff(self.problem, self.details),)
        return self


class Locked(OperationError):
    """Somebody else is at work on this container."""


class NoSpace(OperationError):
    """The disk is full."""

    def __init__(
        self,
        word: Problem | Fault = Problem.NO_SPACE,
        code: int | None = None,
        /,
        **details: object,
    ) -> None:
        super().__init__(word, code, **details)


class Cancelled(OperationError):
    """Somebody asked for the operation to end; vzctl counts that as a failed script."""

    def __init__(self, word: Problem = Problem.CANCELLED) -> None:
        super().__init__(word)


class CommandFailed(OperationError):
    """A command on the node ended with an exit code that was not expected.

    exit: the exit code, or the negated number of the signal that ended it.
    """

    def __init__(self, argv: Sequence[str], exit: int, said: str = "") -> None:
        super().__init__(Problem.COMMAND_FAILED, command=argv[0], exit=exit, said=said)
        self.argv, self.exit, self.said = list(argv), exit, said


class CannotStart(OperationError):
    """There is no such command, or it isn't one."""

    def __init__(self, argv: Sequence[str], error: OSError) -> None:
        self.why = error.strerror or f"{error}"
        super().__init__(Problem.COMMAND_NOT_STARTED, command=argv[0], why=self.why)


class TimedOut(CommandFailed):
    """A command ran longer than its time limit and was ended."""

    def __init__(self, argv: Sequence[str], seconds: float) -> None:
        OperationError.__init__(self, Problem.COMMAND_TIME_LIMIT, command=argv[0], seconds=seconds)
        self.argv, self.exit, self.said, self.seconds = list(argv), -9, "", seconds


class ScriptFailed(OperationError):
    """An action script or hook refused, in whatever way: it counts as 79 always."""

    def __init__(self, word: Problem, *, exit: int | None = None, **details: object) -> None:
        super().__init__(word, **details if exit is None else {**details, "exit": exit})
        self.exit = 1 if exit is None else exit
