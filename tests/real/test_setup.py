"""Set-up beside another panel, and what is taken back: in mounts and a network of its own."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from containers.node.conf import CHECKOUT

FORWARD = "/proc/sys/net/ipv4/ip_forward"


@dataclass
class Machine:
    """What set-up changes outside of its state lies below a folder, shown at its real places."""

    place: Path

    def __post_init__(self) -> None:
        for name in ("sbin", "lib", "sysctl.d"):
            (self.place / name).mkdir()

    def state(self, name: str) -> Path:
        state = self.place / name
        (state / "web").mkdir(parents=True, exist_ok=True)
        return state

    def run(self, state: Path, *words: str, **env: str) -> str:
        """What a command of set-up says, for the panel that has this state."""
        shown = {"sbin": "/usr/local/sbin", "lib": "/var/lib", "sysctl.d": "/etc/sysctl.d"}
        binds = "; ".join(f"mount --bind {self.place / name} {at}" for name, at in shown.items())
        kept = {key: value for key, value in os.environ.items() if key[:6] != "PANEL_"}
        done = subprocess.run(
            ["unshare", "--mount", "--net", "sh", "-ec", f'{binds}; exec "$@"', "sh", *words],
            env={**kept, "PANEL_STATE_DIR": f"{state}", "PANEL_RUN_DIR": f"{self.place / 'run'}",
                 "PYTHONPATH": f"{CHECKOUT}", **env},
            cwd=CHECKOUT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def note(self, state: Path) -> None:
        self.run(state, "/usr/bin/python3", "-B", "-m", "containers.node.panels", "--note")

    def remove(self, state: Path) -> str:
        return self.run(state, "setup/remove.sh", YES="1")

    @property
    def pctl(self) -> Path:
        return (self.place / "sbin/pctl").readlink()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_commands_of_another_panel_stay_and_that_is_said_loudly(machine: Machine) -> None:
    first, second = machine.state("first"), machine.state("second")
    assert "ATTENTION" not in machine.run(first, "setup/commands.sh", "apply")
    said = machine.run(second, "setup/commands.sh", "apply")
    assert machine.pctl == first / "bin/pctl"
    assert f"belong to {first}, not to this panel ({second})" in said
    assert "TAKE_COMMANDS=1" in said
    assert f"belongs to {first}" in machine.run(second, "setup/commands.sh", "plan")
    machine.run(second, "setup/commands.sh", "apply", TAKE_COMMANDS="1")
    assert machine.pctl == second / "bin/pctl"


def test_what_is_no_command_of_a_panel_is_never_taken_over(machine: Machine) -> None:
    place = machine.place / "sbin/pctl"
    place.write_text("#!/bin/sh\n")
    machine.run(machine.state("first"), "setup/commands.sh", "apply", TAKE_COMMANDS="1")
    assert place.read_text() == "#!/bin/sh\n"


def test_the_commands_of_a_panel_that_is_gone_are_taken_over(machine: Machine) -> None:
    (machine.place / "sbin/pctl").symlink_to(machine.place / "gone/bin/pctl")
    second = machine.state("second")
    assert "ATTENTION" not in machine.run(second, "setup/commands.sh", "apply")
    assert machine.pctl == second / "bin/pctl"


def test_remove_advises_to_delete_only_what_set_up_has_made(machine: Machine) -> None:
    state = machine.state("first")
    assert "userdel" not in machine.remove(state)
    (state / "made-user").touch()
    (state / "installed-packages").write_text("runc\nzstd\n")
    assert f"apt-get remove runc zstd; userdel panel; rm -rf {state}" in machine.remove(state)


def test_remove_leaves_to_another_panel_what_that_needs(machine: Machine) -> None:
    first, second = machine.state("first"), machine.state("second")
    (first / "made-user").touch()
    (first / "installed-packages").write_text("runc\n")
    for state in (first, second):
        machine.note(state)
    said = machine.remove(first)
    assert f"Another panel of this machine ({second}) needs the user panel" in said
    assert "userdel" not in said
    assert "apt-get remove" not in said
    assert f"apt-get remove runc; userdel panel; rm -rf {second}" in machine.remove(second)
    assert not (machine.place / "lib/panel-instances").exists()


def test_a_container_that_does_not_stop_is_told_with_the_way_out() -> None:
    assert "pctl stop $ctid --without-stop-script" in (CHECKOUT / "setup/remove.sh").read_text()


def test_empty_lists_of_apt_are_fetched_before_criu_is_given_up(machine: Machine) -> None:
    programs = machine.place / "programs"
    programs.mkdir()
    apt = programs / "apt-get"
    apt.write_text(f"""#!/bin/sh
echo "$*" >>{machine.place}/asked
case "$*" in
*indextargets*) [ ! -e {machine.place}/updated ] || echo http://archive.example/debian/ ;;
"-qq update") touch {machine.place}/updated ;;
*) cat {machine.place}/tmp/*/sources.list >>{machine.place}/asked 2>/dev/null; exit 100 ;;
esac
""")
    apt.chmod(0o755)
    script = f"PATH={programs}:$PATH setup/criu.sh unpack sid || true"
    machine.run(machine.state("first"), "sh", "-c", script)
    asked = (machine.place / "asked").read_text().splitlines()
    assert [line.split()[0] for line in asked[:3]] == ["indextargets", "-qq", "indextargets"]
    assert asked[1] == "-qq update"
    assert len(asked) > 3


def test_a_second_panel_takes_the_criu_of_the_first(machine: Machine) -> None:
    first, second = machine.state("first"), machine.state("second")
    (first / "criu/prefix/usr/sbin").mkdir(parents=True)
    (first / "criu/prefix/usr/sbin/criu").write_text("its criu")
    (first / "criu/status").write_text(f"ok {first}/criu/bin/criu 4.2.1\n")
    machine.note(first)
    status = "from containers.node import conf; from containers.node.checkpoint import criu;"
    said = machine.run(
        second, "/usr/bin/python3", "-c", f"{status} print(criu.status(conf.load()))"
    )
    assert said == f"ok {first}/criu/bin/criu 4.2.1\n"


@pytest.mark.parametrize(("table", "forwarding"), [("", "0"), ("panel_deadbeef", "1")])
def test_forwarding_stays_while_another_panel_has_a_firewall_table(
    machine: Machine, table: str, forwarding: str
) -> None:
    network = "/usr/bin/python3 -B -m containers.node.network"
    other = f"nft add table inet {table}" if table else "true"
    said = machine.run(
        machine.state("first"), "sh", "-ec",
        f"echo 0 >{FORWARD}; {network}; {other}; cat {FORWARD};"
        f" {network} --remove; cat {FORWARD}",
    ).splitlines()  # fmt: skip
    assert "1" in said
    assert said[-1] == forwarding
    assert any("panel_deadbeef, and may need it" in line for line in said) == bool(table)
