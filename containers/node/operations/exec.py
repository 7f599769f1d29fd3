"""Run one command in a running container, its output in the log. It holds nothing up."""

from containers.node.actions import Where
from containers.node.ct import Ct
from containers.node.errors import Code, CommandFailed, OperationError, Problem, TimedOut
from containers.node.plan import Plan, Refusal, Step
from containers.node.scripts import run_inside
from containers.node.states import State
from containers.node.trees.safe_tree import BadTree


def execute(ct: Ct) -> None:
    """params: command, a list of words; its exit code becomes the step's."""
    command = [f"{word}" for word in ct.params["command"]]
    try:
        exit = run_inside(ct, command, "exec", timeout=ct.script_timeout)
    except TimedOut as e:
        raise OperationError(
            Problem.COMMAND_TIME_LIMIT, Code.EXEC, command=command[0], seconds=e.seconds
        ) from e
    except CommandFailed as e:
        raise OperationError(Problem.NOT_RUN_INSIDE, command=command[0]) from e
    except BadTree as e:
        raise OperationError(Problem.TREE_IN_THE_WAY, command=command[0], cause=e.cause) from e
    ct.fact("exit", exit)
    if exit:
        failed = CommandFailed(command, exit)
        failed.code = Code.EXEC
        raise failed


NOT_RUNNING = Refusal(Problem.NOT_RUNNING)
EXEC = Step("exec", "run the command", do=execute, where=Where.CONTAINER)

PLAN = Plan(
    "Run a command",
    entry={
        State.RUNNING: [EXEC],
        State.PAUSED: [EXEC],  # a snapshot is being taken: it waits
        State.STOPPED: NOT_RUNNING,
        State.MOUNTED: NOT_RUNNING,
    },
    exclusive=False,
)
