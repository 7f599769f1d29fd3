"""Steps with the private areas that reinstallations replaced: <vz>/old/CTID/OPERATION/fs."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from containers.node.access import identity
from containers.node.conf import NodeConf
from containers.node.ct import Ct
from containers.node.errors import OperationError, Problem
from containers.node.plan import Step
from containers.node.steps.reinstalling import write_replaced
from containers.node.steps.roles import forget_notes, note, noted, role_of
from containers.node.storage.removal import remove
from containers.node.trees.area import tree_of
from containers.node.trees.exchange import exchange


@dataclass(frozen=True)
class Replaced:
    """A replaced system as it lies on the disk; operation: the number of the one that kept it."""

    ctid: int
    operation: int
    path: Path
    until: datetime
    since: datetime
    template: str

    @property
    def fs(self) -> Path:
        return self.path / "fs"


def listed(conf: NodeConf) -> list[Replaced]:
    """All of a node's; a folder that is half made or half deleted is none."""
    found = [read(path) for path in (conf.vz / "old").glob("[0-9]*/[0-9]*")]
    return sorted((k for k in found if k), key=lambda k: (k.ctid, k.operation))


def read(path: Path) -> Replaced | None:
    try:
        facts = json.loads((path / "kept.json").read_text())
        since = datetime.fromtimestamp((path / "kept.json").stat().st_mtime).astimezone()
        if not (path / "fs").is_dir():
            return None
        return Replaced(
            ctid=int(path.parent.name),
            operation=int(path.name),
            path=path,
            until=datetime.fromisoformat(facts["until"]),
            since=since,
            template=facts["template"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def place(ct: Ct) -> Path:
    return ct.paths.old / f"{int(ct.params['replaced'])}"


def check(ct: Ct) -> None:
    if not (place(ct) / "fs").is_dir():
        raise OperationError(Problem.NOT_KEPT_ANY_MORE)


def trade(ct: Ct) -> None:
    """old: the present system; new: the one that comes back."""
    facts = read(place(ct))
    template = facts.template if facts else ct.spec.template
    note(
        ct,
        old=ct.storage.mark(ct.paths.fs),
        new=ct.storage.mark(place(ct) / "fs"),
        template=template,
    )
    exchange(ct.paths.fs, place(ct) / "fs")


def trade_back(ct: Ct) -> None:
    if role_of(ct, place(ct) / "fs") == "old":
        exchange(ct.paths.fs, place(ct) / "fs")
    forget_notes(ct)


def settle(ct: Ct) -> None:
    """The other one is kept instead, until the later of the two dates; the panel is told."""
    template = noted(ct).get("template")
    if isinstance(template, str):
        facts, asked = read(place(ct)), ct.params.get("keep_until")
        dates = [*([facts.until.isoformat()] if facts else []), *([asked] if asked else [])]
        if dates:
            write_replaced(ct, place(ct), max(dates, key=datetime.fromisoformat))
        ct.spec = replace(ct.spec, template=template)
        ct.fact("template", template)
        with tree_of(ct.paths.node, ct.paths.fs) as tree:
            ct.fact("host_keys", identity.host_keys(tree))
    forget_notes(ct)


def forget(ct: Ct) -> None:
    remove(ct.storage, place(ct) / "fs")
    remove(ct.storage, place(ct))


TRADE_BACK = Step("trade-back", "put the present system back", do=trade_back)
CHECK = Step("check-kept", "check that the replaced system is there", do=check)
TRADE = Step("trade", "put the replaced system in its place", do=trade, undo=(TRADE_BACK,))
SETTLE = Step("keep-other", "keep the system it had until now", do=settle, commits=True)
FORGET = Step("forget", "delete the replaced system", do=forget, commits=True)
