"""Action scripts and hooks on the command line: show, save, look back, take over from OpenVZ."""

from pathlib import Path
from typing import Any

from django.conf import settings

from containers.commands import ctid
from containers.commands.audit import actor
from containers.commands.database import no_access
from containers.commands.follow import follow
from containers.commands.output import Output, table
from containers.commands.places import require_here, this_node
from containers.grammar import BadSyntax, Given
from containers.models import Container, Node, Script, ScriptTarget, ScriptVersion, Via, publication
from containers.node import habits
from containers.node.access import typed
from containers.node.actions import Action
from containers.node.errors import BadUsages, BadValue, BadValues, Code
from containers.node.layout import Layout
from containers.node.script_text import LARGEST, Flaw, Source, examine

REFUSALS = {
    Flaw.TOO_LARGE: BadValues.SCRIPT_TOO_LARGE,
    Flaw.NUL: BadValues.SCRIPT_BINARY,
    Flaw.EMPTY: BadValues.SCRIPT_EMPTY,
    Flaw.NO_INTERPRETER: BadValues.NO_INTERPRETER,
}
REMARKS = {
    Flaw.CRLF: "Its lines end as on Windows (CRLF), which shells don't understand.",
    Flaw.NO_INTERPRETER: "Line 1 names no interpreter, so the script can only run in a container.",
    Flaw.NOT_UTF8: "It is not valid UTF-8, so the browser shows parts of it wrongly.",
}


def owner_of(given: Given) -> Container | Node:
    """Whose scripts are meant: a container's own, or this node's global ones."""
    if "everywhere" in given:
        if "CTID" in given.operands:
            raise BadSyntax(BadUsages.ONE_OF_BOTH)
        return this_node()
    if "CTID" not in given.operands:
        raise BadValue(BadValues.CTID_MISSING)
    return ctid.find(given.operands["CTID"])


def named(owner: Container | Node, name: str) -> ScriptTarget:
    target = ScriptTarget.named(owner, name.removeprefix("vps."))
    if target is None:
        known = [each.action.name for each in ScriptTarget.all_of(owner)]
        raise BadValue(BadValues.NO_SUCH_SCRIPT, owner=owner, name=name, known=known)
    return target


def script_of(given: Given) -> Script:
    target = named(owner_of(given), given.operands["NAME"])
    if target.script is None:
        raise BadValue(BadValues.NO_SCRIPT, script=target)
    return target.script


def list_(given: Given, output: Output) -> int:
    found = owner_of(given).scripts.order_by("name")
    rows = [(script, version) for script in found if (version := script.current)]
    output.show(
        [described(version) for _, version in rows],
        table(
            ("NAME", "VERSION", "ENABLED", "WRITTEN", "BY", "REASON"),
            [(s.name, v.number, "yes" if s.enabled else "no", *origin(v)) for s, v in rows],
        ),
    )
    return Code.OK


def show(given: Given, output: Output) -> int:
    script = script_of(given)
    number = given.get("version")
    version = script.versions.filter(number=number).first() if number else script.current
    if version is None:
        raise BadValue(
            BadValues.NO_VERSION, number=number or 1, scope=script.scope, action=script.name
        )
    if output.json:
        output.show({**described(version), "text": version.text}, [])
    else:
        output.write(bytes(version.body))
    return Code.OK


def history(given: Given, output: Output) -> int:
    versions = list(script_of(given).versions.all())
    output.show(
        [described(version) for version in versions],
        table(
            ("VERSION", "WRITTEN", "BY", "BYTES", "SHA256", "REASON"),
            [(v.number, *origin(v)[:2], len(v.body), v.sha256[:12], v.reason) for v in versions],
        ),
    )
    return Code.OK


def save(given: Given, output: Output) -> int:
    target = named(owner_of(given), given.operands["NAME"])
    body = typed.file(given.get("file", "-"), most=LARGEST)
    check(body, target.action, Source.FILE, output)
    version = target.write(body, reason=given.get("reason", ""), **actor())
    return published(target.owner, [version], output)


def import_(given: Given, output: Output) -> int:
    """From one file, or from every place where OpenVZ has scripts; the text is kept as it is."""
    if "everywhere" in given and "CTID" in given.operands and "NAME" not in given.operands:
        given.operands["NAME"] = given.operands.pop("CTID")
    owner = owner_of(given)
    name = given.operands.get("NAME")
    wanted = [named(owner, name)] if name else ScriptTarget.all_of(owner)
    if "file" in given:
        if name is None:
            raise BadSyntax(BadUsages.NAME_MISSING)
        found = [(wanted[0], Path(given["file"]))]
    else:
        found = [(target, path) for target in wanted if (path := source(target))]
        if not found:
            whose = f"script of {owner}" if isinstance(owner, Container) else "global script"
            raise BadValue(BadValues.NOTHING_TO_IMPORT, whose=whose, places=looked_for(wanted))
        output.say(f"Looked for {', '.join(looked_for(wanted))}.")
    versions = []
    for target, path in found:
        body = typed.file(f"{path}", most=LARGEST)
        check(body, target.action, Source.AS_IT_IS, output)
        for habit in habits.of(body):
            output.complain(f"{path}: {habit.sentence}")
        reason = given.get("reason") or f"imported from {path}"
        versions.append(target.write(body, reason=reason, verb="import", **actor()))
        output.say(f"Imported from {path}: {target}, version {versions[-1].number}.")
    return published(owner, versions, output)


def source(target: ScriptTarget) -> Path | None:
    """Where the script lies on the node. Raises BadValue when two places disagree."""
    if target.container:
        require_here(target.container)
    candidates = places(target)
    try:
        found = [path for path in candidates if path.is_file()]
    except PermissionError:
        raise no_access(f"{candidates[0].parent}") from None
    texts = {path: typed.file(f"{path}", most=LARGEST) for path in found}
    current = target.current
    ours = bytes(current.body) if current and found[:1] == candidates[:1] else None
    if ours is not None and texts[found[0]] == ours:  # what the panel itself put there
        found = found[1:] or found
    for other in found[1:]:
        if texts[other] != texts[found[0]]:
            raise BadValue(BadValues.SCRIPTS_DIFFER, one=found[0], other=other)
    return found[0] if found else None


def places(target: ScriptTarget) -> list[Path]:
    return Layout(settings.NODE, target.ctid or 0).script_places(target.scope, target.action)


def looked_for(wanted: list[ScriptTarget]) -> list[str]:
    """Every folder once, with the names in it: /etc/vz/conf/101.{mount,umount}."""
    found: dict[tuple[Path, str], list[str]] = {}
    for target in wanted:
        for path in places(target):
            stem, dot, action = path.name.rpartition(".")
            found.setdefault((path.parent, stem + dot), []).append(action)
    return [
        f"{folder}/{stem}" + (actions[0] if len(actions) == 1 else f"{{{','.join(actions)}}}")
        for (folder, stem), actions in found.items()
    ]


def check(body: bytes, action: Action, how: Source, output: Output) -> None:
    """Raises BadValue for what can't be a script; says what looks like a mistake."""
    found = examine(body, action, how)
    if found.refused:
        raise BadValue(REFUSALS[found.refused[0]])
    for flaw in found.remarked:
        output.complain(REMARKS[flaw])


def published(owner: Container | Node, versions: list[ScriptVersion], output: Output) -> int:
    """Global scripts go to the node at once; a container's own at its next operation."""
    if isinstance(owner, Node):
        return follow(lambda: publication.publish(owner, via=Via.PCTL), output)
    found = [described(version) for version in versions]
    output.show(found, [f"{owner}: {version}" for version in versions])
    return Code.OK


def described(version: ScriptVersion) -> dict[str, Any]:
    script = version.script
    return {
        "name": script.name,
        "scope": script.scope,
        "ctid": script.container.ctid if script.container else None,
        "enabled": script.enabled,
        "version": version.number,
        "sha256": version.sha256,
        "bytes": len(version.body),
        "written": version.created,
        "by": version.by.get_username() if version.by else None,
        "reason": version.reason,
    }


def origin(version: ScriptVersion) -> tuple[str, str, str]:
    by = version.by.get_username() if version.by else "pctl"
    return f"{version.created:%Y-%m-%d %H:%M}Z", by, version.reason
