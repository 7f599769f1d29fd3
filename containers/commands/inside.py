"""Commands and shells in a container, with the caller's own terminal."""

import os
import sys
import tempfile

from django.conf import settings

from containers.commands import ctid
from containers.commands.audit import noted
from containers.commands.database import need_root
from containers.commands.output import Output
from containers.commands.places import here, require_here
from containers.grammar import BadSyntax, Given
from containers.models import Container
from containers.node import entrance, ids, observed, runtimes
from containers.node.access import typed
from containers.node.bundle import require_real_places
from containers.node.errors import BadUsages, Code, OperationError, Problem
from containers.node.layout import Layout
from containers.node.processes import relay
from containers.node.processes.run import hand_over
from containers.node.script_text import LARGEST
from containers.node.states import State

# The container's bash where it has one: vzctl's choice.
LOGIN = "if [ -x /bin/bash ]; then exec /bin/bash -l; fi; exec /bin/sh -l"
COMMAND = 'if [ -x /bin/bash ]; then exec /bin/bash -c "$0"; fi; exec /bin/sh -c "$0"'
STDIN = "if [ -x /bin/bash ]; then exec /bin/bash -s; fi; exec /bin/sh -s"
# On a terminal, a job of its own: what it leaves running would else be hung up with the terminal.
# A command that Ctrl-Z stops goes on, for there is no shell to bring it back.
JOB = """set -m
if [ -x /bin/bash ]; then /bin/bash -c "$0"; else /bin/sh -c "$0"; fi
code=$?
while [ "$code" = 148 ]; do fg >/dev/null 2>&1; code=$?; done
exit "$code"
"""
FROM_STDIN = "-"  # in a command's place: its lines come from standard input


def exec_(given: Given, output: Output) -> int:
    """8 for whatever the command ends with but 0."""
    return Code.EXEC if execute(given, not_running=Code.EXEC) else Code.OK


def exec2(given: Given, output: Output) -> int:
    return execute(given, not_running=Code.NOT_RUNNING)


def exec3(given: Given, output: Output) -> int:
    return execute(given, not_running=Code.NOT_RUNNING, shell_less=True)


def runscript(given: Given, output: Output) -> int:
    """Its text goes to a shell there, as that of an action script does; the file stays here."""
    container = ctid.find(given.operands["CTID"])
    body = typed.file(given.operands["FILE"], most=LARGEST)
    require_running(container, Code.NOT_RUNNING)
    with tempfile.TemporaryFile() as text:
        text.write(body)
        text.seek(0)
        what = f"the script {given.operands['FILE']}"
        return run(container, ["/bin/sh", "-c", STDIN], what, source=text.fileno())


def enter(given: Given, output: Output) -> int:
    container = ctid.find(given.operands["CTID"])
    require_running(container, Code.NOT_RUNNING)
    if "exec" in given:
        return run(container, shell(given["exec"]), given["exec"])
    output.say(f"entered into {container}")
    try:
        return run(container, ["/bin/sh", "-c", LOGIN], "a shell")
    finally:
        output.say(f"exited from {container}")


def execute(given: Given, *, not_running: Code, shell_less: bool = False) -> int:
    container = ctid.find(given.operands["CTID"])
    if not given.rest:
        raise BadSyntax(BadUsages.OPERAND_MISSING, name="COMMAND", usage=given.command.usage)
    require_running(container, not_running)
    if shell_less:
        return run(container, given.rest, " ".join(given.rest))
    line = " ".join(word or "''" for word in given.rest)  # vzctl's way
    if line == FROM_STDIN:
        return run(container, ["/bin/sh", "-c", STDIN], "commands from standard input")
    return run(container, shell(line), line)


def shell(line: str) -> list[str]:
    return ["/bin/sh", "-c", JOB if on_terminal() else COMMAND, line]


def on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def require_running(container: Container, code: Code) -> None:
    """By its row, and by what its node knows: after a reboot the row is late."""
    if container.state != State.RUNNING:
        raise OperationError(Problem.NOT_RUNNING, code)
    if container.node.runtime == runtimes.DRY_RUN or not here(container.node):
        return
    found = observed.state_of(Layout(settings.NODE, container.ctid))
    if found not in (State.RUNNING, State.PAUSED):  # who stands still goes on in a moment
        raise OperationError(Problem.NOT_RUNNING_NOW, code, state=found)


def run(container: Container, command: list[str], line: str, source: int | None = None) -> int:
    """The command's exit code. That it ran is on record, whatever becomes of it.

    source: a file that is its standard input, in place of ours.
    """
    require_here(container)
    need_root(f"the inside of {container}")
    noted(f"run in {container}: {line}", ctid=container.ctid)
    driver = runtimes.load(container.node.runtime)
    paths = Layout(settings.NODE, container.ctid)
    owner = ids.of(settings.NODE, container.ctid).base
    terminal = on_terminal() and source is None
    dry = container.node.runtime == runtimes.DRY_RUN
    if not dry:
        require_real_places(paths.fs)
    if terminal or dry:
        argv = entrance.entering(paths, lambda at: driver.enter(at, command, terminal=terminal))
        return hand_over(argv, owner=owner)
    pid_file = paths.bundle / f"exec-{os.getpid()}.pid"
    argv = entrance.entering(paths, lambda at: driver.enter_detached(at, command, pid_file))
    return relay.run(argv, pid_file, owner=owner, source=source or 0)
