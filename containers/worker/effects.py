"""What follows in the panel's own rows from what a runner has told of its operation."""

from collections.abc import Callable
from typing import Any

from containers.models import AuditEvent, Container, Operation, Template, Via
from containers.node.actions import START, STOP
from containers.node.states import Progress
from containers.worker import snapshots

SWITCHED_OFF = "switch off its own start and stop scripts, without which it was reinstalled"
Taker = Callable[[Operation, Container, Any], None]


def take(operation: Operation, container: Container, key: str, value: Any) -> None:
    """A fact about a container; most are only kept to be shown."""
    if key in TAKERS:
        TAKERS[key](operation, container, value)
    else:
        container.facts[key] = value
        container.save(update_fields=["facts"])


def take_template(operation: Operation, container: Container, said: str) -> None:
    """said: NAME@N. One that is gone from the node meanwhile has a row still."""
    name, _, version = said.partition("@")
    found = Template.objects.filter(node=container.node_id, name=name, version=int(version or 0))
    if template := found.first():
        container.template = template
        container.save(update_fields=["template"])


def take_refusal(operation: Operation, container: Container, said: dict[str, str]) -> None:
    """said: why, by the name of the setting that was refused."""
    operation.params["refused"] = said
    operation.save(update_fields=["params"])


TAKERS: dict[str, Taker] = {
    "template": take_template,
    "refused": take_refusal,
    "snapshot": snapshots.made,
    "snapshot_gone": snapshots.gone,
    "tried": snapshots.tried,
}


def of(operation: Operation) -> None:
    """Once it has ended, in the same transaction."""
    if operation.kind in AFTERWARDS and operation.container:
        AFTERWARDS[operation.kind](operation, operation.container)


def after_reinstall(operation: Operation, container: Container) -> None:
    """Scripts that the new system could not start with stay off until somebody turns them on."""
    if operation.state != Progress.SUCCEEDED:
        return
    snapshots.leave_the_line(operation, container)
    if not operation.params.get("without_own_scripts"):
        return
    for script in container.scripts.filter(name__in=(START.name, STOP.name), enabled=True):
        script.disable()
    AuditEvent.record(
        SWITCHED_OFF,
        by=operation.by,
        via=operation.via or Via.BROWSER,
        ctid=operation.ctid,
        reason=f"operation {operation.pk}",
    )


def after_set(operation: Operation, container: Container) -> None:
    if operation.state == Progress.SUCCEEDED:
        container.take_settings(operation)


AFTERWARDS: dict[str, Callable[[Operation, Container], None]] = {
    "set": after_set,
    "reinstall": after_reinstall,
    "undo_reinstall": snapshots.leave_the_line,
    "restore": snapshots.after_restore,
    "snapshot": snapshots.after_snapshot,
    "trial_restore": snapshots.after_trial,
}
