"""People and places: alice is staff, bob and carol are customers; node alpha, CT 101 is bob's."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from channels.layers import channel_layers
from django.contrib.auth.models import User
from django.test import Client

from containers.commands import pctl
from containers.models import Container, Node, Operation, Template
from containers.node.conf import NodeConf
from containers.node.states import State
from containers.worker import Worker
from containers.worker.runners import Runners
from tests import groups
from tests.web.scribe import Scribe
from tests.web.sockets import Browser
from tests.web.typist import Typist, typist


@pytest.fixture(autouse=True)
def fresh_channel_layers() -> Iterator[None]:
    """The in-memory layer is the process's: its members would be the next test's."""
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password="alice's own", is_staff=True)


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", password="bob's own")


@pytest.fixture
def carol(db: None) -> User:
    return User.objects.create_user("carol", password="carol's own")


@pytest.fixture
def alpha(db: None) -> Node:
    return Node.objects.create(name="alpha", runtime="dry-run", storage="directory")


@pytest.fixture
def busybox(alpha: Node) -> Template:
    return Template.objects.create(
        node=alpha,
        name="busybox",
        version=1,
        init="busybox",
        created="2026-01-02T03:04:05Z",
        offered=True,
    )


@pytest.fixture
def ct101(alpha: Node, busybox: Template, bob: User) -> Container:
    return Container.objects.create(
        ctid=101, node=alpha, template=busybox, owner=bob, hostname="web1", state=State.STOPPED
    )


@pytest.fixture
def operation(ct101: Container, bob: User) -> Operation:
    """A start of CT 101 that nobody has claimed yet."""
    return ct101.request("start", by=bob)


@pytest.fixture
def as_alice(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def as_bob(bob: User) -> Client:
    return signed_in(bob)


@pytest.fixture
def as_carol(carol: User) -> Client:
    return signed_in(carol)


def signed_in(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def node_conf(tmp_path: Path) -> Iterator[NodeConf]:
    """Node alpha's places, below a path short enough for sockets."""
    conf = NodeConf(
        name="alpha",
        state=tmp_path,
        vz=tmp_path / "vz",
        etc=tmp_path / "etc",
        openvz=tmp_path / "openvz",
    )
    conf.run.mkdir(parents=True)
    yield conf
    groups.take_away(conf)
    shutil.rmtree(conf.run)


@pytest.fixture
def scribe(node_conf: NodeConf) -> Iterator[Scribe]:
    scribe = Scribe(node_conf)
    yield scribe
    scribe.bury()


@pytest.fixture
def worker(node_conf: NodeConf, alpha: Node, scribe: Scribe) -> Worker:
    """Turned by hand, a turn at a time, with a scribe in the place of runners."""
    return Worker(node_conf, alpha, runners=Runners(node_conf, start=lambda conf: scribe))


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Typist:
    """Types a line of pctl's."""
    return typist(pctl.main, capfd)


@pytest.fixture
async def browse() -> AsyncIterator[Callable[..., Awaitable[Browser]]]:
    """Opens a websocket as a client's browser would: await browse(as_bob, path)."""
    browsers: list[Browser] = []

    async def browse(client: Client, path: str, **options: Any) -> Browser:
        browsers.append(Browser(client, path, **options))
        assert (await browsers[-1].connect())[0]
        return browsers[-1]

    yield browse
    for browser in browsers:
        await browser.disconnect()
