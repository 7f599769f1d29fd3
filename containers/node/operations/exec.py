"""Run one command in a running container, its output in the log. It holds nothing up."""

from containers.node.actions import Where
from containers.node.ct import Ct
from containers.node.errors import Code, CommandFailed, OperationError, TimedOut, ended
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
        said = f"{command[0]} was ended at its time limit of {e.seconds:g} s"
        raise OperationError(said, Code.EXEC) from e
    except CommandFailed as e:
        raise OperationError(f"{command[0]} could not be run in the container", Code.EXEC) from e
    except BadTree as e:
        raise OperationError(f"{command[0]} could not be run: {e}", Code.EXEC) from e
    ct.fact("exit", exit)
    if exit:
        failed = CommandFailed(command, exit)
        failed.args = (f"{command[0]} {ended(exit)}",)
        failed.code = Code.EXEC
        raise failed


NOT_RUNNING = Refusal(31, "the container is not running")

PLAN = Plan(
    "Run a command",
    entry={
        State.RUNNING: [Step("exec", "run the command", do=execute, where=Where.CONTAINER)],
        State.STOPPED: NOT_RUNNING,
        State.MOUNTED: NOT_RUNNING,
    },
    exclusive=False,
)
