"""What a worker sees by itself: inits that end, monitors that are lost, a node that booted."""

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from containers.models import AuditEvent, Container, Node, Operation, Template
from containers.models.outcome import sentences
from containers.node import observed
from containers.node.access import hostkeys
from containers.node.conf import NodeConf
from containers.node.death import Death
from containers.node.layout import Layout
from containers.node.spool import Spool
from containers.node.states import Progress, State
from containers.worker import Worker, startup, templates
from containers.worker.periodic import Periodic
from tests.web.scribe import Scribe

pytestmark = pytest.mark.django_db(transaction=True)


class Body:
    """What lies around on a node of a container that runs: an init, and what the runtime noted."""

    def __init__(self, paths: Layout) -> None:
        self.paths = paths
        self.init = subprocess.Popen(["/bin/sleep", "600"])
        place = paths.runc_root / f"{paths.ctid}"
        place.mkdir(parents=True)
        record = {"init_process_pid": self.init.pid,
                  "init_process_start": observed.started(self.init.pid)}  # fmt: skip
        (place / "state.json").write_text(json.dumps(record))
        paths.fs.mkdir(parents=True)
        paths.monitor.mkdir(parents=True)

    def end(self, **how: object) -> None:
        self.init.kill()
        self.init.wait()
        if how:
            with self.paths.monitor.joinpath("events").open("a") as events:
                events.write(json.dumps({"ev": "gone", **how}) + "\n")


@pytest.fixture
def alpha(alpha: Node) -> Node:
    """One that has real containers, as far as a worker can tell."""
    Node.objects.update(runtime="runc", boot_id=observed.boot_id())
    alpha.refresh_from_db()
    return alpha


@pytest.fixture
def running(node_conf: NodeConf, ct101: Container) -> Iterator[Body]:
    Container.objects.update(state=State.RUNNING)
    body = Body(Layout(node_conf, 101))
    yield body
    body.end()


@pytest.fixture
def periodic(worker: Worker) -> Periodic:
    return worker.periodic


def kinds() -> list[str]:
    return list(Operation.objects.order_by("pk").values_list("kind", flat=True))


def test_a_container_that_runs_is_left_alone(
    periodic: Periodic, running: Body, scribe: Scribe
) -> None:
    with Spool(running.paths.monitor).hold():
        periodic.look(100.0)
    assert (kinds(), scribe.asked) == ([], [])


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ({"code": None, "signal": 1}, "rebooted"),
        ({"code": None, "signal": 2}, "halted"),
        ({"code": 0, "signal": None}, "halted"),
        ({"code": None, "signal": None}, "halted"),  # nobody can tell
        ({}, "halted"),
        ({"code": None, "signal": 9, "lived": 7200.0, "oom": True}, "died"),
        ({"code": 3, "signal": None, "lived": 7200.0}, "died"),
        ({"code": 0, "signal": None, "lived": 1.0}, "died"),
    ],
)
def test_an_init_that_ended_by_itself_is_an_operation_by_the_container(
    periodic: Periodic, running: Body, how: dict[str, int | None], kind: str
) -> None:
    running.end(**how)
    periodic.look(100.0)
    periodic.look(200.0)
    assert kinds() == [kind]
    assert Operation.objects.get().via == "container"


def test_why_it_ended_by_itself_is_told_in_red_in_its_history_and_in_the_audit_log(
    periodic: Periodic, running: Body, ct101: Container, as_alice: Client, as_bob: Client
) -> None:
    running.end(code=None, signal=9, t=time.time(), lived=11100.0, oom=True, last=["eating"])
    periodic.look(100.0)
    operation = Operation.objects.get()
    death = Death.of(operation.params["death"])
    operation.end(Progress.FAILED, code=3, state=State.STOPPED, **death.error().record)

    why = "killed for want of memory 3 h 5 min after it was started"
    for address in ("container", "requests"):
        page = as_alice.get(reverse(address, args=[101])).content.decode()
        assert why in page
        assert "state-failed" in page
    listed = as_bob.get(reverse("containers")).content.decode()
    assert f'<a class="state state-failed" href="{operation.get_absolute_url()}">It ended' in listed
    assert "It ended by itself:" in as_bob.get(reverse("container", args=[101])).content.decode()
    assert "Unexpected end of web1" in as_bob.get(operation.get_absolute_url()).content.decode()
    [event] = AuditEvent.objects.all()
    assert (event.what, event.via, event.ctid) == ("CT 101 ended by itself", "container", 101)
    assert why in event.details["why"]


def started(container: Container) -> Operation:
    """An operation that has begun ten seconds ago, and ended nine ago."""
    operation = container.request("start")
    Operation.objects.update(started=now() - timedelta(seconds=10))
    operation.end(Progress.SUCCEEDED, code=0, state=State.RUNNING, at=now() - timedelta(seconds=9))
    return operation


@pytest.mark.parametrize(
    ("how", "lived", "state", "after"),
    [
        ({"code": 3, "signal": None}, 1.5, Progress.FAILED, "died"),
        ({"code": None, "signal": 9}, 4.9, Progress.FAILED, "died"),
        ({"code": 3, "signal": None}, 5.1, Progress.SUCCEEDED, "died"),
        ({"code": None, "signal": 2}, 1.5, Progress.SUCCEEDED, "halted"),  # it asked for that
    ],
)
def test_a_start_whose_init_died_in_its_first_seconds_is_told_as_failed_after_all(
    periodic: Periodic,
    running: Body,
    ct101: Container,
    how: dict[str, int | None],
    lived: float,
    state: Progress,
    after: str,
) -> None:
    operation = started(ct101)
    at = time.time() - 9.5 + lived
    running.end(**how, t=at, lived=lived, oom=False, last=["no such thing"])
    periodic.look(100.0)
    operation.refresh_from_db()
    assert operation.state == state
    assert kinds() == ["start", after]
    if state is Progress.FAILED:
        assert (operation.code, operation.problem) == (7, "init-died")
        assert "no such thing" in operation.why
        assert sentences(operation, staff=False)[0].endswith("no such thing.")


def test_only_the_operation_that_started_it_is_corrected(
    periodic: Periodic, running: Body, ct101: Container
) -> None:
    first = started(ct101)
    later = ct101.request("set")
    later.end(Progress.SUCCEEDED, code=0, state=State.RUNNING)
    running.end(code=1, signal=None, t=time.time() - 8.5, lived=1, oom=False, last=[])
    periodic.look(100.0)
    first.refresh_from_db()
    later.refresh_from_db()
    assert (first.state, later.state) == (Progress.FAILED, Progress.SUCCEEDED)


def test_an_init_that_an_operation_ends_is_that_operations_affair(
    periodic: Periodic, running: Body, ct101: Container
) -> None:
    ct101.request("stop")
    running.end(code=None, signal=9)
    periodic.look(100.0)
    assert kinds() == ["stop"]


def test_a_lost_monitor_is_replaced_while_the_container_runs(
    periodic: Periodic, running: Body, scribe: Scribe
) -> None:
    periodic.look(100.0)
    periodic.look(101.0)
    assert scribe.asked == [("adopt", 101)]
    assert kinds() == []


def test_after_a_reboot_states_are_those_of_the_machine(
    node_conf: NodeConf, alpha: Node, ct101: Container
) -> None:
    Container.objects.update(state=State.RUNNING)
    Layout(node_conf, 101).fs.mkdir(parents=True)
    Node.objects.update(boot_id="an earlier one")
    alpha.refresh_from_db()
    startup.look_at_containers(node_conf, alpha)
    ct101.refresh_from_db()
    assert ct101.state == State.STOPPED
    alpha.refresh_from_db()
    assert alpha.boot_id == observed.boot_id()


def test_without_a_reboot_a_container_that_halted_meanwhile_gets_its_scripts(
    periodic: Periodic, node_conf: NodeConf, alpha: Node, running: Body, ct101: Container
) -> None:
    running.end(code=0, signal=None)
    startup.look_at_containers(node_conf, alpha)
    periodic.look(100.0)
    assert kinds() == ["halted"]


def test_after_a_reboot_containers_start_a_few_at_a_time_and_a_slow_one_holds_up_nobody(
    periodic: Periodic, node_conf: NodeConf, alpha: Node, busybox: Template, ct101: Container
) -> None:
    for ctid in (101, 102, 103, 104, 105):
        Container.objects.update_or_create(
            ctid=ctid,
            defaults={"node": alpha, "onboot": ctid != 104, "disabled": ctid == 105},
        )
        Layout(node_conf, ctid).fs.mkdir(parents=True)
    Node.objects.update(boot_id="an earlier one")
    alpha.refresh_from_db()
    startup.look_at_containers(node_conf, alpha)
    periodic.start_after_boot()
    started = Operation.objects.filter(kind="start", via="boot").order_by("pk")
    assert [operation.ctid for operation in started] == [101, 102]
    periodic.start_after_boot()
    assert started.count() == 2
    Operation.objects.get(ctid=102).end(Progress.FAILED, code=79)
    periodic.start_after_boot()
    assert [operation.ctid for operation in started.all()] == [101, 102, 103]
    periodic.start_after_boot()
    alpha.refresh_from_db()
    assert alpha.facts["onboot"] == []


def test_after_a_reboot_a_suspended_container_is_resumed_and_one_that_cannot_stays_suspended(
    periodic: Periodic, node_conf: NodeConf, alpha: Node, ct101: Container
) -> None:
    Container.objects.update(onboot=True, state=State.SUSPENDED)
    paths = Layout(node_conf, 101)
    paths.fs.mkdir(parents=True)
    (paths.private / "dump").mkdir()
    Node.objects.update(boot_id="an earlier one")
    alpha.refresh_from_db()
    startup.look_at_containers(node_conf, alpha)
    periodic.start_after_boot()
    operation = Operation.objects.get()
    assert (operation.kind, operation.via) == ("resume", "boot")
    operation.end(Progress.FAILED, code=17, error="there is no CRIU", state=State.SUSPENDED)
    periodic.start_after_boot()
    ct101.refresh_from_db()
    assert (kinds(), ct101.state) == (["resume"], State.SUSPENDED)
    [failure] = ct101.unanswered_failures()
    assert failure.error == "there is no CRIU"


def test_nothing_starts_by_itself_when_the_node_is_new(
    periodic: Periodic, node_conf: NodeConf, alpha: Node, ct101: Container
) -> None:
    Container.objects.update(onboot=True)
    Node.objects.update(boot_id="")
    alpha.refresh_from_db()
    startup.look_at_containers(node_conf, alpha)
    periodic.start_after_boot()
    assert kinds() == []


def test_the_rows_of_templates_follow_what_lies_on_the_disk(
    node_conf: NodeConf, alpha: Node, busybox: Template
) -> None:
    new = node_conf.templates / "debian-12@3"
    (new / "fs").mkdir(parents=True)
    facts = {"distribution": "Debian 12", "init": "systemd", "arch": "x86_64", "base": 200000}
    more = {"v": 1, "size": 4096, "files": 7, "created": "2026-01-01T00:00:00+00:00"}
    (new / "template.json").write_text(json.dumps(facts | more))
    templates.sync(node_conf, alpha)
    rows = {f"{t}": t.removed for t in alpha.templates.all()}
    assert rows == {"debian-12@3": False, "busybox@1": True}


def test_spools_of_ended_operations_are_cleared_away(
    node_conf: NodeConf, alpha: Node, ct101: Container, operation: Operation
) -> None:
    operation.end(Progress.SUCCEEDED)
    (node_conf.spool / f"{operation.pk}").mkdir(parents=True)
    (node_conf.spool / "ct-101").mkdir()
    startup.clear_spools(node_conf, alpha)
    assert [path.name for path in node_conf.spool.iterdir()] == ["ct-101"]


def test_host_keys_are_made_ahead_while_nothing_else_is_to_be_done(
    periodic: Periodic, node_conf: NodeConf, ct101: Container
) -> None:
    node_conf.run.mkdir(parents=True, exist_ok=True)
    holder = ct101.request("start")
    periodic.make_keys()
    assert not periodic.keys.is_alive()
    assert hostkeys.whole(node_conf) == []
    holder.cancel()
    periodic.make_keys()
    periodic.keys.join(60)
    assert len(hostkeys.whole(node_conf)) == hostkeys.STOCK
    periodic.keys = Thread()
    periodic.make_keys()
    assert periodic.keys.ident is None


def test_what_running_containers_use_is_measured_one_a_turn(
    periodic: Periodic, running: Body, ct101: Container
) -> None:
    group = running.paths.node.state / "cgroup"
    group.mkdir()
    (group / "pids.current").write_text("3\n")
    (group / "pids.max").write_text("256\n")
    state = running.paths.runc_root / "101" / "state.json"
    state.write_text(json.dumps({"cgroup_paths": {"pids": f"{group}"}}))
    periodic.next = 1000.0
    periodic.go(100.0)
    assert periodic.unmeasured == [ct101.pk]
    periodic.go(100.1)
    ct101.refresh_from_db()
    assert ct101.usage == {"pids": {"used": 3, "limit": 256}, "load": [0, 0, 0]}
    assert ct101.usage_at is not None
