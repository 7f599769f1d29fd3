"""Steps that write and run action scripts."""

from functools import cache

from containers.node.actions import Action, Scope
from containers.node.ct import Ct
from containers.node.plan import Step
from containers.node.scripts import present, run_script, write_scripts


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
        when=there,
        where=action.where,
        once=True,
    )


def keep_scripts(ct: Ct) -> None:
    """Written where that harms nothing: a file that isn't ours is run as it is, and so recorded."""
    write_scripts(ct, tolerant=True)


WRITE_SCRIPTS = Step("write-scripts", "write the scripts to the node", do=write_scripts)
KEEP_SCRIPTS = Step("keep-scripts", "write the scripts to the node", do=keep_scripts)
