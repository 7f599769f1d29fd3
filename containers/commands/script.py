"""Action scripts and hooks on the command line: show, save, look back, take over from OpenVZ."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from containers.commands import ctid, values
from containers.commands.audit import noted
from containers.commands.database import no_access
from containers.commands.follow import follow
from containers.commands.grammar import BadSyntax, Given
from containers.commands.output import Output, table
from containers.commands.places import require_here, this_node
from containers.models import Container, Node, Operation, Script, ScriptVersion, Via
from containers.node import actions
from containers.node.actions import Action, Scope, Where
from containers.node.errors import BadUsages, BadValue, BadValues, Code
from containers.node.layout import Layout

LARGEST = 1 << 20  # bytes
PUBLISHED = "global scripts"  # the resource that a publication holds


@dataclass(frozen=True)
class Shelf:
    """Whose scripts: a container's own, or the node's global ones."""

    node: Node
    container: Container | None

    @property
    def scope(self) -> Scope:
        return Scope.OWN if self.container else Scope.GLOBAL

    @property
    def owner(self) -> dict[str, Any]:
        return {"container": self.container} if self.container else {"node": self.node}

    @property
    def ctid(self) -> int | None:
        return self.container.ctid if self.container else None

    @property
    def whose(self) -> str:
        return f"script of {self.container}" if self.container else "global script"

    def action(self, name: str) -> Action:
        found = actions.BY_NAME.get(name.removeprefix("vps."))
        if found is None or self.scope not in found.scopes:
            known = [a.name for a in actions.ALL if self.scope in a.scopes]
            raise BadValue(BadValues.NO_SUCH_SCRIPT, scope=self.scope, name=name, known=known)
        return found

    def find(self, name: str) -> Script:
        action = self.action(name)
        found = Script.objects.filter(name=action.name, **self.owner).first()
        if found is None:
            raise BadValue(BadValues.NO_SCRIPT, scope=self.scope, action=action)
        return found

    def write(self, action: Action, body: bytes, reason: str) -> ScriptVersion:
        script, _ = Script.objects.get_or_create(name=action.name, **self.owner)
        version = script.write(body, by=None, reason=reason)
        where = f"of {self.container}" if self.container else f"on {self.node}"
        what = f"save the {script} {where}: version {version.number}"
        noted(what, ctid=self.ctid, sha256=version.sha256, reason=reason)
        return version


def shelf(given: Given) -> Shelf:
    if "everywhere" in given:
        if "CTID" in given.operands:
            raise BadSyntax(BadUsages.ONE_OF_BOTH)
        return Shelf(this_node(), None)
    if "CTID" not in given.operands:
        raise BadValue(BadValues.CTID_MISSING)
    container = ctid.find(given.operands["CTID"])
    return Shelf(container.node, container)


def list_(given: Given, output: Output) -> int:
    found = Script.objects.filter(**shelf(given).owner).order_by("name")
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
    script = shelf(given).find(given.operands["NAME"])
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
    versions = list(shelf(given).find(given.operands["NAME"]).versions.all())
    output.show(
        [described(version) for version in versions],
        table(
            ("VERSION", "WRITTEN", "BY", "BYTES", "SHA256", "REASON"),
            [(v.number, *origin(v)[:2], len(v.body), v.sha256[:12], v.reason) for v in versions],
        ),
    )
    return Code.OK


def save(given: Given, output: Output) -> int:
    place = shelf(given)
    action = place.action(given.operands["NAME"])
    body = values.file(given.get("file", "-"), most=LARGEST)
    if action.where is Where.NODE and not body.startswith(b"#!"):
        raise BadValue(BadValues.NO_INTERPRETER)
    check(body, output)
    version = place.write(action, body, given.get("reason", ""))
    return published(place, [version], output)


def import_(given: Given, output: Output) -> int:
    """From one file, or from every place where OpenVZ has scripts; the text is kept as it is."""
    if "everywhere" in given and "CTID" in given.operands and "NAME" not in given.operands:
        given.operands["NAME"] = given.operands.pop("CTID")
    place = shelf(given)
    name = given.operands.get("NAME")
    wanted = [place.action(name)] if name else [a for a in actions.ALL if place.scope in a.scopes]
    if "file" in given:
        if name is None:
            raise BadSyntax(BadUsages.NAME_MISSING)
        found = [(wanted[0], Path(given["file"]))]
    else:
        found = [(action, path) for action in wanted if (path := source(place, action))]
    if not found:
        raise BadValue(BadValues.NOTHING_TO_IMPORT, whose=place.whose)
    versions = []
    for action, path in found:
        body = values.file(f"{path}", most=LARGEST)
        check(body, output)
        reason = given.get("reason") or f"imported from {path}"
        versions.append(place.write(action, body, reason))
        output.say(f"Taken over from {path}: {versions[-1]}.")
    return published(place, versions, output)


def source(place: Shelf, action: Action) -> Path | None:
    """Where the script lies on the node. Raises BadValue when two places disagree."""
    layout = Layout(settings.NODE, place.ctid or 0)
    candidates = [layout.script(place.scope, action)]
    if place.container:
        require_here(place.container)
        candidates.append(layout.legacy_script(action))
    try:
        found = [path for path in candidates if path.is_file()]
    except PermissionError:
        raise no_access(f"{candidates[0].parent}") from None
    if len(found) < 2:
        return found[0] if found else None
    texts = [values.file(f"{path}", most=LARGEST) for path in found]
    script = Script.objects.filter(name=action.name, **place.owner).first()
    current = script.current if script else None
    if texts[0] == texts[1]:
        return found[0]
    if current and bytes(current.body) == texts[0]:  # what the panel itself put there
        return found[1]
    raise BadValue(BadValues.SCRIPTS_DIFFER, one=found[0], other=found[1])


def check(body: bytes, output: Output) -> None:
    """Raises BadValue for what can't be a script; says what looks like a mistake."""
    if b"\0" in body:
        raise BadValue(BadValues.SCRIPT_BINARY)
    if not body.strip():
        raise BadValue(BadValues.SCRIPT_EMPTY)
    if b"\r\n" in body:
        output.complain("Its lines end as on Windows (CRLF): shells stumble over that.")
    if not body.startswith(b"#!"):
        output.complain("Line 1 names no interpreter: it can only run in a container.")
    try:
        body.decode()
    except UnicodeDecodeError:
        output.complain("It is not UTF-8: the browser shows parts of it wrongly.")


def published(place: Shelf, versions: list[ScriptVersion], output: Output) -> int:
    """Global scripts go to the node at once; a container's own at its next operation."""
    if place.container is None:
        return follow(
            lambda: Operation.request_on(place.node, "publish", PUBLISHED, via=Via.PCTL), output
        )
    found = [described(version) for version in versions]
    output.show(found, [f"CT {place.ctid}: {version}" for version in versions])
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
