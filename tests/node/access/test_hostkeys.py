"""Host keys made ahead: nobody waits for them, and no two containers ever have the same."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from containers.node.access import hostkeys
from containers.node.access.hostkeys import QUICK, STOCK, fill, take, whole
from containers.node.conf import NodeConf


@pytest.fixture
def conf(tmp_path: Path) -> NodeConf:
    conf = NodeConf("alpha", tmp_path, tmp_path / "vz", tmp_path / "etc", tmp_path / "run")
    conf.run.mkdir(parents=True)
    return conf


@pytest.fixture
def filled(conf: NodeConf) -> NodeConf:
    fill(conf)
    return conf


def privates(conf: NodeConf) -> set[bytes]:
    return {path.read_bytes() for path in hostkeys.stock(conf).glob("*/*_key")}


def test_a_lot_is_used_once_and_what_was_used_is_made_up_for(filled: NodeConf) -> None:
    ahead = privates(filled)
    assert len(ahead) == STOCK * len(QUICK)
    used = [key.private for _ in range(2) for key in take(filled, QUICK)]
    assert len(set(used)) == 4
    assert set(used) <= ahead
    assert privates(filled) == ahead - set(used)
    assert hostkeys.short(filled)
    fill(filled)
    assert not hostkeys.short(filled)
    assert not privates(filled) & set(used)


def test_nobody_but_root_reaches_them(filled: NodeConf) -> None:
    assert stat.S_IMODE(hostkeys.stock(filled).stat().st_mode) == 0o700


def test_a_private_key_belongs_to_its_public_one_that_names_the_container(
    filled: NodeConf, tmp_path: Path
) -> None:
    for key in take(filled, QUICK, "root@web"):
        file = tmp_path / key.name
        file.write_bytes(key.private)
        file.chmod(0o600)
        derived = subprocess.run(
            ["ssh-keygen", "-y", "-f", file], check=True, capture_output=True
        ).stdout
        assert key.public.split()[:2] == derived.split()[:2]
        assert key.public.endswith(b" root@web\n")


def test_those_who_take_at_once_get_keys_of_their_own(filled: NodeConf) -> None:
    """More of them than there are lots: the others have theirs made."""
    reader, writer = os.pipe()
    children = []
    for _ in range(STOCK + 2):
        if not (child := os.fork()):
            try:
                os.write(writer, b"%b\n" % take(filled, QUICK)[0].public.split()[1])
            finally:
                os._exit(0)
        children.append(child)
    os.close(writer)
    with open(reader, "rb") as answers:
        keys = answers.read().split()
    for child in children:
        os.waitpid(child, 0)
    assert len(set(keys)) == len(keys) == STOCK + 2
    assert whole(filled) == []


def test_what_somebody_took_who_died_is_used_by_nobody_and_goes(
    filled: NodeConf, monkeypatch: pytest.MonkeyPatch
) -> None:
    lot = whole(filled)[0]
    lot.rename(lot.with_name(f".taken-{lot.name}"))
    (hostkeys.stock(filled) / ".new-half").mkdir()
    lost = {path.read_bytes() for path in hostkeys.stock(filled).glob(".taken-*/*_key")}
    used = {key.private for _ in range(STOCK) for key in take(filled, QUICK)}
    assert len(lost) == 2
    assert not lost & used
    fill(filled)  # whoever took it may live still
    assert lost <= privates(filled)
    monkeypatch.setattr(hostkeys, "STALE", -1.0)
    fill(filled)
    assert len(list(hostkeys.stock(filled).iterdir())) == STOCK
    assert not lost & privates(filled)


def test_an_rsa_key_is_made_on_the_spot_and_the_stock_left_alone(filled: NodeConf) -> None:
    assert [key.kind for key in take(filled, [*QUICK, "rsa"])] == [*QUICK, "rsa"]
    assert len(whole(filled)) == STOCK


def test_without_a_stock_they_are_made_on_the_spot(conf: NodeConf) -> None:
    assert [key.kind for key in take(conf, QUICK)] == list(QUICK)


def test_where_none_can_be_made_nothing_is_left_behind(
    conf: NodeConf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{conf.run}")
    fill(conf)
    assert list(hostkeys.stock(conf).iterdir()) == []
    shutil.rmtree(conf.run)
    fill(conf)
    assert not conf.run.exists()
