"""Limits of a container that runs: never below what it uses, whatever the kernel would do then.

Control groups v1 refuse such a limit of memory themselves. Those of v2 take it, and end processes
until the rest fits; so there the kernel is first asked to take back what it can (memory.high).
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from containers.node import figures, observed
from containers.node.bundle import MIB, resources
from containers.node.ct import Ct, Spec
from containers.node.errors import CommandFailed, OperationError, Problem
from containers.node.states import State

IN_USE = "unable to set memory limit"  # runc, of a limit that is below what is in use on v1


def check_limits(ct: Ct) -> None:
    """Refuse, before anything is changed, a limit that its processes or files have outgrown.

    One that is exceeded may be raised, if not far enough, too.
    """
    former = ct.former or Spec()
    if ct.spec.ram and ct.spec.ram != former.ram and ct.state is State.RUNNING:
        require_memory(ct)
    if ct.spec.pids and ct.spec.pids != former.pids and ct.state is State.RUNNING:
        require_processes(ct)
    if ct.spec.diskspace and ct.spec.diskspace != former.diskspace:
        disk = figures.disk(ct.paths, ct.storage, fresh=True)
        if outgrown(disk, ct.spec.diskspace * MIB):
            raise below_use("diskspace", "disk", ct.spec.diskspace, disk)


def require_memory(ct: Ct) -> None:
    """What can be reclaimed is not counted: with less memory it goes on without that."""
    held = figures.held(observed.cgroup_paths(ct.paths))
    if outgrown(held, ct.spec.ram * MIB):
        raise below_use("ram", "memory", ct.spec.ram, held)


def require_processes(ct: Ct) -> None:
    """With fewer than there are nothing more could be started in it, not even to stop it."""
    found = figures.pids(observed.cgroup_paths(ct.paths))
    if outgrown(found, ct.spec.pids):
        used = (found or {}).get("used")
        raise OperationError(
            Problem.PROCESSES_BELOW_USE, setting="pids", wanted=ct.spec.pids, used=used
        )


def outgrown(figure: figures.Figure | None, wanted: int) -> bool:
    """figure: what is used now; None where nobody can tell."""
    used, limit = (figure or {}).get("used"), (figure or {}).get("limit")
    return used is not None and wanted < used and (limit is None or wanted < limit)


def below_use(
    name: str, what: str, mebibytes: int, figure: figures.Figure | None
) -> OperationError:
    """name: of the setting."""
    used = (figure or {}).get("used")
    return OperationError(
        Problem.BELOW_USE, setting=name, what=what, wanted=mebibytes * MIB, used=used
    )


def apply_limits(ct: Ct) -> None:
    groups = observed.cgroup_paths(ct.paths)
    path = ct.paths.bundle / "resources.json"
    path.write_text(json.dumps(resources(ct, all=True)))
    try:
        with squeezed(groups, ct.spec.ram * MIB if ct.spec.ram else None) as fits:
            if not fits:
                raise below_use("ram", "memory", ct.spec.ram, figures.held(groups))
            ct.ask(ct.runtime.update(ct.paths, path))
    except CommandFailed as e:
        if IN_USE in e.said:
            raise below_use("ram", "memory", ct.spec.ram or 0, figures.held(groups)) from e
        raise OperationError(Problem.LIMITS_REFUSED, said=e.said) from e


@contextlib.contextmanager
def squeezed(groups: Mapping[str, Path], wanted: int | None) -> Iterator[bool]:
    """Whether its memory is as small as wanted, in bytes, and kept so meanwhile.

    Where the kernel refuses by itself, or the limit is not lowered, nothing need be done.
    """
    group = groups.get("", Path())
    high, limit = group / "memory.high", figures.number(group / "memory.max")
    if wanted is None or "memory" in groups or not high.exists() or (limit and limit <= wanted):
        yield True
        return
    before = high.read_text()
    try:
        high.write_text(f"{wanted}")  # returns once it is so, or no more can be taken back
        used = figures.number(group / "memory.current")
        yield used is None or used <= wanted
    finally:
        high.write_text(before)
