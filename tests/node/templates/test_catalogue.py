"""Templates and their versions, as they are found on disk."""

from pathlib import Path

import pytest

from containers.node.conf import NodeConf
from containers.node.errors import BadValue, Code, OperationError, Refused
from containers.node.storage import load
from containers.node.templates import catalogue
from containers.node.templates.catalogue import Build, Facts, Template

FACTS = Facts(distribution="Debian GNU/Linux 12", init="systemd", arch="x86_64", base=200000,
              size=1 << 20, files=100)  # fmt: skip
STORAGE = load("directory")


@pytest.fixture
def conf(tmp_path: Path) -> NodeConf:
    conf = NodeConf(name="alpha", state=tmp_path, vz=tmp_path / "vz", etc=tmp_path / "etc")
    conf.templates.mkdir(parents=True)
    return conf


def published(conf: NodeConf, name: str, key: str = "1") -> Template:
    build = Build(conf, name, key)
    catalogue.begin(build, STORAGE)
    (build.fs / "etc").mkdir()
    return catalogue.publish(build, STORAGE, FACTS)


def test_a_name_alone_is_its_newest_version(conf: NodeConf) -> None:
    names = [f"{published(conf, 'debian-12')}" for _ in range(11)]
    assert names[0] == "debian-12@1"
    assert f"{catalogue.find(conf, 'debian-12')}" == "debian-12@11"
    assert catalogue.find(conf, "debian-12@2").facts.distribution == "Debian GNU/Linux 12"
    assert (catalogue.find(conf, "debian-12@2").fs / "etc").is_dir()


def test_a_template_that_is_not_there_is_vzctls_91(conf: NodeConf) -> None:
    published(conf, "busybox")
    for wanted in ("debian-12", "busybox@2", "busybox@", "../busybox"):
        with pytest.raises(OperationError, match="There is no template") as caught:
            catalogue.find(conf, wanted)
        assert caught.value.code == Code.NO_TEMPLATE


@pytest.mark.parametrize("name", ["", "..", "a/b", "a@1", "a b", ".hidden", "x" * 65, "a\n"])
def test_a_name_that_could_lead_elsewhere_is_refused(conf: NodeConf, name: str) -> None:
    with pytest.raises(BadValue, match="can't be the name of a template"):
        Build(conf, name, "1")


def test_a_build_is_not_seen_until_it_is_published_and_leaves_nothing_when_discarded(
    conf: NodeConf,
) -> None:
    build = Build(conf, "debian-12", "7")
    catalogue.begin(build, STORAGE)
    (build.fs / "half").write_text("done")
    assert catalogue.listed(conf) == []
    catalogue.discard(build, STORAGE)
    catalogue.discard(build, STORAGE)
    assert list(conf.templates.iterdir()) == []


def test_a_build_that_died_is_begun_anew(conf: NodeConf) -> None:
    build = Build(conf, "debian-12", "7")
    catalogue.begin(build, STORAGE)
    (build.fs / "half").write_text("done")
    catalogue.begin(build, STORAGE)
    assert list(build.fs.iterdir()) == []


def test_two_builds_of_one_name_at_once_become_two_versions(conf: NodeConf) -> None:
    builds = [Build(conf, "debian-12", key) for key in "ab"]
    for build in builds:
        catalogue.begin(build, STORAGE)
    made = [catalogue.publish(build, STORAGE, FACTS).version for build in builds]
    assert made == [1, 2]


def test_a_template_that_containers_were_made_from_stays(conf: NodeConf) -> None:
    old, new = published(conf, "debian-12"), published(conf, "debian-12")
    with pytest.raises(Refused, match="debian-12@1 can't be removed"):
        catalogue.remove(conf, STORAGE, old, {"debian-12@1"})
    catalogue.remove(conf, STORAGE, new, {"debian-12@1"})
    assert [f"{template}" for template in catalogue.listed(conf)] == ["debian-12@1"]


def test_a_damaged_template_is_not_offered(conf: NodeConf) -> None:
    published(conf, "a")
    for number, text in enumerate(("", "{", '{"v": 2}', '{"v": 1}', "[]"), 2):
        (conf.templates / f"a@{number}" / "fs").mkdir(parents=True)
        (conf.templates / f"a@{number}" / "template.json").write_text(text)
    assert [template.version for template in catalogue.listed(conf)] == [1]
