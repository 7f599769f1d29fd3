"""Setting a container up afresh on the command line, and taking that back."""

from typing import Any

from containers.commands import ctid
from containers.commands.container import ACCESS, template_of
from containers.commands.follow import follow
from containers.commands.output import Output, table
from containers.grammar import Given
from containers.models import ReplacedSystem, Via
from containers.models.replaced_system import undo_until
from containers.node.errors import Code, OperationError, Problem

SWITCHES = ("skipbackup", "resetpwdb", "start", "without_stop_script", "without_own_scripts")


def reinstall(given: Given, output: Output) -> int:
    """As the browser does it, but for the end: one that did not run does not run then."""
    container = ctid.find(given.operands["CTID"])
    params = given.pick(*SWITCHES, *ACCESS)
    if "ostemplate" in given:  # the exact one, whatever is the newest by then
        params["template"] = f"{template_of(container.node, given.get('ostemplate'))}"
    until = undo_until()
    if until and not params.get("skipbackup"):
        params["keep_until"] = until.isoformat()
    if params.get("resetpwdb") and not given.pick(*ACCESS):
        output.complain(
            "Nobody will be able to sign in. Give --userpasswd or --sshkey, or set a password "
            "afterwards with pctl set."
        )
    reason = given.get("reason", "")
    return follow(lambda: container.reinstall(via=Via.PCTL, reason=reason, params=params), output)


def undo(given: Given, output: Output) -> int:
    container = ctid.find(given.operands["CTID"])
    found = list(container.replaced_systems.all())
    if "list" in given:
        output.show([described(each) for each in found], rows(found))
        return Code.OK
    if "operation" in given:
        found = [each for each in found if each.number == given.get("operation")]
    if not found:
        raise OperationError(Problem.NONE_KEPT, ctid=container.ctid)
    params = given.pick("without_stop_script")
    reason = given.get("reason", "")
    return follow(lambda: found[0].put_back(via=Via.PCTL, reason=reason, **params), output)


def rows(found: list[ReplacedSystem]) -> list[str]:
    return table(
        ("OPERATION", "REPLACED", "KEPT UNTIL", "TEMPLATE"),
        [
            (k.number, f"{k.since:%Y-%m-%d %H:%M}Z", f"{k.until:%Y-%m-%d %H:%M}Z", k.template)
            for k in found
        ],
    )


def described(replaced: ReplacedSystem) -> dict[str, Any]:
    return {
        "ctid": replaced.container.ctid,
        "operation": replaced.number,
        "since": replaced.since,
        "until": replaced.until,
        "template": replaced.template,
        "size": replaced.size,
        "own": replaced.own,
    }
