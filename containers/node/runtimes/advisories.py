"""Known faults of runc: which of them the installed one still has, and what protects here.

The versions that fixed a fault are those of the project's own change log. Distributions mend
older versions instead and name the CVE in the change log of their package, which is believed too.

    python3 -m containers.node.runtimes.advisories     a line for each that is open
"""

import contextlib
import gzip
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from containers.node.errors import OperationError
from containers.node.processes.run import call

CHANGES = Path("/usr/share/doc/runc/changelog.Debian.gz")
PACKAGED = "/usr/sbin/runc"
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-rc\.?(\d+))?")
RELEASED = 1000  # as the number of a release candidate: behind all of them

Version = tuple[int, ...]


@dataclass(frozen=True)
class Advisory:
    """fixed: the first version of each line of versions that has no such fault any more.

    debian: the package's versions that are known to be mended, where its change log is missing.
    """

    cve: str
    what: str
    fixed: tuple[str, ...]
    here: str
    debian: tuple[str, ...] = ()


FRESH_DEV = (
    "a container's /dev is made anew for it and nobody is in it before its init; root of a"
    " container is a plain user of the node, so the node's files in /proc stay closed to it"
)
TABLE = (
    Advisory(
        "CVE-2024-21626",
        "a working directory could lead out of the container",
        ("1.1.12", "1.2.0-rc.1"),
        "the working directory is always / and chosen by the panel; a container's root is a plain"
        " user of the node, to whom the node's folders are closed",
        debian=("1.1.5+ds1-1+deb12u",),
    ),
    Advisory(
        "CVE-2024-45310",
        "empty files and folders could be made outside of the container",
        ("1.1.14", "1.2.0-rc.3"),
        "no two containers share a folder, and places of mounts have to be real folders before a"
        " start",
    ),
    Advisory(
        "CVE-2025-31133",
        "a masked file of /proc could be replaced by another that can be written",
        ("1.2.8", "1.3.3", "1.4.0-rc.3"),
        FRESH_DEV,
        debian=("1.1.15+ds1-2+deb13u",),
    ),
    Advisory(
        "CVE-2025-52565",
        "the console could be replaced by a file of /proc that can be written",
        ("1.2.8", "1.3.3", "1.4.0-rc.3"),
        FRESH_DEV,
        debian=("1.1.15+ds1-2+deb13u",),
    ),
    Advisory(
        "CVE-2025-52881",
        "what runc writes to /proc could be led to other files of it",
        ("1.2.8", "1.3.3", "1.4.0-rc.3"),
        FRESH_DEV,
    ),
    Advisory(
        "CVE-2026-41579",
        "a link in the place of /dev led runc out of the container",
        ("1.3.6", "1.4.3", "1.5.0-rc.3"),
        "a container whose /dev, /proc, /sys or /run is a link is not started",
        debian=("1.1.15+ds1-2+deb13u",),
    ),
)


@dataclass(frozen=True)
class Installed:
    """package: its version, empty when runc is not from a package; changes: its change log."""

    version: str
    package: str = ""
    changes: str = ""


def open_here(binary: str = "runc") -> list[str]:
    """A sentence for each known fault that the installed runc still has."""
    found = installed(binary)
    return [sentence(each, found.version) for each in TABLE if still_in(each, found)]


def sentence(advisory: Advisory, version: str) -> str:
    return (
        f"{advisory.cve}: {advisory.what}. It is open in runc {version}, mended in"
        f" {', '.join(advisory.fixed)}. What protects here: {advisory.here}."
    )


def installed(binary: str) -> Installed:
    said = ""
    with contextlib.suppress(OperationError):
        said = call([binary, "--version"], timeout=10).decode(errors="replace")
    version = said.partition("\n")[0].removeprefix("runc version ").strip()
    if shutil.which(binary) != PACKAGED:
        return Installed(version)
    package = changes = ""
    with contextlib.suppress(OperationError):
        argv = ["dpkg-query", "--show", "--showformat=${Version}", "runc"]
        package = call(argv, timeout=10).decode()
    with contextlib.suppress(OSError, EOFError), gzip.open(CHANGES, "rt", errors="replace") as log:
        changes = log.read()
    return Installed(version, package, changes)


def still_in(advisory: Advisory, found: Installed) -> bool:
    """False, too, where nobody can tell: there is no runc, then."""
    version = parsed(found.version)
    if not version or fixed_in(version, advisory.fixed):
        return False
    mended = any(found.package.startswith(each) for each in advisory.debian)
    return not mended and advisory.cve not in found.changes


def fixed_in(version: Version, fixes: Sequence[str]) -> bool:
    """Lines of versions that began after the last fix have it from their beginning."""
    first = [parsed(each) for each in fixes]
    same = [each for each in first if each[:2] == version[:2]]
    return version >= same[0] if same else version > max(first)


def parsed(text: str) -> Version:
    match = VERSION.match(text)
    return tuple(int(each or RELEASED) for each in match.groups()) if match else ()


if __name__ == "__main__":
    for line in open_here():
        print(line)
