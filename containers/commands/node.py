"""A node's settings on the command line."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from containers.commands.audit import noted
from containers.commands.output import Output
from containers.commands.places import this_node
from containers.grammar import BadSyntax, Given
from containers.models import Node, UndoProfile
from containers.models.node import LOG_LIMIT, SCRIPT_TIMEOUT
from containers.node.checks import Range
from containers.node.errors import BadUsages, BadValue, BadValues, Code
from containers.node.network.reach import Reach


def show(given: Given, output: Output) -> int:
    node = chosen(given)
    output.show(described(node), lines(described(node)))
    return Code.OK


def change(given: Given, output: Output) -> int:
    node = chosen(given)
    settings = given.pick("undo_profile", "script_timeout", "log_limit", "reach")
    if not settings:
        raise BadSyntax(BadUsages.NOTHING_TO_CHANGE)
    if settings.get("undo_profile", "vzctl") not in UndoProfile.values:
        raise BadValue(BadValues.NOT_A_PROFILE, known=UndoProfile.values)
    if "script_timeout" in settings:
        settings["script_timeout"] = whole(SCRIPT_TIMEOUT, settings["script_timeout"] or 0)
    if settings.get("reach", Reach.ALL) not in [*Reach]:
        raise BadValue(BadValues.NOT_A_REACH, known=[*Reach])
    if "log_limit" in settings:
        settings["log_limit"] = whole(LOG_LIMIT, settings["log_limit"] or 0)
    Node.objects.filter(pk=node.pk).update(**settings)
    noted(f"change node {node}", **settings)
    node.refresh_from_db()
    output.say(f"The new settings of node {node} apply from its next operation on.")
    output.show(described(node), [])
    return Code.OK


def whole(range: Range, number: int) -> int:
    return int(range.clean(number) or 0)


def chosen(given: Given) -> Node:
    name = given.operands.get("NODE")
    if name is None:
        return this_node()
    found = Node.objects.filter(name=name).first()
    if found is None:
        raise BadValue(BadValues.NO_NODE, name=name)
    return found


def described(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "runtime": node.runtime,
        "storage": node.storage,
        "undo_profile": node.undo_profile,
        "script_timeout": node.script_timeout,
        "log_limit": node.log_limit,
        "reach": node.reach,
        "pool": node.pool,
        "heartbeat": node.heartbeat,
        "away": node.away,
        "containers": node.containers.count(),
        "facts": node.facts,
    }


def lines(values: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from lines(value, f"{indent}  ")
        else:
            yield f"{indent}{key}: {said(value)}"


def said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(f"{each}" for each in value) or "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    return "-" if value in (None, "") else f"{value}"
