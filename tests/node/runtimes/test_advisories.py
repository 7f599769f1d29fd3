"""Which known faults a runc has, by its version and by what its package says of itself."""

import pytest

from containers.node.runtimes.advisories import TABLE, Installed, open_here, sentence, still_in

LEAK, FOLDERS, MASK, CONSOLE, PROC, DEV = [each.cve for each in TABLE]
LATE = [MASK, CONSOLE, PROC]


def found(version: str, package: str = "", changes: str = "") -> list[str]:
    return [each.cve for each in TABLE if still_in(each, Installed(version, package, changes))]


@pytest.mark.parametrize(
    ("version", "faults"),
    [
        ("1.1.5+ds1", [LEAK, FOLDERS, *LATE, DEV]),
        ("1.1.12", [FOLDERS, *LATE, DEV]),
        ("1.1.15+ds1", [*LATE, DEV]),
        ("1.2.0-rc.2", [FOLDERS, *LATE, DEV]),
        ("1.2.7", [*LATE, DEV]),
        ("1.2.8", [DEV]),
        ("1.3.3+ds1", [DEV]),
        ("1.3.6", []),
        ("1.4.0-rc.2", [*LATE, DEV]),
        ("1.5.0-rc.2", [DEV]),
        ("1.5.1", []),
        ("2.0.0", []),
        ("", []),
    ],
)
def test_a_version_has_what_was_fixed_after_it(version: str, faults: list[str]) -> None:
    assert found(version) == faults


def test_a_package_that_names_a_fault_has_it_mended() -> None:
    changes = f"runc (1.1.5+ds1-1+deb12u2)\n  * {LEAK}: leaked fds\n  * {MASK}, {CONSOLE}, {PROC}\n"
    assert found("1.1.5+ds1", "1.1.5+ds1-1+deb12u2", changes) == [FOLDERS, DEV]


@pytest.mark.parametrize(
    ("version", "package", "faults"),
    [
        ("1.1.5+ds1", "1.1.5+ds1-1", [LEAK, FOLDERS, *LATE, DEV]),
        ("1.1.5+ds1", "1.1.5+ds1-1+deb12u1", [FOLDERS, *LATE, DEV]),
        ("1.1.15+ds1", "1.1.15+ds1-2", [*LATE, DEV]),
        ("1.1.15+ds1", "1.1.15+ds1-2+deb13u1", [PROC]),
    ],
)
def test_debians_mended_package_is_known_without_its_change_log(
    version: str, package: str, faults: list[str]
) -> None:
    assert found(version, package) == faults


def test_the_sentence_names_what_is_open_and_what_protects() -> None:
    said = sentence(TABLE[5], "1.1.5")
    assert said.startswith(f"{DEV}: a link in the place of /dev led runc out of the container.")
    assert "What protects here: a container whose /dev, /proc, /sys or /run is a link" in said


def test_without_a_runc_there_is_nothing_to_say() -> None:
    assert open_here("no-such-runc") == []
