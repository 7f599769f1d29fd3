"""Steps that write and run action scripts."""

from collections.abc import Iterator, Sequence
from functools import cache

from containers.node import approvals
from containers.node.actions import Action, Scope, Where
from containers.node.ct import Ct
from containers.node.errors import Problem, Refused
from containers.node.plan import Plan, Step, scripts_of
from containers.node.script_files import upcoming
from containers.node.scripts import present, run_script, unapproved, write_scripts


@cache
def script(scope: Scope, action: Action) -> Step:
    def run(ct: Ct) -> None:
        run_script(ct, scope, action)

    def there(ct: Ct) -> bool:
        return (scope, action) in ct.scripts if ct.dry_run else present(ct, scope, action)

    return Step(
        f"{scope}-{action}",
        f"run {'its' if scope is Scope.OWN else 'the global'} {action} script",
        do=run,
        there=there,
        where=action.where,
        once=True,
        scripts=((scope, action),),
    )


def require_approved(plan: Plan, ct: Ct) -> None:
    """Raise Refused, before anything is changed, if it might run a script nobody has approved."""
    node = ct.paths.node
    if ct.dry_run or not approvals.required(node):
        return
    for scope, action in unapproved_of(plan.steps(ct.state), ct):
        raise Refused(Problem.NOT_APPROVED, **unapproved(ct, scope, action))


def unapproved_of(steps: Sequence[Step], ct: Ct) -> Iterator[tuple[Scope, Action]]:
    node, replace = ct.paths.node, bool(ct.params.get("replace_scripts"))
    hooks = set()
    for scope, action in dict.fromkeys(scripts_of(steps, ct.profile)):
        if action.where is not Where.NODE or action in hooks:
            continue
        want = ct.scripts.get((scope, action))
        sha256 = upcoming(ct.paths, scope, action, want, replace=replace)
        if sha256 and action.hook:
            hooks.add(action)
        ctid = ct.ctid if scope is Scope.OWN else None
        if sha256 and not approvals.approved(node, ctid, action, sha256):
            yield scope, action


def keep_scripts(ct: Ct) -> None:
    """Written where that harms nothing: a file that isn't ours is run as it is, and so recorded.

    What goes down is not refused for a script that can't be written.
    """
    write_scripts(ct, tolerant=True)


WRITE_SCRIPTS = Step("write-scripts", "write the scripts to the node", do=write_scripts)
KEEP_SCRIPTS = Step("keep-scripts", "write the scripts to the node", do=keep_scripts)
