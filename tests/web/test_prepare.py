"""What make run does before anything runs: prepare, and a demo on a panel that is empty."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers.node import veconf
from tests.web.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "state", bare=True)
    yield house
    house.close()


def test_a_plan_changes_nothing(house: House) -> None:
    said = house.manage("prepare", "--plan")
    assert "make the secret key" in said
    assert not house.conf.state.exists()


def test_a_second_time_there_is_nothing_left_to_do(house: House) -> None:
    assert "record the node alpha" in house.manage("prepare")
    assert house.manage("prepare") == ""


def test_secrets_are_for_nobody_else(house: House) -> None:
    house.manage("prepare")
    web = house.conf.state / "web"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [web, *web.iterdir()]}
    assert modes == {"web": 0o700, "secret.key": 0o600, "panel.sqlite3": 0o600}


def test_what_was_edited_in_vz_conf_stays(house: House) -> None:
    house.conf.etc.mkdir(parents=True)
    house.conf.vz_conf.write_text("# mine\nSTOP_TIMEOUT=30 # quick\nIPV6=no")
    house.manage("prepare")
    text = house.conf.vz_conf.read_text()
    assert text.startswith("# mine\nSTOP_TIMEOUT=30 # quick\nIPV6=no\n")
    values = veconf.read(house.conf.vz_conf)
    assert values["STOP_TIMEOUT"] == "30"
    assert values["VE_ROOT"] == f"{house.conf.vz}/root/$VEID"


def test_a_demo_is_made_once_and_its_passwords_work(house: House) -> None:
    house.manage("prepare")
    said = house.manage("demo")
    words = dict(line.split() for line in said.splitlines() if line.startswith("    "))
    assert set(words) == {"admin", "customer"}
    house.ask(f"""
from django.contrib.auth.models import User
from containers.models import Container, Operation
for name, password in {words!r}.items():
    assert User.objects.get(username=name).check_password(password)
ct = Container.objects.get(ctid=101)
assert ct.owner.username == "customer"
assert not ct.owner.is_staff
assert {{s.name for s in ct.scripts.all()}} == {{"mount", "start", "stop", "umount"}}
assert {{s.name for s in ct.node.scripts.all()}} == {{"mount", "umount"}}
assert Operation.objects.filter(kind="create", state="queued").count() == 2
""")
    assert "No demo" in house.manage("demo")


def test_there_is_no_demo_where_somebody_has_containers(house: House) -> None:
    house.manage("prepare")
    (house.conf.vz / "private" / "7").mkdir(parents=True)
    assert "No demo" in house.manage("demo")
    house.ask("from django.contrib.auth.models import User\nassert not User.objects.exists()")
