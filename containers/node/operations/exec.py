"""Run one command in a running container, its output in the log. It holds nothing up."""

from containers.node.actions import Where
from containers.node.bundle import write_process
from containers.node.cgroup import Group
from containers.node.ct import Ct
from containers.node.errors import Code, CommandFailed, OperationError, ended
from containers.node.plan import Plan, Refusal, Step
from containers.node.states import State


def execute(ct: Ct) -> None:
    """params: command, a list of words; its exit code becomes the step's."""
    command = [f"{word}" for word in ct.params["command"]]
    process = write_process(ct, command)
    group = Group(f"{ct.paths.cgroup}/exec-{ct.operation}")
    try:
        exit = ct.door.run_detached(
            ct.runtime.exec(ct.paths, process, ct.pid_file),
            ct.pid_file,
            stdin=b"",
            timeout=ct.script_timeout,
            group=group,
        )
    except CommandFailed as e:
        raise OperationError(f"{command[0]} could not be run in the container", Code.EXEC) from e
    finally:
        group.remove(heir=Group(ct.paths.cgroup))
        process.unlink(missing_ok=True)
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
