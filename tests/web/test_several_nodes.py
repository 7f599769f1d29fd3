"""A panel with more than one web process or node, in places of their own."""

import shutil
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from pytest_django import Settings

from containers.models import Address, Container, Node
from containers.node.conf import NodeConf
from containers.node.errors import BadValue, Problem
from tests.web.house import House, collected
from tests.web.typist import Typist


@pytest.fixture
def beta(alpha: Node) -> Node:
    Node.objects.filter(pk=alpha.pk).update(pool="10.99.0.0/24")
    alpha.refresh_from_db()
    return Node.objects.create(name="beta", pool="10.98.0.0/24", runtime="dry-run")


@pytest.fixture
def ct201(beta: Node) -> Container:
    return Container.objects.create(ctid=201, node=beta, hostname="web2", state="stopped")


def test_an_address_of_another_nodes_pool_is_refused(ct201: Container) -> None:
    with pytest.raises(BadValue) as refused:
        ct201.change(add=["10.99.0.7"])
    assert (refused.value.problem, refused.value.code) == (Problem.ADDRESS_OF_OTHER_POOL, 78)
    assert "of the pool of the node alpha" in f"{refused.value}"
    ct201.change(add=["203.0.113.7", "10.98.0.7"])
    assert not ct201.addresses  # asked for only


def test_one_that_somebody_else_has_all_the_same_is_passed_over(
    beta: Node, ct101: Container, ct201: Container
) -> None:
    Address.give_any(ct101.node, ct101.pk, 101)
    [first] = ct101.address_set.all()
    text = first.address
    first.delete()
    Address.objects.create(container=ct201, address=text)
    Address.give_any(ct101.node, ct101.pk, 101)
    assert ct101.address_set.get().address != text


def test_paths_are_told_of_the_containers_that_are_here(
    ct101: Container, ct201: Container, run: Typist, settings: Settings, node_conf: NodeConf
) -> None:
    settings.NODE = node_conf
    for which in ("private", "root"):
        _, out, _ = run(f"list -a -H -o ctid,{which}")
        lines = [line.split() for line in out.splitlines()]
        assert lines[0] == ["101", f"{node_conf.vz}/{which}/101"]
        assert lines[1] in (["201"], ["201", "-"])


@pytest.fixture
def houses(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[House]]:
    """Two of them with one database, one Redis and one site."""
    static = collected(tmp_path_factory.mktemp("static"))
    first, second = House(tmp_path / "a"), House(tmp_path / "elsewhere" / "b")
    common = {"PANEL_SITE": "hosting", "PANEL_STATIC_ROOT": static}
    try:
        first.env |= common
        first.furnish()
        shutil.copy(tmp_path / "a" / "web" / "secret.key", tmp_path / "key")
        (second.conf.state / "web" / "panel.sqlite3").symlink_to(
            first.conf.state / "web" / "panel.sqlite3"
        )
        second.env |= common | {
            "PANEL_SECRET_KEY_FILE": f"{tmp_path / 'key'}",
            "PANEL_REDIS_URL": f"unix://{first.conf.run}/redis.sock",
        }
        (second.conf.state / "web" / "secret.key").write_text("another")
        yield [first, second]
    finally:
        first.close()
        second.close()


@pytest.mark.redis
@pytest.mark.timeout(180)
def test_who_has_signed_in_at_one_web_process_has_at_the_other(houses: list[House]) -> None:
    first, second = houses
    for house in (first, second):
        _, port = house.web()
        line = HTTPConnection("127.0.0.1", port, timeout=60)
        line.request("GET", "/containers/", headers={"Cookie": first.cookie})
        assert line.getresponse().status == 200
        line.close()
