"""Settings that are changed reach a container: its files at once, its processes while it runs."""

import shutil
from ipaddress import IPv4Network
from typing import Any

import pytest

from containers.node import figures, load, observed, veconf
from containers.node.access.accounts import hash_password
from containers.node.processes.run import call
from containers.node.states import State
from tests.real.dying import run_cancelled, run_dying
from tests.real.rig import Rig

MIB = 1024 * 1024
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHXs1JcNXUqnV1IDgL0NZVTnkVxFHH0XYSVTWjZ0TZ1D alice"
EAT = "dd if=/dev/zero of=/dev/null bs=256M count=1"  # dd holds a block in memory
FORKS = "i=0; while [ $i -lt 60 ]; do sleep 3 & i=$((i+1)); done; wait"


@pytest.fixture(params=[State.STOPPED, State.RUNNING])
def either(rig: Rig, ctid: int, request: pytest.FixtureRequest) -> int:
    """A container that is stopped, and one that runs."""
    if request.param is State.RUNNING:
        assert rig.operate("start", ctid).code == 0
    return ctid


@pytest.fixture
def running(rig: Rig, ctid: int) -> int:
    assert rig.operate("start", ctid).code == 0
    return ctid


def start_if_stopped(rig: Rig, ctid: int, **spec: Any) -> None:
    if rig.state(ctid) is not State.RUNNING:
        started = rig.operate("start", ctid, spec=spec)
        assert started.code == 0, started.log


def quota(rig: Rig, ctid: int) -> str:
    """Microseconds of processors' time in a tenth of a second, as either version has them."""
    groups = observed.cgroup_paths(rig.paths(ctid))
    if cpu := groups.get("cpu"):
        return (cpu / "cpu.cfs_quota_us").read_text().strip()
    return (groups[""] / "cpu.max").read_text().split()[0]


def weight(rig: Rig, ctid: int) -> int:
    """Beside others: v1's shares, or v2's weight."""
    groups = observed.cgroup_paths(rig.paths(ctid))
    cpu = groups.get("cpu")
    return int((cpu / "cpu.shares" if cpu else groups[""] / "cpu.weight").read_text())


def fs(rig: Rig, ctid: int, path: str) -> str:
    return (rig.paths(ctid).fs / path).read_text()


def test_a_host_name_is_in_the_files_and_in_the_running_container(rig: Rig, either: int) -> None:
    changed = rig.operate("set", either, spec={"hostname": "web.example.org"})

    assert changed.code == 0, changed.log
    assert fs(rig, either, "etc/hostname") == "web.example.org\n"
    assert "127.0.1.1 web.example.org web # set by the panel\n" in fs(rig, either, "etc/hosts")
    assert veconf.read(rig.paths(either).ve_conf)["HOSTNAME"] == "web.example.org"
    start_if_stopped(rig, either, hostname="web.example.org")
    assert rig.inside(either, "hostname") == "web.example.org\n"


def test_name_servers_and_search_domains_are_in_resolv_conf(rig: Rig, either: int) -> None:
    wanted = {"nameservers": ["192.0.2.53", "2001:db8::53"], "searchdomains": ["example.org"]}

    changed = rig.operate("set", either, spec=wanted)

    assert changed.code == 0, changed.log
    start_if_stopped(rig, either, **wanted)
    lines = rig.inside(either, "cat", "/etc/resolv.conf").splitlines()
    assert lines[1:] == ["search example.org", "nameserver 192.0.2.53", "nameserver 2001:db8::53"]


def test_onboot_and_disabled_are_in_the_configuration_file(rig: Rig, either: int) -> None:
    rig.operate("set", either, spec={"onboot": True, "disabled": True})
    found = veconf.read(rig.paths(either).ve_conf)
    assert (found["ONBOOT"], found["DISABLED"]) == ("yes", "yes")

    rig.operate("set", either)
    found = veconf.read(rig.paths(either).ve_conf)
    assert (found["ONBOOT"], found["DISABLED"]) == ("no", "no")


def test_a_password_and_keys_are_set(rig: Rig, either: int) -> None:
    hashed = hash_password("correct horse")

    changed = rig.operate("set", either, userpasswd={"user": "root", "hash": hashed}, sshkeys=[KEY])

    assert changed.code == 0, changed.log
    assert hashed not in changed.log
    start_if_stopped(rig, either)
    assert f"root:{hashed}:" in rig.inside(either, "cat", "/etc/shadow")
    assert rig.inside(either, "cat", "/root/.ssh/authorized_keys") == f"{KEY}\n"
    assert rig.inside(either, "stat", "-c", "%u %a", "/root/.ssh/authorized_keys") == "0 600\n"


def test_a_password_for_a_user_that_is_not_there_is_refused(rig: Rig, either: int) -> None:
    params = {"userpasswd": {"user": "mallory", "hash": hash_password("x y z")}}

    refused = rig.operate("set", either, **params)

    assert refused.code == 74
    assert "mallory" in refused.end["error"]


def test_limits_hold_from_the_start_on(rig: Rig, ctid: int) -> None:
    spec = {"ram": 64, "cpus": 0.5, "pids": 40}
    assert rig.operate("start", ctid, spec=spec).code == 0
    check_limits(rig, ctid)


def test_limits_are_changed_while_it_runs_and_taken_away_again(rig: Rig, running: int) -> None:
    changed = rig.operate("set", running, spec={"ram": 64, "cpus": 0.5, "pids": 40})
    assert changed.code == 0, changed.log
    check_limits(rig, running)

    more = rig.operate("set", running, spec={"ram": 128, "pids": 80})
    assert more.code == 0, more.log
    used = figures.measure(rig.paths(running), rig.driver)
    assert (used["memory"]["limit"], used["pids"]["limit"]) == (128 * MIB, 80)

    assert rig.operate("set", running).code == 0
    used = figures.measure(rig.paths(running), rig.driver)
    assert (used["memory"]["limit"], used["pids"]["limit"]) == (None, None)
    assert rig.operate("exec", running, command=["sh", "-c", EAT]).code == 0


def check_limits(rig: Rig, ctid: int) -> None:
    """memory, processor and processes are limited to 64 MiB, half a processor, 40."""
    assert quota(rig, ctid) == "50000"
    before = figures.measure(rig.paths(ctid), rig.driver)
    assert before["memory"]["limit"] == 64 * MIB
    assert before["memory"]["used"] < 64 * MIB
    assert before["pids"]["limit"] == 40
    assert before["oom_kills"] == 0

    eaten = rig.operate("exec", ctid, command=["sh", "-c", EAT])
    assert (eaten.code, eaten.facts["exit"]) == (8, -9)
    assert figures.measure(rig.paths(ctid), rig.driver)["oom_kills"] == 1

    assert "can't fork" in rig.inside(ctid, "sh", "-c", FORKS)
    assert rig.state(ctid) is State.RUNNING


def test_its_weight_is_about_twice_that_of_another(rig: Rig, running: int) -> None:
    weights = []
    for spec in ({"cpuunits": 1000}, {"cpuunits": 2000}, {}):
        assert rig.operate("set", running, spec=spec).code == 0
        weights.append(weight(rig, running))
    like_others, heavier, without = weights
    assert 1.5 < heavier / like_others < 2.5  # v2's scale is another
    assert without == like_others


def test_fewer_processes_than_it_has_are_refused_and_it_goes_on(rig: Rig, settled: int) -> None:
    many = "i=0; while [ $i -lt 30 ]; do sleep 1000 & i=$((i+1)); done"
    assert rig.operate("exec", settled, command=["sh", "-c", many]).code == 0

    refused = rig.operate("set", settled, spec={**IN_FORCE, "pids": 20}, former=IN_FORCE)

    assert (refused.code, refused.end["problem"]) == (6, "processes-below-use")
    assert "Its processes can't be limited to 20: it has " in refused.end["error"]
    assert refused.end["details"]["used"] > 30
    assert as_it_was(rig, settled)
    assert rig.operate("set", settled, spec={**IN_FORCE, "pids": 50}, former=IN_FORCE).code == 0
    assert as_it_was(rig, settled, pids=50)


def test_a_memory_limit_below_what_it_uses_is_refused_and_it_goes_on(
    rig: Rig, running: int
) -> None:
    rig.operate("exec", running, command=["sh", "-c", "sleep 1000 & "])
    assert rig.operate("set", running, spec={"ram": 64}).code == 0
    fill = "mount -t tmpfs none /mnt && dd if=/dev/zero of=/mnt/x bs=1M count=40"
    assert rig.operate("exec", running, command=["sh", "-c", fill]).code == 0

    refused = rig.operate("set", running, spec={"ram": 16})

    assert refused.code == 6
    assert "memory" in refused.end["error"]
    assert figures.measure(rig.paths(running), rig.driver)["memory"]["limit"] == 64 * MIB
    assert rig.state(running) is State.RUNNING


def test_a_write_stops_at_the_disk_limit_and_the_container_goes_on(rig: Rig, running: int) -> None:
    assert rig.operate("set", running, spec={"diskspace": 32}).code == 0

    number = rig.begin(
        "exec", running, command=["dd", "if=/dev/zero", "of=/big", "bs=1M", "count=48"]
    )
    full = rig.finish(number)

    assert (full.code, full.facts["exit"]) == (8, 1)
    assert "Disk quota exceeded" in full.log
    assert rig.state(running) is State.RUNNING
    disk = figures.measure(rig.paths(running), rig.driver)["disk"]
    assert disk["limit"] == 32 * MIB
    assert disk["used"] <= disk["limit"]

    refused = rig.operate("set", running, spec={"diskspace": 32, "hostname": "other"})
    assert refused.code == 46
    assert "disk limit is reached" in refused.end["error"]

    assert rig.operate("set", running, spec={"diskspace": 64}).code == 0
    assert rig.operate("exec", running, command=["cp", "/bin/busybox", "/more"]).code == 0
    assert rig.operate("set", running).code == 0
    assert figures.measure(rig.paths(running), rig.driver)["disk"]["limit"] is None


def test_a_full_container_can_be_stopped_started_and_destroyed(rig: Rig, running: int) -> None:
    assert rig.operate("set", running, spec={"diskspace": 16}).code == 0
    rig.operate("exec", running, command=["dd", "if=/dev/zero", "of=/big", "bs=64k"])
    rig.write(running, "mount", "#!/bin/sh\necho up\n")

    assert rig.operate("stop", running, spec={"diskspace": 16}).code == 0
    started = rig.operate("start", running, spec={"diskspace": 16})

    assert started.code == 0, started.log
    assert "up\n" in started.log


def test_addresses_come_and_go_while_it_runs(
    rig: Rig, networked: IPv4Network, running: int
) -> None:
    one, two = (f"{networked.network_address + n}" for n in (701, 702))

    added = rig.operate("set", running, spec={"ips": [one, two]})
    assert added.code == 0, added.log
    assert addresses(rig, running) == {one, two}
    assert "default via" in rig.inside(running, "ip", "route")

    swapped = rig.operate("set", running, spec={"ips": [two]})
    assert swapped.code == 0, swapped.log
    assert addresses(rig, running) == {two}
    assert rig.operate("set", running).code == 0
    assert addresses(rig, running) == set()


def test_what_a_failed_change_has_brought_already_is_no_obstacle_to_the_next(
    rig: Rig, networked: IPv4Network, running: int
) -> None:
    one = f"{networked.network_address + 703}"
    broken = rig.operate("set", running, spec={"ips": [one], "description": "two\nlines"})
    assert broken.code == 21

    changed = rig.operate("set", running, spec={"ips": [one]})

    assert changed.code == 0, changed.log
    assert addresses(rig, running) == {one}


def test_an_address_that_the_containers_root_took_before_is_given_all_the_same(
    rig: Rig, networked: IPv4Network, running: int
) -> None:
    one = f"{networked.network_address + 704}"
    rig.inside(running, "ip", "addr", "add", f"{one}/32", "dev", "eth0")

    changed = rig.operate("set", running, spec={"ips": [one]})

    assert changed.code == 0, changed.log
    assert addresses(rig, running) == {one}


# What fails leaves things as they were


FILL = "mount -t tmpfs none /mnt && dd if=/dev/zero of=/mnt/x bs=1M count=24"
IN_FORCE = {"ram": 64, "cpus": 1, "pids": 60, "diskspace": 64, "hostname": "before"}


@pytest.fixture
def settled(rig: Rig, running: int) -> int:
    """A running container with limits, whose settings are in force."""
    rig.operate("exec", running, command=["sh", "-c", "sleep 1000 & "])
    assert rig.operate("set", running, spec=IN_FORCE, former={}).code == 0
    return running


def as_it_was(rig: Rig, ctid: int, **changed: Any) -> bool:
    """Whether what is in force is what the last change that succeeded has set."""
    spec = {**IN_FORCE, **changed}
    used = figures.measure(rig.paths(ctid), rig.driver)
    assert used["memory"]["limit"] == spec["ram"] * MIB
    assert used["pids"]["limit"] == spec["pids"]
    assert used["disk"]["limit"] == spec["diskspace"] * MIB
    assert quota(rig, ctid) == f"{spec['cpus'] * 100_000}"
    assert fs(rig, ctid, "etc/hostname") == f"{spec['hostname']}\n"
    assert rig.inside(ctid, "hostname") == f"{spec['hostname']}\n"
    conf = veconf.read(rig.paths(ctid).ve_conf)
    assert conf["HOSTNAME"] == spec["hostname"]
    assert conf["NUMPROC"] == f"{spec['pids']}:{spec['pids']}"
    assert conf["PHYSPAGES"] == f"0:{spec['ram'] * 256}"
    assert rig.state(ctid) is State.RUNNING
    return True


def test_memory_that_it_uses_is_not_taken_away_and_the_next_start_does_not_know(
    rig: Rig, settled: int
) -> None:
    assert rig.operate("exec", settled, command=["sh", "-c", FILL]).code == 0

    refused = rig.operate("set", settled, spec={**IN_FORCE, "ram": 6}, former=IN_FORCE)

    assert refused.code == 6
    assert "can't be limited to 6 MiB: it uses " in refused.end["error"]
    assert (refused.end["problem"], refused.end["details"]["setting"]) == ("below-use", "ram")
    assert "apply" not in refused.steps  # nothing was changed that could have to be undone
    assert as_it_was(rig, settled)
    assert rig.operate("restart", settled, spec=IN_FORCE).code == 0
    assert as_it_was(rig, settled)


def test_a_disk_limit_below_what_is_used_is_refused_and_an_exceeded_one_is_raised(
    rig: Rig, settled: int
) -> None:
    write = ["dd", "if=/dev/urandom", "of=/big", "bs=1M", "count=40"]
    assert rig.operate("exec", settled, command=write).code == 0

    refused = rig.operate("set", settled, spec={**IN_FORCE, "diskspace": 16}, former=IN_FORCE)

    assert refused.code == 6
    assert "Its disk can't be limited to 16 MiB: it uses " in refused.end["error"]
    assert as_it_was(rig, settled)
    call(rig.driver.limit(rig.paths(settled).fs, 16 * MIB))  # as a version before this one did
    call(["sync"])
    raised = rig.operate("set", settled, spec={**IN_FORCE, "diskspace": 96}, former=IN_FORCE)
    assert raised.code == 0, raised.log
    assert as_it_was(rig, settled, diskspace=96)


CHANGED = {"ram": 128, "cpus": 2, "pids": 90, "diskspace": 128, "hostname": "after"}


def test_what_a_failed_change_has_brought_already_is_taken_back(
    rig: Rig, networked: IPv4Network, settled: int
) -> None:
    one, two = (f"{networked.network_address + n}" for n in (711, 712))
    before = {**IN_FORCE, "ips": [one]}
    assert rig.operate("set", settled, spec=before, former=IN_FORCE).code == 0

    rig.paths(settled).conf_link.unlink()
    rig.paths(settled).conf_link.write_text("a file of somebody's\n")

    broken = rig.operate("set", settled, former=before, spec={**CHANGED, "ips": [two]})

    rig.paths(settled).conf_link.unlink()
    assert broken.code == 3
    assert "the panel's link belongs there" in broken.end["error"]
    assert as_it_was(rig, settled)
    assert addresses(rig, settled) == {one}
    assert rig.operate("set", settled, former=before, spec=before).code == 0


def test_an_address_that_is_taken_in_between_leaves_those_it_has(
    rig: Rig, networked: IPv4Network, settled: int
) -> None:
    one, two = (f"{networked.network_address + n}" for n in (713, 714))
    before = {**IN_FORCE, "ips": [one]}
    assert rig.operate("set", settled, spec=before, former=IN_FORCE).code == 0
    call(["ip", "addr", "add", f"{two}/32", "dev", "lo"])
    try:
        refused = rig.operate("set", settled, spec={**CHANGED, "ips": [two]}, former=before)
    finally:
        call(["ip", "addr", "del", f"{two}/32", "dev", "lo"])

    assert refused.code == 78
    assert "it is the node's own" in refused.end["error"]
    assert as_it_was(rig, settled)
    assert addresses(rig, settled) == {one}


def test_a_change_that_is_cancelled_leaves_what_was_in_force(rig: Rig, settled: int) -> None:
    number = run_cancelled(rig, "set", settled, "apply", "began", spec=CHANGED, former=IN_FORCE)
    ended = rig.finish(number)

    assert ended.end["progress"] == "cancelled", ended.log
    assert as_it_was(rig, settled)


def test_a_password_that_is_refused_takes_the_other_changes_with_it(rig: Rig, settled: int) -> None:
    nobody = {"user": "mallory", "hash": hash_password("x y z")}

    refused = rig.operate("set", settled, spec=CHANGED, former=IN_FORCE, userpasswd=nobody)

    assert refused.code == 74
    assert as_it_was(rig, settled)


@pytest.mark.parametrize(
    ("step", "moment"), [("apply", "began"), ("apply", "ended"), ("write-conf", "ended")]
)
def test_a_runner_that_is_killed_meanwhile_leaves_what_was_in_force(
    rig: Rig, settled: int, step: str, moment: str
) -> None:
    number = run_dying(rig, "set", settled, step, moment, spec=CHANGED, former=IN_FORCE)
    rig.zygote.recover(number)
    ended = rig.finish(number)

    assert ended.end["progress"] == "interrupted", ended.log
    assert "put-back-settings" in ended.steps
    assert as_it_was(rig, settled)


def addresses(rig: Rig, ctid: int) -> set[str]:
    said = rig.inside(ctid, "ip", "-4", "-o", "addr", "show", "dev", "eth0")
    return {line.split()[3].removesuffix("/32") for line in said.splitlines()}


MINE = '# of OpenVZ\nVETH_IP_ADDRESS="192.0.2.7"  # mine\nBOOTORDER=7\n'


def test_lines_of_others_in_ve_conf_outlive_every_operation(rig: Rig, ctid: int) -> None:
    """And it is found where OpenVZ has it, as long as the container is there."""
    conf, openvz = rig.paths(ctid).ve_conf, rig.conf.openvz / "conf"
    openvz.parent.mkdir(exist_ok=True)
    (rig.conf.openvz / "vz.conf").symlink_to(rig.conf.vz_conf)
    openvz.mkdir()
    theirs = openvz / f"{ctid + 1}.conf"
    theirs.write_text("somebody else's\n")
    try:
        conf.write_text(MINE + conf.read_text())
        assert rig.operate("start", ctid).code == 0
        assert (openvz / f"{ctid}.conf").samefile(conf)
        steps: tuple[tuple[str, dict[str, Any]], ...] = (
            ("set", {"spec": {"hostname": "now", "nameservers": ["192.0.2.53"]}, "former": {}}),
            ("set", {"spec": {"hostname": "now"}, "former": {"nameservers": ["192.0.2.53"]}}),
            ("restart", {}),
            ("reinstall", {"template": "busybox", "skipbackup": True}),
            ("stop", {}),
            ("mount", {}),
        )
        for plan, params in steps:
            done = rig.operate(plan, ctid, **params)
            assert done.code == 0, done.log
            assert "".join(conf.read_text().partition("# of OpenVZ")[1:]).startswith(MINE), plan
        assert conf.read_text().count('NAMESERVER=""\n') == 1
        assert rig.operate("umount", ctid).code == 0
        assert rig.operate("destroy", ctid).code == 0
        assert [*openvz.iterdir()] == [theirs]
    finally:
        shutil.rmtree(rig.conf.openvz)


def test_the_load_of_a_container_is_its_own_tasks(rig: Rig, running: int) -> None:
    groups = observed.cgroup_paths(rig.paths(running))

    def averages() -> list[float]:
        return load.averages(groups, [0.5, 0.5, 0.5], 60) or []

    rig.wait_for(lambda: averages()[0] < 0.2, "what it began at its start to rest")
    busy = "(while :; do :; done) & (while :; do :; done) & echo busy"
    assert rig.inside(running, "sh", "-c", busy) == "busy\n"
    rig.wait_for(lambda: averages()[0] > 1.4 and averages()[2] < 0.7, "two tasks to be counted")
