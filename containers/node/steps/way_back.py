"""Whether a container that runs could be brought back as it is now, should a restore fail."""

from collections.abc import Iterator

from containers.node import observed
from containers.node.actions import MOUNT, PREMOUNT, Action, Scope
from containers.node.ct import Ct
from containers.node.errors import Problem, Refused
from containers.node.plan import Step
from containers.node.script_files import hash_of, upcoming


def check(ct: Ct) -> None:
    """What is mounted in it would be mounted again by the scripts of today. Raises Refused."""
    below = [where for where, _ in observed.submounts(ct.paths.root)]
    if below and (changed := sorted({action.name for action in changed_scripts(ct)})):
        root = f"{ct.paths.root}"
        paths = sorted({where.removeprefix(root) for where in below})
        raise Refused(Problem.NO_WAY_BACK, scripts=changed, paths=paths)


def changed_scripts(ct: Ct) -> Iterator[Action]:
    """Those that are others than when it was mounted, or written since."""
    for scope in Scope:
        for action in (PREMOUNT, MOUNT):
            path = ct.paths.script(scope, action)
            there = hash_of(path)
            replace = bool(ct.params.get("replace_scripts"))
            want = ct.scripts.get((scope, action))
            soon = upcoming(ct.paths, scope, action, want, replace=replace)
            if soon != there or (there and path.stat().st_mtime > began(ct)):
                yield action


def began(ct: Ct) -> float:
    """When its processes were let go: the scripts had been run by then."""
    try:
        return ct.paths.let_go.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


CHECK = Step("check-way-back", "check that it could be brought back as it is now", do=check)
