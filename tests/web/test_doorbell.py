"""The doorbell: who is at home hears it without a detour."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from containers import doorbell
from containers.node.conf import NodeConf


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The channels that were rung over the layer."""
    channels: list[str] = []

    class Layer:
        async def send(self, channel: str, message: dict[str, str]) -> None:
            channels.append(channel)

    monkeypatch.setattr(doorbell, "get_channel_layer", Layer)
    return channels


@pytest.fixture
def conf(settings: Settings, tmp_path: Path) -> Iterator[NodeConf]:
    settings.NODE = NodeConf(name="alpha", state=tmp_path, vz=tmp_path, etc=tmp_path)
    settings.NODE.doorbell.parent.mkdir(parents=True)
    yield settings.NODE
    shutil.rmtree(settings.NODE.run)


def test_a_worker_on_this_machine_is_rung_itself(conf: NodeConf, sent: list[str]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.bind(f"{conf.doorbell}")
        bell.settimeout(5)
        doorbell.ring_node("alpha")
        assert bell.recv(64) == b"kick"
    conf.doorbell.unlink()
    assert sent == []


def test_any_other_is_rung_over_the_channel_layer(conf: NodeConf, sent: list[str]) -> None:
    doorbell.ring_node("beta")
    doorbell.ring_node("alpha")  # nobody listens there just now
    assert sent == ["node.beta", "node.alpha"]
