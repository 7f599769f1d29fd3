"""An AppArmor profile for containers, where the node has AppArmor: a second wall behind the others.

It lets everything be that a system container may do, but for files of the kernel's that tell of
the node or change it, wherever in the container's tree they are masked and whoever has taken a
mask off. APPARMOR="no" in vz.conf does without it.

    python3 -m containers.node.apparmor --plan | --remove
"""

import hashlib
import shutil
import sys
from pathlib import Path

from containers.node import veconf
from containers.node.conf import NodeConf, load
from containers.node.errors import OperationError
from containers.node.lines import lines_of
from containers.node.processes.run import call

PARSER = "apparmor_parser"
LOADED = Path("/sys/kernel/security/apparmor/profiles")
KEY = "APPARMOR"
RULES = """\
  capability,
  dbus,
  file,
  mount,
  network,
  pivot_root,
  ptrace,
  signal,
  umount,
  unix,

  deny network alg,
  deny network vsock,
  deny umount /proc/{acpi,asound,interrupts,kallsyms,kcore,keys,kmsg,scsi,timer_list}{,/},
  deny /proc/{kallsyms,kcore,keys,kmsg,sched_debug,sysrq-trigger,timer_list} rwklx,
  deny /proc/{acpi,asound,scsi}/** rwklx,
  deny /sys/firmware/** rwklx,
  deny /sys/kernel/{debug,security,tracing}/** rwklx,
"""


def prefix(conf: NodeConf) -> str:
    return f"panel_{conf.instance}_"


def name(conf: NodeConf) -> str:
    """Another for other rules: running containers keep theirs."""
    return f"{prefix(conf)}{hashlib.sha256(RULES.encode()).hexdigest()[:8]}"


def text(conf: NodeConf) -> str:
    return f"profile {name(conf)} flags=(attach_disconnected,mediate_deleted) {{\n{RULES}}}\n"


def profile(conf: NodeConf, loaded: Path = LOADED) -> str:
    """What a container that starts now gets; empty where there is none."""
    return name(conf) if wanted(conf) and name(conf) in known(loaded) else ""


def wanted(conf: NodeConf) -> bool:
    return veconf.read(conf.vz_conf).get(KEY, "yes") != "no"


def known(loaded: Path) -> list[str]:
    """The profiles that the kernel has, by name; none where it has no AppArmor."""
    try:
        return [line.rpartition(" ")[0] for line in lines_of(loaded)]
    except OSError:
        return []


def plan(conf: NodeConf, loaded: Path = LOADED) -> list[str]:
    """What prepare would do, in a sentence without full stop."""
    able = loaded.exists() and shutil.which(PARSER)
    if not able or not wanted(conf) or name(conf) in known(loaded):
        return []
    return [f"the AppArmor profile {name(conf)} for containers"]


def prepare(conf: NodeConf, loaded: Path = LOADED) -> list[str]:
    """Load it where the node can; returns what was done. Raises OperationError."""
    said = plan(conf, loaded)
    if said:
        call([PARSER, "--replace", "--skip-cache"], stdin=text(conf).encode())
    return said


def remove(conf: NodeConf, loaded: Path = LOADED) -> list[str]:
    """Take all of this panel's away; returns what was done."""
    ours = [each for each in known(loaded) if each.startswith(prefix(conf))]
    for each in ours:
        call([PARSER, "--remove"], stdin=f"profile {each} {{ }}\n".encode())
    return [f"the AppArmor profile {each} is removed" for each in ours]


def main(arguments: list[str]) -> int:
    act = {"--plan": plan, "--remove": remove}[arguments[0]]
    try:
        for sentence in act(load()):
            print(sentence)
    except OperationError as error:
        print(f"AppArmor: {error}", file=sys.stderr)
        return error.code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
