"""What a reinstallation, or its undoing, has led to: one page to keep."""

from __future__ import annotations

from dataclasses import dataclass

from containers.kind import Replacement, having
from containers.models import Operation, OperationStep, ReplacedSystem
from containers.node.states import StepState
from containers.node.steps.reinstalling import BY_HOOK, RUN_CONFIGURE, USE_THE_DEFAULT

LEFT = {
    BY_HOOK.key: "the old system stays as it is",
    RUN_CONFIGURE.key: "the old system is put back",
}
DID = {
    (BY_HOOK.key, 0): "it has made the new system",
    (BY_HOOK.key, USE_THE_DEFAULT): "it leaves it to the template",
    (RUN_CONFIGURE.key, 0): "the new system is set up",
}


@dataclass(frozen=True)
class Result:
    """forget: commands that clear the old host keys, a line each."""

    what: Replacement
    addresses: list[str]
    host_keys: list[tuple[str, str]]
    forget: str
    replaced: ReplacedSystem | None


def of(operation: Operation) -> Result | None:
    """Of one that succeeded, and that no other has followed."""
    container, what = operation.container, operation.of_kind.replacement(operation)
    if what is None or not operation.succeeded or not container:
        return None
    if container.operations.filter(kind__in=having("replaces"), pk__gt=operation.pk).exists():
        return None
    addresses = container.addresses
    return Result(
        what=what,
        addresses=addresses,
        host_keys=container.facts.get("host_keys", []),
        forget="\n".join(f"ssh-keygen -R {name}" for name in [*addresses, container.hostname]),
        replaced=container.replaced_systems.filter(number=what.number).first(),
    )


def sentence(step: OperationStep, *, staff: bool) -> str:
    """What a hook of a reinstallation did, in one sentence; customers read no exit code."""
    state = StepState(step.state)
    if state is StepState.FAILED:
        said = LEFT.get(step.key, "")
    elif state is StepState.DONE:
        said = DID.get((step.key, step.code or 0), "")
    else:
        return ""
    return f"exit code {step.code}: {said}" if said and staff and step.code is not None else said
