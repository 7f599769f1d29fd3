"""The templates a node has: <vz>/template/NAME@N with fs, sealed, and template.json beside it.

Containers record the exact NAME@N they were made from; NAME alone is the newest. A version is
never changed: it is built beside the others and appears whole, by a rename.
"""

import contextlib
import errno
import json
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from containers.node.conf import NodeConf
from containers.node.errors import BadValue, BadValues, NoSpace, OperationError, Problem, Refused
from containers.node.processes.run import call
from containers.node.storage import Storage
from containers.node.storage.removal import remove as remove_area

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}\Z")
DIRECTORY = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._+-]{0,63})@(?P<version>[1-9][0-9]{0,8})\Z")
FACTS = "template.json"
FORMAT = 1


@dataclass(frozen=True)
class Facts:
    """What is known of a root file system.

    init: a word of init.Kind; created: ISO 8601, UTC; size: bytes on disk; base: the
    first user and group id it has on the disk; recipe: whatever tells two builds of the panel's
    own apart.
    """

    distribution: str
    init: str
    arch: str
    base: int
    size: int
    files: int
    created: str = ""
    recipe: str = ""


@dataclass(frozen=True)
class Template:
    name: str
    version: int
    path: Path
    facts: Facts

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def fs(self) -> Path:
        return self.path / "fs"


@dataclass(frozen=True)
class Build:
    """A template that is being made, out of everybody's sight.

    key: tells two builds at the same time apart, such as the operation's number.
    """

    conf: NodeConf
    name: str
    key: str

    def __post_init__(self) -> None:
        check(self.name)

    @property
    def path(self) -> Path:
        return self.conf.templates / f".build-{self.name}-{self.key}"

    @property
    def fs(self) -> Path:
        return self.path / "fs"


def listed(conf: NodeConf) -> list[Template]:
    """All templates, by name, the newest of a name first."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in conf.templates.iterdir():
            match = DIRECTORY.match(path.name)
            if match and (facts := read(path)):
                found.append(Template(match["name"], int(match["version"]), path, facts))
    return sorted(found, key=lambda t: (t.name, -t.version))


def newest(conf: NodeConf, name: str) -> Template | None:
    return next((t for t in listed(conf) if t.name == name), None)


def find(conf: NodeConf, wanted: str) -> Template:
    """wanted: NAME or NAME@N. Raises OperationError with vzctl's code when there is none."""
    name, at, version = wanted.partition("@")
    for template in listed(conf):
        if template.name == name and (not at or f"{template.version}" == version):
            return template
    raise OperationError(Problem.NO_TEMPLATE, template=wanted)


def begin(build: Build, storage: Storage) -> None:
    """Make the empty area that the build fills."""
    discard(build, storage)
    build.path.mkdir(0o700, parents=True)
    call(storage.create(build.fs))


def discard(build: Build, storage: Storage) -> None:
    """Remove a build, finished or not; nothing there is fine."""
    remove_area(storage, build.fs)
    with contextlib.suppress(FileNotFoundError):
        (build.path / FACTS).unlink(missing_ok=True)
        build.path.rmdir()


def publish(build: Build, storage: Storage, facts: Facts) -> Template:
    """Seal what was built and let it appear as the newest version of its name."""
    facts = replace(facts, created=datetime.now(UTC).isoformat(timespec="seconds"))
    write(build.path, facts)
    call(storage.seal(build.fs))
    while True:
        last = newest(build.conf, build.name)
        version = last.version + 1 if last else 1
        path = build.conf.templates / f"{build.name}@{version}"
        try:
            build.path.rename(path)
        except OSError as e:
            if e.errno in (errno.ENOTEMPTY, errno.EEXIST):
                if last == newest(build.conf, build.name):
                    raise OperationError(Problem.NOT_A_TEMPLATE_THERE, path=path) from e
                continue  # another build was faster
            raise
        return Template(build.name, version, path, facts)


def remove(conf: NodeConf, storage: Storage, template: Template, used: Collection[str]) -> None:
    """Remove one version. used: the NAME@N that containers record; raises Refused for those."""
    if f"{template}" in used:
        raise Refused(Problem.TEMPLATE_USED, template=template)
    gone = Build(conf, template.name, f"{template.version}-gone")
    discard(gone, storage)
    template.path.rename(gone.path)
    discard(gone, storage)


def check(name: str) -> str:
    if not NAME.match(name):
        raise BadValue(BadValues.NOT_A_TEMPLATE_NAME, word=name)
    return name


def read(path: Path) -> Facts | None:
    """The facts of a template; None for a directory that isn't one."""
    try:
        values = json.loads((path / FACTS).read_text())
        if values.pop("v") != FORMAT or not (path / "fs").is_dir():
            return None
        return Facts(**values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write(path: Path, facts: Facts) -> None:
    with room(), (path / FACTS).open("w") as file:
        json.dump({"v": FORMAT, **asdict(facts)}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def room() -> Iterator[None]:
    """Say so when the disk is full."""
    try:
        yield
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace() from e
        raise
