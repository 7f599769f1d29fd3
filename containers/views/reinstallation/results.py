"""What a reinstallation, or its undoing, has led to: one page to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from containers.kind import Replacement, having
from containers.models import Operation, OperationStep, ReplacedSystem
from containers.node.states import StepState

BY_HOOK, BY_TEMPLATE, CONFIGURE = "vps-reinstall", "build-new", "vps-configure"
LEFT = {BY_HOOK: "the old system stays as it is", CONFIGURE: "the old system is put back"}


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


def sentence(step: OperationStep, steps: Sequence[OperationStep]) -> str:
    """What a hook of a reinstallation did, in one sentence, which is for everybody's eyes.

    Whether vps.reinstall asked for the default shows in what came after it.
    """
    if step.state == StepState.FAILED and step.key in LEFT:
        ending = "" if step.code is None else f"exit code {step.code}: "
        return f"{ending}{LEFT[step.key]}"
    by_template = next((s.state for s in steps if s.key == BY_TEMPLATE and not s.undo), "")
    found = {
        (BY_HOOK, StepState.DONE, StepState.SKIPPED): "exit code 0: it has made the new system",
        (BY_HOOK, StepState.DONE, StepState.DONE): "exit code 128: it leaves it to the template",
        (BY_HOOK, StepState.SKIPPED, by_template): "there is none: the template is used",
        (CONFIGURE, StepState.DONE, by_template): "exit code 0: the new system is set up",
        (CONFIGURE, StepState.SKIPPED, by_template): "there is none, or it is not to run",
    }
    return found.get((step.key, StepState(step.state), by_template), "")
