"""A host name by one rule, whoever asks for it where: and nothing is saved of one that is none."""

from collections.abc import Callable
from shlex import quote

import pytest
from django.test import Client
from django.urls import reverse

from containers.commands import osctl
from containers.models import Container, Operation
from containers.node import checks
from containers.node.access import hostname
from containers.node.errors import BadValue
from tests.web.typist import Typist, typist

BAD = ("-a", "a-", "a..b", "a b", "a;b", "$(id)", "wéb", "a\nb", "a\u2028b", "a\x85b", "5", "web.1",
       "192.0.2.1", "x" * 64, "a.b" * 30, "²", "a/b", "../a", "9" * 5000)  # fmt: skip
GOOD = ("web-2.example", "a_b", "1and1", "x" * 63)
UUID = "11111111-2222-3333-4444-555555555555"
Ask = Callable[[str], bool]  # whether it was taken


@pytest.fixture
def run_osctl(capfd: pytest.CaptureFixture[str]) -> Typist:
    return typist(osctl.main, capfd)


@pytest.fixture
def ways(ct101: Container, as_alice: Client, as_bob: Client) -> dict[str, Ask]:
    """Wherever somebody may name a container."""
    template = ct101.template
    assert template
    ct101.snapshots.create(uuid=UUID, name="one", manifest="x")
    new = {"ctid": 102, "template": template.pk, "addressing": "pool", "access": "generate"}
    clone = reverse("cloning", args=[101, UUID])

    def posts(client: Client, path: str, **form: object) -> Ask:
        return lambda name: client.post(path, {**form, "hostname": name}).status_code in (302, 409)

    return {
        "settings": posts(as_alice, "/containers/101/settings/"),
        "its owner's settings": posts(as_bob, "/containers/101/settings/"),
        "a new container": posts(as_alice, "/containers/new/", **new),
        "a clone": posts(as_alice, clone, ctid=102),
    }


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_what_is_no_host_name_is_refused_everywhere(name: str, ways: dict[str, Ask]) -> None:
    for way, ask in ways.items():
        assert not ask(name), way
    assert not Operation.objects.exists()
    assert [each.hostname for each in Container.objects.all()] == ["web1"]


@pytest.mark.parametrize("name", BAD, ids=ascii)
@pytest.mark.parametrize(
    "line",
    [
        "set 101 --hostname {name} --save",
        "create 102 --ostemplate busybox --hostname {name}",
        "psc clone 101 one 102 --hostname {name}",
    ],
)
def test_at_a_terminal_too(
    name: str, line: str, ct101: Container, run: Typist, run_osctl: Typist
) -> None:
    ct101.snapshots.create(uuid=UUID, name="one", manifest="x")
    typed = run_osctl if line.startswith("psc") else run
    code, _, said = typed(line.format(name=quote(name)))
    assert code not in (0, 9)
    assert said
    assert not Operation.objects.exists()
    assert Container.objects.get().hostname == "web1"


@pytest.mark.parametrize("name", [*BAD, *GOOD, ""], ids=ascii)
def test_what_the_panel_takes_the_node_takes(name: str) -> None:
    def taken(check: Callable[[str], str]) -> bool:
        try:
            return check(name) == name
        except BadValue:
            return False

    assert taken(checks.hostname) is taken(hostname.check) is (name in GOOD)
