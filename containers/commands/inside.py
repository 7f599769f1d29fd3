"""Commands and shells in a container, with the caller's own terminal."""

import sys

from django.conf import settings

from containers.commands import ctid
from containers.commands.audit import noted
from containers.commands.database import need_root
from containers.commands.output import Output
from containers.commands.places import require_here
from containers.grammar import BadSyntax, Given
from containers.models import Container
from containers.node import entrance, ids, runtimes
from containers.node.bundle import require_real_places
from containers.node.errors import BadUsages, Code, OperationError, Problem
from containers.node.layout import Layout
from containers.node.processes.run import hand_over
from containers.node.states import State

# The container's bash where it has one: vzctl's choice.
LOGIN = "if [ -x /bin/bash ]; then exec /bin/bash -l; fi; exec /bin/sh -l"
COMMAND = 'if [ -x /bin/bash ]; then exec /bin/bash -c "$0"; fi; exec /bin/sh -c "$0"'
STDIN = "if [ -x /bin/bash ]; then exec /bin/bash -s; fi; exec /bin/sh -s"
FROM_STDIN = "-"  # in a command's place: its lines come from standard input


def exec_(given: Given, output: Output) -> int:
    """8 for whatever the command ends with but 0."""
    return Code.EXEC if execute(given, not_running=Code.EXEC) else Code.OK


def exec2(given: Given, output: Output) -> int:
    return execute(given, not_running=Code.NOT_RUNNING)


def enter(given: Given, output: Output) -> int:
    container = ctid.find(given.operands["CTID"])
    require_running(container, Code.NOT_RUNNING)
    if "exec" in given:
        return run(container, ["/bin/sh", "-c", COMMAND, given["exec"]], given["exec"])
    output.say(f"entered into {container}")
    try:
        return run(container, ["/bin/sh", "-c", LOGIN], "a shell")
    finally:
        output.say(f"exited from {container}")


def execute(given: Given, *, not_running: Code) -> int:
    container = ctid.find(given.operands["CTID"])
    if not given.rest:
        raise BadSyntax(BadUsages.OPERAND_MISSING, name="COMMAND", usage=given.command.usage)
    require_running(container, not_running)
    line = " ".join(given.rest)
    if line == FROM_STDIN:
        return run(container, ["/bin/sh", "-c", STDIN], "commands from standard input")
    return run(container, ["/bin/sh", "-c", COMMAND, line], line)


def require_running(container: Container, code: Code) -> None:
    if container.state != State.RUNNING:
        raise OperationError(Problem.NOT_RUNNING, code)


def run(container: Container, command: list[str], line: str) -> int:
    """The command's exit code. That it ran is on record, whatever becomes of it."""
    require_here(container)
    need_root(f"the inside of {container}")
    noted(f"run in {container}: {line}", ctid=container.ctid)
    driver = runtimes.load(container.node.runtime)
    paths = Layout(settings.NODE, container.ctid)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if container.node.runtime != runtimes.DRY_RUN:
        require_real_places(paths.fs)
    argv = entrance.entering(paths, lambda at: driver.enter(at, command, terminal=terminal))
    return hand_over(argv, owner=ids.of(settings.NODE, container.ctid).base)
