"""Raise what is too low, for now and for the next boots; take it back.

A file of this panel's own in /etc/sysctl.d has what was raised, and in comments what it was.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from containers.node import panels
from containers.node.conf import NodeConf
from containers.node.kernel.limits import wanted
from containers.node.lines import lines_of

HEADING = """\
# Limits that the containers of this machine share, raised by the panel of {state}.
# "make remove" puts back what they were.
"""
WAS = " was "


@dataclass(frozen=True)
class Raised:
    """What a panel has raised, and what that was before."""

    values: Mapping[str, int] = field(default_factory=dict)
    before: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> "Raised":
        try:
            lines = lines_of(file)
        except OSError:  # there is none
            return cls()
        values = [line.split(" = ") for line in lines if " = " in line]
        before = [line[2:].split(WAS) for line in lines if line.startswith("# ") and WAS in line]
        return cls(*({key: int(value) for key, value in found} for found in (values, before)))

    def write(self, file: Path, heading: str) -> None:
        """Whole or not at all."""
        lines = [f"# {key}{WAS}{self.before[key]}\n{key} = {self.values[key]}\n"
                 for key in self.values]  # fmt: skip
        new = file.with_name(f".{file.name}.new")
        file.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(heading + "".join(lines))
        new.replace(file)

    def with_older(self, other: "Raised") -> "Raised":
        """The same, putting back what was there before another had raised it, too."""
        pairs = [*self.before.items(), *other.before.items()]
        before = {key: min(value for k, value in pairs if k == key) for key, _ in pairs}
        return Raised({**other.values, **self.values}, before)


@dataclass(frozen=True)
class Machine:
    """Where its kernel's settings are."""

    proc: Path = Path("/proc/sys")
    files: Path = Path("/etc/sysctl.d")

    def read(self, key: str) -> int | None:
        """None where this kernel has no such setting."""
        try:
            return int((self.proc / key).read_text())
        except (OSError, ValueError):
            return None

    def write(self, key: str, value: int) -> str:
        """Why it can't be; empty when it was."""
        try:
            (self.proc / key).write_text(f"{value}\n")
        except OSError as error:
            return error.strerror or f"{error}"
        return ""

    def file(self, conf: NodeConf) -> Path:
        return self.files / f"60-panel-{conf.instance}.conf"

    def others(self, conf: NodeConf) -> list[Path]:
        """Files of other panels on this machine."""
        own = self.file(conf)
        return [path for path in sorted(self.files.glob("60-panel-*.conf")) if path != own]


HERE = Machine()


def plan(conf: NodeConf, machine: Machine = HERE, memory: int | None = None) -> list[str]:
    """What prepare would change; changes nothing."""
    found = list(changes(machine, memory))
    said = [f"sysctl {key} = {after} (it is {before})" for key, before, after in found]
    return [*said, f"the file {machine.file(conf)}, for the next boots"] if found else []


def changes(machine: Machine, memory: int | None) -> Iterator[tuple[str, int, int]]:
    """Key, its value now, its value then: of those that are too low."""
    for key, value in wanted(memory).items():
        found = machine.read(key)
        if found is not None and found < value:
            yield key, found, value


def prepare(conf: NodeConf, machine: Machine = HERE, memory: int | None = None) -> list[str]:
    """Make it so; returns what was done, and what could not be. Any number of times."""
    file, found = machine.file(conf), list(changes(machine, memory))
    if not found:
        return []
    old = Raised.read(file)
    values = {key: value for key, _, value in found}
    before = {key: now for key, now, _ in found}
    try:
        Raised({**old.values, **values}, {**before, **old.before}).write(file, heading(conf))
    except OSError as error:
        return [f"the limits of the kernel stay as they are: no {file}, {error.strerror}"]
    return [raised(machine, *change) for change in found]


def raised(machine: Machine, key: str, now: int, value: int) -> str:
    if why := machine.write(key, value):
        return f"sysctl {key} stays {now}, where {value} would be better: {why}"
    return f"sysctl {key} = {value} (it was {now})"


def remove(conf: NodeConf, machine: Machine = HERE, registry: Path | None = None) -> list[str]:
    """Put back what was there, unless somebody has changed it since, or needs it too."""
    file = machine.file(conf)
    if not file.exists():
        return []
    old, others = Raised.read(file), machine.others(conf)
    if not others and (without := panels.others(conf, registry)):
        heir = panels.at(without[0])  # it found them raised already
        Raised().write(machine.file(heir), heading(heir))
        others = machine.others(conf)
    if others:
        first = lines_of(others[0])[:2]
        theirs = Raised.read(others[0]).with_older(old)
        theirs.write(others[0], "".join(f"{line}\n" for line in first))
        file.unlink()
        return [f"the limits of the kernel are left to {others[0]}"]
    said = [put_back(machine, key, value) for key, value in reversed(list(old.before.items()))
            if machine.read(key) == old.values[key]]  # fmt: skip
    file.unlink()
    return [*said, f"the file {file} is deleted"]


def put_back(machine: Machine, key: str, value: int) -> str:
    why = machine.write(key, value)
    return f"sysctl {key} stays: {why}" if why else f"sysctl {key} = {value}, as it was"


def heading(conf: NodeConf) -> str:
    return HEADING.format(state=conf.state)
