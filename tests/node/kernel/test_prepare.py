"""Limits that containers share: raised where they are too low, told, and put back."""

from pathlib import Path

import pytest

from containers.node import panels
from containers.node.conf import NodeConf
from containers.node.kernel.limits import wanted
from containers.node.kernel.prepare import Machine, plan, prepare, remove

GIB = 1 << 30
LOW = {"fs/inotify/max_user_instances": 128, "kernel/keys/maxkeys": 200, "kernel/pty/max": 4096}
HIGH = {"vm/max_map_count": 1_000_000, "kernel/dmesg_restrict": 1}


@pytest.fixture
def alpha(tmp_path: Path) -> NodeConf:
    return node(tmp_path, "alpha")


def node(place: Path, name: str) -> NodeConf:
    return NodeConf(name=name, state=place / name, vz=place / "vz", etc=place / "etc")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    found = Machine(tmp_path / "proc/sys", tmp_path / "sysctl.d")
    for key, value in (LOW | HIGH).items():
        path = found.proc / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    return found


def values(machine: Machine) -> dict[str, int | None]:
    return {key: machine.read(key) for key in LOW | HIGH}


def test_a_plan_names_what_is_too_low_and_changes_nothing(
    alpha: NodeConf, machine: Machine
) -> None:
    said = plan(alpha, machine, GIB)
    assert said == [
        "sysctl kernel/keys/maxkeys = 1000 (it is 200)",
        "sysctl fs/inotify/max_user_instances = 1398101 (it is 128)",
        "sysctl kernel/pty/max = 349525 (it is 4096)",
        f"the file {machine.files}/60-panel-{alpha.instance}.conf, for the next boots",
    ]
    assert values(machine) == LOW | HIGH
    assert not alpha.state.exists()


def test_it_is_raised_for_now_and_the_next_boots_and_put_back(
    alpha: NodeConf, machine: Machine
) -> None:
    assert len(prepare(alpha, machine, GIB)) == 3
    raised = {"fs/inotify/max_user_instances": 1398101, "kernel/keys/maxkeys": 1000,
              "kernel/pty/max": 349525}  # fmt: skip
    assert values(machine) == raised | HIGH
    text = machine.file(alpha).read_text()
    assert text.startswith("# Limits that the containers of this machine share")
    assert "fs/inotify/max_user_instances = 1398101\n" in text
    assert "max_map_count" not in text
    assert (prepare(alpha, machine, GIB), plan(alpha, machine, GIB)) == ([], [])

    remove(alpha, machine)

    assert values(machine) == LOW | HIGH
    assert list(machine.files.iterdir()) == []
    assert remove(alpha, machine) == []


def test_the_first_values_are_put_back_also_when_it_was_raised_twice(
    alpha: NodeConf, machine: Machine
) -> None:
    prepare(alpha, machine, GIB)
    prepare(alpha, machine, 2 * GIB)
    assert machine.read("fs/inotify/max_user_instances") == 2 * GIB // 768
    remove(alpha, machine)
    assert values(machine) == LOW | HIGH


def test_what_somebody_has_changed_since_is_left(alpha: NodeConf, machine: Machine) -> None:
    prepare(alpha, machine, GIB)
    machine.write("kernel/keys/maxkeys", 5000)
    remove(alpha, machine)
    assert values(machine) == LOW | HIGH | {"kernel/keys/maxkeys": 5000}


def test_the_last_panel_of_a_machine_puts_back_what_the_first_found(
    alpha: NodeConf, machine: Machine, tmp_path: Path
) -> None:
    beta = node(tmp_path, "beta")
    prepare(alpha, machine, GIB)
    prepare(beta, machine, 2 * GIB)
    assert remove(alpha, machine) == [f"the limits of the kernel are left to {machine.file(beta)}"]
    assert machine.read("kernel/keys/maxkeys") == 1000
    assert f"{beta.state}" in machine.file(beta).read_text()
    remove(beta, machine)
    assert values(machine) == LOW | HIGH


def test_what_can_not_be_written_is_said(alpha: NodeConf, machine: Machine) -> None:
    key = "kernel/pty/max"
    (machine.proc / key).unlink()
    (machine.proc / key).symlink_to("/proc/sys/kernel/ngroups_max")  # nobody writes that
    said = prepare(alpha, machine, GIB)
    assert said[2].startswith("sysctl kernel/pty/max stays 65536, where 349525 would be better: ")
    assert machine.read("kernel/keys/maxkeys") == 1000
    assert "kernel/pty/max" not in "".join(remove(alpha, machine))


def test_without_a_place_to_note_it_nothing_is_raised(alpha: NodeConf, machine: Machine) -> None:
    machine.files.write_text("")
    (said,) = prepare(alpha, machine, GIB)
    assert said.startswith("the limits of the kernel stay as they are: ")
    assert values(machine) == LOW | HIGH


def test_no_container_comes_to_the_end_of_a_limit_before_that_of_its_memory() -> None:
    found = wanted(8 * GIB)
    assert found["fs/inotify/max_user_instances"] * 768 <= 8 * GIB
    assert all(value < 2**31 for value in found.values())


def test_limits_stay_for_another_panel_that_found_them_raised_already(
    alpha: NodeConf, machine: Machine, tmp_path: Path
) -> None:
    beta = node(tmp_path, "beta")
    for each in (alpha, beta):
        each.state.mkdir()
        panels.note(each, tmp_path / "panels")
    prepare(alpha, machine, 64 * GIB)
    assert prepare(beta, machine, 64 * GIB) == []
    raised = values(machine)
    said = remove(alpha, machine, tmp_path / "panels")
    assert said == [f"the limits of the kernel are left to {machine.file(beta)}"]
    assert values(machine) == raised
    panels.forget(alpha, tmp_path / "panels")
    remove(beta, machine, tmp_path / "panels")
    assert values(machine) == LOW | HIGH
