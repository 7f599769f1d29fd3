"""A container's root fills what it can of the disk that all containers share."""

import itertools
from collections.abc import Iterator

import pytest

from containers.node import kept
from containers.node.processes.run import call
from containers.node.states import State
from containers.node.storage import space
from containers.node.templates import catalogue
from tests.real.rig import Rig
from tests.real.snapshots import fresh, take

MIB = 1 << 20
LIMIT = 48  # MiB, of a disk
SPEC = {"diskspace": LIMIT}
LATER = "2099-02-01T00:00:00+00:00"
SLACK = 40 * MIB  # of metadata, and of the other container
CTIDS = itertools.count(101)


def made(rig: Rig) -> Iterator[int]:
    number = next(CTIDS)
    assert rig.operate("create", number, spec=SPEC).code == 0
    assert rig.operate("start", number, spec=SPEC).code == 0
    yield number
    rig.clear(number)


@pytest.fixture
def mallory(rig: Rig) -> Iterator[int]:
    """Whose root means harm."""
    yield from made(rig)


@pytest.fixture
def neighbour(rig: Rig) -> Iterator[int]:
    yield from made(rig)


@pytest.fixture
def full_pool(rig: Rig) -> Iterator[None]:
    """New things would have to leave all of it free."""
    rig.conf.vz_conf.write_text('POOL_RESERVE="100%"\n')
    yield
    rig.conf.vz_conf.unlink()


def write(rig: Rig, ctid: int, mebibytes: int) -> int:
    """What was new in a file becomes that anew. Returns dd's exit code."""
    argv = ["dd", "if=/dev/urandom", "of=/data", "bs=1M", f"count={mebibytes}"]
    return int(rig.operate("exec", ctid, command=argv).facts["exit"])


def taken(rig: Rig) -> int:
    """Bytes of the pool, all that was written so far among them."""
    call(["sync", "--file-system", f"{rig.conf.vz}"])
    found = space(rig.conf.vz)
    return found.size - found.free


def test_snapshots_that_grow_by_rewriting_take_no_more_than_they_may(
    rig: Rig, mallory: int, neighbour: int
) -> None:
    before = taken(rig)
    refused = None
    for _ in range(12):
        assert write(rig, mallory, LIMIT - 8) == 0
        taken(rig)  # so that all of it is counted
        outcome = rig.operate("snapshot", mallory, spec=SPEC, snapshot=fresh(), disk_only=True)
        if outcome.code:
            refused = outcome
            break
    assert refused is not None
    assert (refused.end["problem"], refused.code) == ("keeps-too-much", 46)
    details = refused.end["details"]
    assert details["allowed"] == 4 * LIMIT * MIB
    assert details["snapshots"] + details["new"] > details["allowed"]
    assert write(rig, mallory, LIMIT - 8) == 0, "it goes on itself"
    assert write(rig, neighbour, LIMIT - 8) == 0
    assert taken(rig) - before < (1 + 4 + 1) * LIMIT * MIB + SLACK

    unkept = rig.operate("reinstall", mallory, spec=SPEC, keep_until=LATER, skipbackup=True)
    assert (unkept.end["problem"], unkept.code) == ("keeps-too-much", 94)
    assert rig.state(mallory) is State.RUNNING
    erased = rig.operate("reinstall", mallory, spec=SPEC, skipbackup=True)
    assert erased.code == 0, erased.log


def test_replaced_systems_do_not_pile_up(rig: Rig, mallory: int, neighbour: int) -> None:
    numbers = []
    for _ in range(4):
        assert write(rig, mallory, LIMIT - 8) == 0
        done = rig.operate("reinstall", mallory, spec=SPEC, keep_until=LATER, skipbackup=True)
        assert done.code == 0, done.log
        numbers.append(done.facts["kept"]["operation"])
    there = [area.parent.name for area in kept.replaced_areas(rig.paths(mallory))]
    assert there == [f"{numbers[3]}", f"{numbers[2]}"]
    assert {each.name for each in rig.paths(mallory).old.iterdir()} == {*there}
    sizes = rig.driver.parse_usages(call(rig.driver.usages(rig.conf.vz)))
    for area in kept.replaced_areas(rig.paths(mallory)):
        assert sizes[rig.driver.key(area)] <= LIMIT * MIB
    assert write(rig, neighbour, LIMIT - 8) == 0


def test_a_disk_that_is_full_to_the_last_byte_harms_its_own_container_only(
    rig: Rig, mallory: int, neighbour: int
) -> None:
    assert write(rig, mallory, 2 * LIMIT) == 1
    take(rig, mallory, spec=SPEC, disk_only=True)
    assert write(rig, neighbour, LIMIT - 8) == 0
    more = {"diskspace": 2 * LIMIT}
    raised = rig.operate("set", mallory, spec=more, former=SPEC)
    assert raised.code == 0, raised.log
    assert write(rig, mallory, LIMIT + 8) == 0


def test_a_full_pool_refuses_what_is_new_and_what_runs_goes_on(
    rig: Rig, mallory: int, full_pool: None
) -> None:
    number = next(CTIDS)
    snapshot = fresh()
    refused = [
        rig.operate("create", number, spec=SPEC),
        rig.operate("snapshot", mallory, spec=SPEC, snapshot=snapshot, disk_only=True),
        rig.operate("reinstall", mallory, spec=SPEC, keep_until=LATER, skipbackup=True),
        rig.operate("reinstall", mallory, spec=SPEC),
        rig.operate("build_template", 0, name="busybox"),
    ]
    assert {each.end["problem"] for each in refused} == {"pool-reserve"}
    assert [each.code for each in refused] == [46, 46, 94, 94, 46]
    found = refused[0].end["details"]
    assert found["free"] < found["reserve"] == found["whole"]
    assert not rig.paths(number).private.exists()
    assert catalogue.newest(rig.conf, "busybox")

    assert rig.state(mallory) is State.RUNNING
    assert write(rig, mallory, LIMIT - 8) == 0
    assert rig.operate("restart", mallory, spec=SPEC).code == 0
    erased = rig.operate("reinstall", mallory, spec=SPEC, skipbackup=True)
    assert erased.code == 0, erased.log
