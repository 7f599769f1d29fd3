"""The panels on this machine: what one of them takes away, another may need.

/var/lib/panel-instances/INSTANCE   a link to the state of the panel that was set up there

    python3 -m containers.node.panels --plan | --note | --forget | --others
"""

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from containers.node.conf import NodeConf, load

REGISTRY = Path("/var/lib/panel-instances")


def plan(conf: NodeConf, registry: Path | None = None) -> list[str]:
    """What note would do, in a sentence without full stop."""
    link = (registry or REGISTRY) / conf.instance
    right = link.is_symlink() and link.readlink() == conf.state
    return [] if right else [f"the link {link}, by which other panels here know of this one"]


def note(conf: NodeConf, registry: Path | None = None) -> list[str]:
    """Let the others know of this one; those whose state is gone are forgotten."""
    registry = registry or REGISTRY
    registry.mkdir(parents=True, exist_ok=True)
    for link in registry.iterdir():
        if link.is_symlink() and not link.exists():
            link.unlink(missing_ok=True)
    said = plan(conf, registry)
    if said:
        link = registry / conf.instance
        link.unlink(missing_ok=True)
        link.symlink_to(conf.state)
    return said


def forget(conf: NodeConf, registry: Path | None = None) -> list[str]:
    registry = registry or REGISTRY
    (registry / conf.instance).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        registry.rmdir()
    return []


def others(conf: NodeConf, registry: Path | None = None) -> list[Path]:
    """The states of the other panels of this machine, those that are there."""
    links = sorted((registry or REGISTRY).glob("*"))
    found = (link.resolve() for link in links if link.is_symlink())
    return [state for state in found if state != conf.state.resolve() and state.is_dir()]


def at(state: Path) -> NodeConf:
    """Another panel, as far as its state tells."""
    return NodeConf(name="", state=state, vz=state / "vz", etc=state / "etc")


def main(arguments: list[str]) -> None:
    conf = load()
    acts: dict[str, Callable[[NodeConf], Sequence[object]]] = {
        "--plan": plan, "--note": note, "--forget": forget, "--others": others,
    }  # fmt: skip
    for line in acts[arguments[0]](conf):
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
