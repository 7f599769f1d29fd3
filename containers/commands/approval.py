"""Approving scripts: root, on the node, looks at what would run as root, and lets it."""

import difflib
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from containers.commands.audit import login, noted
from containers.commands.database import need_root, no_access
from containers.commands.follow import follow
from containers.commands.output import Output, table
from containers.commands.places import require_here, this_node
from containers.commands.plain import visible
from containers.commands.script import named, origin, owner_of
from containers.grammar import BadSyntax, Given
from containers.models import Container, Node, ScriptTarget, ScriptVersion, Via, publication
from containers.node import approvals as store
from containers.node.actions import Where
from containers.node.errors import BadUsages, BadValue, BadValues, Code
from containers.worker.approvals import ON_NODE, sync, versions
from containers.worker.approvals import waiting as waiting_on

QUESTION = "Approve it? It will run as root on this node. (y/n) "


@dataclass(frozen=True)
class Candidate:
    """A text that may be approved: read once, shown, and approved as it was shown."""

    target: ScriptTarget
    version: ScriptVersion
    body: bytes

    @classmethod
    def of(cls, target: ScriptTarget) -> "Candidate | None":
        script = target.script
        version = script.current if script and script.enabled else None
        return cls(target, version, bytes(version.body)) if version else None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def approved(self) -> bool:
        target = self.target
        return store.approved(settings.NODE, target.ctid, target.action, self.sha256)


def approvals(given: Given, output: Output) -> int:
    """What waits; with --all what doesn't, too."""
    node = this_node()
    waits = {(said["ctid"], said["action"]): said for said in waiting_on(settings.NODE, node)}
    newest = versions(node)
    places = sorted({*waits, *(newest if given.get("all") else ())}, key=order)
    found = []
    for place in places:
        version, said = newest.get(place), waits.get(place)
        ours = version if not said or said["version"] else None
        found.append(
            {
                "ctid": place[0],
                "name": place[1],
                "version": ours.number if ours else None,
                "sha256": said["sha256"] if said else version.sha256 if version else "",
                "written": origin(ours)[0] if ours else "",
                "by": origin(ours)[1] if ours else "",
                "approved": said is None,
                "blocks": bool(said and said["blocks"]),
            }
        )
    if not store.required(settings.NODE):
        output.say(f"This node runs every script: {store.KEY} in vz.conf is not yes.")
    output.show(
        found,
        table(
            ("CTID", "NAME", "VERSION", "WRITTEN", "BY", "SHA256", "APPROVED"),
            [
                (f["ctid"] or "global", f["name"], f["version"] or "foreign", f["written"], f["by"],
                 f["sha256"][:12], "yes" if f["approved"] else "no")
                for f in found
            ],
        ),
    )  # fmt: skip
    return Code.OK


def order(place: tuple[int | None, str]) -> tuple[int, str]:
    return place[0] or 0, place[1]


def approve(given: Given, output: Output) -> int:
    """One script, or all of a container's or of the node's that wait, asked for each."""
    need_root(f"{store.store(settings.NODE)}")
    chosen = [c for target in targets(given) if (c := Candidate.of(target))]
    if not chosen and given.operands.get("NAME"):
        raise BadValue(BadValues.NO_SCRIPT, script=targets(given)[0])
    done = []
    for candidate in chosen:
        if candidate.approved:
            output.say(f"Version {candidate.version.number} of the {candidate.target} is approved.")
        elif agreed(candidate, given, output):
            allow(candidate)
            output.say(f"Approved: {candidate.target}, version {candidate.version.number}.")
            done.append(candidate)
        else:
            output.say(f"Not approved: {candidate.target}.")
    node = this_node()
    sync(settings.NODE, node)
    if any(candidate.target.container is None for candidate in done) and all_approved(node):
        return follow(lambda: publication.publish(node, via=Via.PCTL), output)
    output.show([{"script": f"{c.target}", "sha256": c.sha256} for c in done], [])
    return Code.OK


def targets(given: Given) -> list[ScriptTarget]:
    """Those that are named; without a name all that run on the node."""
    if "everywhere" in given and "CTID" in given.operands and "NAME" not in given.operands:
        given.operands["NAME"] = given.operands.pop("CTID")
    name = given.operands.get("NAME")
    owners: list[Container | Node] = (
        [owner_of(given)]
        if name or "CTID" in given.operands or "everywhere" in given
        else [this_node(), *this_node().containers.order_by("ctid")]
    )
    for owner in owners:
        if isinstance(owner, Container):
            require_here(owner)
    if name:
        target = named(owners[0], name)
        if target.action.where is not Where.NODE:
            raise BadValue(BadValues.NOTHING_TO_APPROVE, script=target)
        return [target]
    every = (target for owner in owners for target in ScriptTarget.all_of(owner))
    return [target for target in every if target.action in ON_NODE]


def agreed(candidate: Candidate, given: Given, output: Output) -> bool:
    terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if not terminal and not given.get("yes"):
        raise BadSyntax(BadUsages.NOBODY_TO_ASK)
    if not output.quiet or not given.get("yes"):
        sys.stderr.write("".join(f"{line}\n" for line in shown(candidate)))
        sys.stderr.flush()
    if given.get("yes"):
        return True
    print(QUESTION, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def shown(candidate: Candidate) -> Iterator[str]:
    """What changed since the last that was approved, or all of it, as it really is."""
    target, version = candidate.target, candidate.version
    before = store.latest(settings.NODE, target.ctid, target.action)
    written, by, reason = origin(version)
    yield f"The {target}, version {version.number}, by {visible(by)}, {written} {visible(reason)}"
    yield f"SHA-256 {candidate.sha256}"
    if before is None:
        yield from (visible(line) for line in lines(candidate.body))
        return
    old, new = (list(map(visible, lines(body))) for body in (before, candidate.body))
    yield from difflib.unified_diff(old, new, "approved", f"version {version.number}", lineterm="")


def lines(body: bytes) -> list[str]:
    return body.decode(errors="surrogateescape").split("\n")


def allow(candidate: Candidate) -> None:
    target = candidate.target
    try:
        store.approve(settings.NODE, target.ctid, target.action, candidate.body, who=login())
    except PermissionError:
        raise no_access(f"{store.store(settings.NODE)}") from None
    what = f"approve the {target}: version {candidate.version.number}"
    noted(what, ctid=target.ctid, sha256=candidate.sha256)


def all_approved(node: Node) -> bool:
    every = map(Candidate.of, ScriptTarget.all_of(node))
    return all(c.approved for c in every if c and c.target.action in ON_NODE)


def withdraw(given: Given, output: Output) -> int:
    need_root(f"{store.store(settings.NODE)}")
    target = targets(given)[0]
    count = store.withdraw(settings.NODE, target.ctid, target.action, who=login())
    if count:
        noted(f"withdraw the approval of the {target}", ctid=target.ctid)
    sync(settings.NODE, this_node())
    output.say(f"The {target} had {count} approved text{'' if count == 1 else 's'}; now none.")
    output.show({"script": f"{target}", "withdrawn": count}, [])
    return Code.OK
