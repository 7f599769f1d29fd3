"""A container's console on the caller's terminal, as vzctl console has it."""

from django.conf import settings

from containers.commands import ctid
from containers.commands.audit import noted
from containers.commands.database import need_root
from containers.commands.inside import require_running
from containers.commands.output import Output
from containers.commands.places import require_here
from containers.grammar import Given
from containers.node import attached
from containers.node.errors import BadValue, BadValues, Code
from containers.node.layout import Layout

ONLY = ("", "1")  # ttys there are; without a number vzctl means the first


def attach(given: Given, output: Output) -> int:
    container = ctid.find(given.operands["CTID"])
    if given.operands.get("TTY", "") not in ONLY:
        raise BadValue(BadValues.ONE_CONSOLE, number=given.operands["TTY"])
    require_running(container, Code.NOT_RUNNING)
    require_here(container)
    need_root(f"the console of {container}")
    noted(f"console of {container}", ctid=container.ctid)
    output.say(f"attached to the console of {container} (Esc and then . detach)")
    if attached.attach(Layout(settings.NODE, container.ctid)):
        output.say(f"\r\ndetached from the console of {container}")
    else:
        output.say(f"\r\n{container} has ended")
    return Code.OK
