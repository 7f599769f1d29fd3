"""Limits of what runs: on control groups v1, which refuse by themselves, and on v2, which don't.

The trees are those of a container as the kernel shows them, as files.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from containers.node.ct import Ct, Spec
from containers.node.errors import OperationError
from containers.node.runtimes import runc
from containers.node.states import State
from containers.node.steps import limiting
from tests.node.engine.toy import alpha, container

MIB = 1 << 20
V1 = {
    "memory.usage_in_bytes": f"{64 * MIB}\n",
    "memory.limit_in_bytes": f"{512 * MIB}\n",
    "memory.stat": f"rss 1\ntotal_inactive_file {30 * MIB}\ntotal_active_file {10 * MIB}\n",
    "pids.current": "23\n",
    "pids.max": "60\n",
}
V2 = {
    "memory.current": f"{64 * MIB}\n",
    "memory.max": f"{512 * MIB}\n",
    "memory.high": "max\n",
    "memory.stat": f"anon 1\ninactive_file {30 * MIB}\nactive_file {6 * MIB}\n"
    f"slab_reclaimable {4 * MIB}\n",
    "pids.current": "23\n",
    "pids.max": "60\n",
}
TREES = {"v1": (V1, ("memory", "pids")), "v2": (V2, ("",))}


class Watching(runc.Driver):
    """Changes nothing, and notes what memory.high is while it would."""

    def __init__(self, group: Path) -> None:
        self.group = group

    def update(self, paths: Any, resources: Path) -> list[str]:
        return ["cp", f"{self.group}/memory.high", f"{self.group}/seen"]


@pytest.fixture
def group(tmp_path: Path) -> Path:
    place = tmp_path / "group"
    place.mkdir()
    return place


def running(group: Path, version: str, shall: dict[str, int], has: dict[str, int]) -> Ct:
    files, keys = TREES[version]
    for name, content in files.items():
        (group / name).write_text(content)
    ct = container(alpha(group.parent), runtime=Watching(group), state=State.RUNNING)
    record = ct.paths.runc_root / f"{ct.ctid}" / "state.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"cgroup_paths": dict.fromkeys(keys, f"{group}")}))
    ct.paths.bundle.mkdir(parents=True)
    return replace(ct, spec=Spec.of(shall), former=Spec.of(has))


def refusal(ct: Ct) -> str:
    with pytest.raises(OperationError) as refused:
        limiting.check_limits(ct)
    assert refused.value.code == 6
    return f"{refused.value}"


@pytest.mark.parametrize("version", TREES)
@pytest.mark.parametrize(
    ("wanted", "limit", "fits"),
    [
        (23, 512, False),  # 24 MiB can't be taken back
        (24, 512, True),  # what is only kept of files can
        (600, 512, True),
        (16, 8, True),  # exceeded as it is: raised, if not far enough
    ],
)
def test_memory_that_can_not_be_taken_back_is_not_taken_away(
    group: Path, version: str, wanted: int, limit: int, fits: bool
) -> None:
    ct = running(group, version, {"ram": wanted}, {"ram": limit})
    for name in ("memory.limit_in_bytes", "memory.max"):
        (group / name).write_text(f"{limit * MIB}\n")
    if fits:
        limiting.check_limits(ct)
    else:
        assert refusal(ct) == "Its memory can't be limited to 23 MiB: it uses 24 MiB."


@pytest.mark.parametrize("version", TREES)
def test_fewer_processes_than_there_are_are_refused(group: Path, version: str) -> None:
    ct = running(group, version, {"pids": 22}, {"pids": 60})
    assert refusal(ct) == "Its processes can't be limited to 22: it has 23."
    limiting.check_limits(replace(ct, spec=Spec.of({"pids": 23})))
    limiting.check_limits(replace(ct, former=ct.spec))  # as it is already
    limiting.check_limits(replace(ct, state=State.STOPPED))


def test_on_v2_the_kernel_takes_back_what_it_can_before_the_limit_is_set(group: Path) -> None:
    ct = running(group, "v2", {"ram": 48}, {"ram": 512})
    (group / "memory.current").write_text(f"{48 * MIB}\n")  # as it is once that was done

    limiting.apply_limits(ct)

    assert (group / "seen").read_text() == f"{48 * MIB}"
    assert (group / "memory.high").read_text() == "max\n"


def test_on_v2_what_it_could_not_take_back_is_a_refusal_and_no_killing(group: Path) -> None:
    ct = running(group, "v2", {"ram": 48}, {"ram": 512})  # 64 MiB are in use still

    with pytest.raises(OperationError) as refused:
        limiting.apply_limits(ct)

    assert (refused.value.code, refused.value.problem) == (6, "below-use")
    assert not (group / "seen").exists()
    assert (group / "memory.high").read_text() == "max\n"


@pytest.mark.parametrize("shall", [{"ram": 1024}, {"ram": 512}, {}])
def test_on_v2_a_limit_that_is_raised_or_taken_away_needs_nothing(
    group: Path, shall: dict[str, int]
) -> None:
    limiting.apply_limits(running(group, "v2", shall, {"ram": 512}))
    assert (group / "seen").read_text() == "max\n"


def test_on_v1_the_kernel_is_asked_for_nothing_beforehand(group: Path) -> None:
    ct = running(group, "v1", {"ram": 48}, {"ram": 512})
    (group / "memory.high").write_text("no file of v1's\n")
    limiting.apply_limits(ct)
    assert (group / "seen").read_text() == "no file of v1's\n"
