"""Ways on from an operation that ended badly, in the state that its container is in now.

They belong to the state: a way is there as long as what it asks for is not refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from containers.kind import KINDS, Kind, order, taking
from containers.models import offer
from containers.models.container import Container
from containers.models.operation import Operation
from containers.models.script_target import ScriptTarget
from containers.node import actions
from containers.node.actions import STOP, Scope
from containers.node.errors import Problem
from containers.node.states import State
from containers.permissions import EDIT_SCRIPTS, MANAGE, SNAPSHOT, Permission


@dataclass(frozen=True)
class WayOut:
    """word: of its button. command: the same for a shell on the node.

    permission: what it takes. kind and params: the operation that it asks for; target: the script
    that is edited; page: name of the URL, to be given a CT ID, where what else can be done is.
    """

    word: str
    icon: str
    command: str
    permission: Permission
    kind: Kind | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    target: ScriptTarget | None = None
    page: str = ""


SETTINGS = ("settings", "Change its settings", "edit", MANAGE)
SNAPSHOTS = ("snapshots", "Show its snapshots", "camera", SNAPSHOT)
# Failures that go away when something else is changed first: where, and what changes it
ELSEWHERE: Mapping[str, tuple[tuple[str, str, str, Permission], str]] = {
    Problem.DISABLED: (SETTINGS, "pctl set {ctid} --disabled no"),
    **dict.fromkeys(
        (
            Problem.ADDRESS_IN_USE,
            Problem.ADDRESS_OF_CONTAINER,
            Problem.ADDRESS_RESERVED,
            Problem.ADDRESS_ON_NODE,
            Problem.ADDRESS_OF_NODE,
        ),
        (SETTINGS, "pctl set {ctid} --ipdel ADDRESS --ipadd ADDRESS"),
    ),
    Problem.INIT_OUT_OF_MEMORY: (SETTINGS, "pctl set {ctid} --ram SIZE"),
    Problem.INIT_DIED: (SNAPSHOTS, "osctl psc list {ctid}"),
    **dict.fromkeys(
        (Problem.TOO_MANY_SNAPSHOTS, Problem.KEEPS_TOO_MUCH, Problem.POOL_RESERVE),
        (SNAPSHOTS, "osctl psc delete {ctid} SNAPSHOT"),
    ),
}  # fmt: skip


def of(operation: Operation) -> list[WayOut]:
    """Without those that the container's state, or who holds it, does not allow now."""
    container = operation.container
    if container is None:
        return []
    holder = container.operation
    found = [
        *again(operation),
        *by_script(operation, container),
        *by_problem(operation, container),
        *by_state(operation, container),
    ]
    return [
        way
        for way in found
        if way.kind is None or not offer.refusal(container, way.kind, holder, staff=True)
    ]


def again(operation: Operation) -> Iterator[WayOut]:
    kind = KINDS.get(operation.kind)
    if kind and (kind.word or kind.page) and not kind.plan.makes:
        page = kind.again or kind.page
        yield asked(kind, operation, "Try again", icon="restart", page=page)


def by_script(operation: Operation, container: Container) -> Iterator[WayOut]:
    if operation.script is None:
        return
    scope, name = operation.script
    action = actions.BY_NAME.get(name)
    if action is None:
        return
    target = ScriptTarget.running_for(container, Scope(scope), action)
    where = container.ctid if target.container else "--global"
    ran = operation.steps.filter(key=f"{scope}-{name}").exclude(version=None).first()
    version = f" v{ran.version}" if ran else ""
    command = f"pctl script save {where} {name} --file FILE"
    yield WayOut(f"Edit {target.short}{version}", "edit", command, EDIT_SCRIPTS, target=target)
    if operation.script == (Scope.OWN, STOP.name) and container.state == State.RUNNING:
        kind = taking("without_stop_script")
        param = next(each for each in kind.params if each.name == "without_stop_script")
        option = f"{param.option.name if param.option else ''} --reason TEXT"
        yield WayOut(
            "Stop without its stop script",
            "stop",
            f"{command_of(kind, operation)} {option}",
            param.permission or kind.permission,
            kind,
            {param.name: "1"},
        )


def by_problem(operation: Operation, container: Container) -> Iterator[WayOut]:
    if operation.problem in ELSEWHERE:
        (page, word, icon, permission), command = ELSEWHERE[operation.problem]
        command = command.format(ctid=container.ctid)
        yield WayOut(word, icon, command, permission, page=page)


def by_state(operation: Operation, container: Container) -> Iterator[WayOut]:
    """What gets it going from where it is, and what is left where just that has failed."""
    state = State(container.state)
    for kind in order():
        if kind.name == operation.kind or not kind.word or state in kind.hidden_in:
            continue
        instead, _ = kind.asking(container).instead
        if state != State.RUNNING and (state in kind.quick_in or instead == operation.kind):
            yield asked(kind, operation, kind.word, icon=kind.icon)


def asked(kind: Kind, operation: Operation, word: str, *, icon: str, page: str = "") -> WayOut:
    command = command_of(kind, operation)
    return WayOut(word, icon, command, kind.permission, kind, page=page)


def command_of(kind: Kind, operation: Operation) -> str:
    """With the options that it can't do without; empty where the command line has none."""
    command = next(iter(kind.commands), None)
    if command is None:
        return ""
    said = {"CTID": operation.ctid, "SNAPSHOT": operation.params.get("snapshot", "SNAPSHOT")}
    words = [f"{said.get(each, each)}" for each in command.operands]
    needed = [
        param.option.name
        for param in kind.params
        if param.required and param.option and param.wanted(operation.container)
    ]
    return " ".join([command.program, command.words, *words, *needed])
