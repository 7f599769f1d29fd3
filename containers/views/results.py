"""What a reinstallation, or its undoing, has led to: one page to keep."""

from __future__ import annotations

from dataclasses import dataclass

from containers.models import KeptSystem, Operation
from containers.node.states import Progress

KINDS = ("reinstall", "undo_reinstall")


@dataclass(frozen=True)
class Result:
    """forget: commands that clear the old host keys, a line each. old: whether /old is there."""

    addresses: list[str]
    host_keys: list[tuple[str, str]]
    forget: str
    old: bool
    erased: bool
    kept: KeptSystem | None


def of(operation: Operation) -> Result | None:
    """Of one that succeeded, and that no other has followed."""
    container = operation.container
    if operation.kind not in KINDS or operation.state != Progress.SUCCEEDED or not container:
        return None
    if container.operations.filter(kind__in=KINDS, pk__gt=operation.pk).exists():
        return None
    addresses, params = container.addresses, operation.params
    number = params.get("kept", operation.pk)
    return Result(
        addresses=addresses,
        host_keys=container.facts.get("host_keys", []),
        forget="\n".join(f"ssh-keygen -R {name}" for name in [*addresses, container.hostname]),
        old=operation.kind == "reinstall" and not params.get("skipbackup"),
        erased=operation.kind == "reinstall" and not params.get("keep_until"),
        kept=container.kept.filter(number=number).first(),
    )
