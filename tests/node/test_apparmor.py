"""The AppArmor profile: loaded where the kernel has AppArmor, and then only."""

from collections.abc import Callable
from pathlib import Path

import pytest

from containers.node import apparmor
from containers.node.conf import NodeConf

Loaded = Callable[..., Path]


@pytest.fixture
def alpha(tmp_path: Path) -> NodeConf:
    conf = NodeConf("alpha", tmp_path, tmp_path / "vz", tmp_path / "etc")
    conf.etc.mkdir()
    return conf


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """A kernel's list of profiles."""

    def loaded(*names: str) -> Path:
        path = tmp_path / "profiles"
        path.write_text("".join(f"{name} (enforce)\n" for name in ("man_filter", *names)))
        return path

    return loaded


@pytest.fixture
def parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for AppArmor's: writes down what it is told."""
    program, said = tmp_path / "bin" / apparmor.PARSER, tmp_path / "told"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >>{said}\ncat >>{said}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return said


def test_it_is_loaded_once(alpha: NodeConf, loaded: Loaded, parser: Path) -> None:
    assert apparmor.profile(alpha, loaded()) == ""
    said = apparmor.prepare(alpha, loaded())
    assert said == [f"the AppArmor profile {apparmor.name(alpha)} for containers"]
    assert parser.read_text() == f"--replace --skip-cache\n{apparmor.text(alpha)}"
    there = loaded(apparmor.name(alpha))
    assert apparmor.prepare(alpha, there) == []
    assert apparmor.profile(alpha, there) == apparmor.name(alpha)


def test_without_apparmor_there_is_nothing_to_do(alpha: NodeConf, parser: Path) -> None:
    nowhere = alpha.state / "absent"
    assert apparmor.plan(alpha, nowhere) == apparmor.remove(alpha, nowhere) == []
    assert apparmor.profile(alpha, nowhere) == ""


def test_vz_conf_can_do_without_it(alpha: NodeConf, loaded: Loaded, parser: Path) -> None:
    alpha.vz_conf.write_text('APPARMOR="no"\n')
    there = loaded(apparmor.name(alpha))
    assert apparmor.profile(alpha, there) == ""
    assert apparmor.plan(alpha, loaded()) == []


def test_profiles_of_older_rules_are_removed_too_and_others_are_left(
    alpha: NodeConf, loaded: Loaded, parser: Path
) -> None:
    old = f"{apparmor.prefix(alpha)}01234567"
    assert len(apparmor.remove(alpha, loaded(old, apparmor.name(alpha), "panel_other_1"))) == 2
    told = parser.read_text()
    assert f"profile {old} {{ }}" in told
    assert "panel_other" not in told
    assert "man_filter" not in told
