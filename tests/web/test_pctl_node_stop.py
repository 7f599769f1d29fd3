"""pctl node stop and start, by rows: which containers, in which way, what else is under way."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from containers.commands import pctl
from containers.models import Container, Node, Template, Via
from containers.node.conf import NodeConf
from containers.node.states import Progress, State
from containers.worker.startup import to_start

pytestmark = pytest.mark.django_db(transaction=True)
Say = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def node(node_conf: NodeConf, alpha: Node, settings: Settings) -> Node:
    settings.NODE = node_conf
    node_conf.etc.mkdir(exist_ok=True)
    return alpha


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Say:
    """What pctl node answers, in JSON."""

    def say(*words: str, code: int = 0) -> dict[str, Any]:
        capfd.readouterr()
        assert pctl.main(["node", *words, "--json"]) == code
        return dict(json.loads(capfd.readouterr().out))

    return say


def made(node: Node, template: Template, ctid: int, **values: Any) -> Container:
    return Container.objects.create(
        ctid=ctid, node=node, template=template, hostname=f"ct{ctid}", **values
    )


def test_running_ones_stop_mounted_ones_are_dismounted_stopped_ones_are_not_named(
    node: Node, busybox: Template, ct101: Container, say: Say
) -> None:
    made(node, busybox, 102, state=State.RUNNING)
    made(node, busybox, 103, state=State.MOUNTED)
    made(node, busybox, 104, state=State.RUNNING, autostop="suspend")
    said = say("stop")
    assert {each["ctid"]: each["ended"] for each in said["containers"]} == {
        102: "stopped", 103: "dismounted", 104: "suspended",
    }  # fmt: skip
    assert [c.state for c in Container.objects.order_by("ctid")] == [
        State.STOPPED, State.STOPPED, State.STOPPED, State.SUSPENDED,
    ]  # fmt: skip
    assert ct101.operations.count() == 0


def test_the_node_suspends_all_but_those_that_say_stop(
    node: Node, node_conf: NodeConf, busybox: Template, say: Say
) -> None:
    node_conf.vz_conf.write_text('VE_STOP_MODE="suspend"\n')
    made(node, busybox, 102, state=State.RUNNING)
    made(node, busybox, 103, state=State.RUNNING, autostop="stop")
    ends = {each["ctid"]: each["ended"] for each in say("stop")["containers"]}
    assert ends == {102: "suspended", 103: "stopped"}


def test_what_is_queued_is_cancelled_and_what_had_not_started_yet_does_not(
    node: Node, busybox: Template, say: Say
) -> None:
    node.note(onboot=[102])
    container = made(node, busybox, 102, state=State.RUNNING)
    queued = container.request("restart")
    assert say("stop")["containers"][0]["ended"] == "stopped"
    queued.refresh_from_db()
    assert queued.state == Progress.CANCELLED
    node.refresh_from_db()
    assert node.facts["onboot"] == []


def test_none_is_running(say: Say) -> None:
    assert say("stop") == {"code": 0, "containers": []}


def test_only_those_that_are_to_start_do_and_what_the_shutdown_suspended_goes_on(
    node: Node, busybox: Template, say: Say
) -> None:
    made(node, busybox, 102, state=State.STOPPED, onboot=True)
    made(node, busybox, 103, state=State.STOPPED)
    made(node, busybox, 104, state=State.STOPPED, onboot=True, disabled=True)
    made(node, busybox, 105, state=State.RUNNING, autostop="suspend")
    by_hand = made(node, busybox, 106, state=State.SUSPENDED)
    by_hand.operations.create(node=node, ctid=106, kind="suspend", state=Progress.SUCCEEDED)
    say("stop")
    assert to_start(node) == [102, 105]
    started = {each["ctid"]: each["kind"] for each in say("start")["containers"]}
    assert started == {102: "start", 105: "resume"}
    assert {o.via for o in Container.objects.get(ctid=105).operations.all()} == {
        Via.SHUTDOWN, Via.BOOT,
    }  # fmt: skip


def test_a_start_may_be_left_to_the_worker(
    node: Node, busybox: Template, capfd: pytest.CaptureFixture[str]
) -> None:
    made(node, busybox, 102, state=State.STOPPED, onboot=True)
    assert pctl.main(["node", "start", "--no-wait"]) == 0
    node.refresh_from_db()
    assert node.facts["onboot"] == [102]
    assert "The worker of node alpha starts its containers." in capfd.readouterr().err
