"""vzcptcheck: could what runs here be restored there? Outputs and exit codes as its man page has.

Scripts run it once a container, so it imports next to nothing: neither Django nor the panel.
"""

import os
import sys

from containers.node.checkpoint import cpu, version

OK, ERROR, IMPOSSIBLE = 0, 1, 2
USAGE = """Usage: vzcptcheck property [argument ...]
       vzcptcheck version             show the version of this node's snapshots
       vzcptcheck version NUM         test whether snapshots of that version can be restored here
       vzcptcheck caps                show what this node's processors can do, as a number
       vzcptcheck caps NUM            test whether what is suspended here can be restored there
       vzcptcheck caps CTID NUM       test whether a running container can be restored there
       vzcptcheck help                show this
Exit codes: 0 shown, or possible; 1 error; 2 not possible.
"""


class Failed(Exception):
    """Neither possible nor impossible: it could not be found out."""


def main() -> int:
    words = sys.argv[1:]
    if words in ([], ["help"], ["--help"], ["-h"]):
        sys.stdout.write(USAGE)
        return OK
    try:
        match words:
            case ["version"]:
                return show(version.VERSION)
            case ["version", number]:
                return test_version(parse(number))
            case ["caps"]:
                return show(cpu.of_node())
            case ["caps", number]:
                return test_caps(parse(number))
            case ["caps", ctid, number]:
                return test_container(parse(ctid), parse(number))
    except (Failed, OSError) as error:
        return complain(f"{error}", ERROR)
    sys.stderr.write(USAGE)
    return ERROR


def parse(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 40:
        raise Failed(f"{text!r} is not a number")
    return int(text)


def show(number: int) -> int:
    sys.stdout.write(f"{number}\n")
    return OK


def test_version(number: int) -> int:
    if version.accepts(number):
        return OK
    return complain(f"CPT version {number} rejected: can't migrate", IMPOSSIBLE)


def test_caps(there: int) -> int:
    if not there:
        raise Failed("0 is not what a processor can do")
    lacking = cpu.missing(cpu.of_node(), there)
    for name in lacking:
        complain(f"Destination cpu does not have {name}")
    if lacking:
        return complain("Insufficient CPU capabilities: can't migrate", IMPOSSIBLE)
    return OK


def test_container(ctid: int, there: int) -> int:
    """Its programs choose by what the processor has when they start: all of that is needed."""
    from containers.node.checkpoint.obstacles import obstacles

    found = obstacles(init_of(ctid))
    for each in found:
        complain(each.reason.told(staff=True))
    code = test_caps(there)
    if found and code == OK:
        return complain(f"CT {ctid} can't be migrated as it is", IMPOSSIBLE)
    return code


def init_of(ctid: int) -> int:
    """The pid of its init, from the runtime's own record: as truth.init_of, without its imports."""
    record = f"{run_dir()}/runc/{ctid}/state.json"
    try:
        with open(record, encoding="utf-8", errors="replace") as file:
            text = file.read()
        pid, started = (value(text, key) for key in ("init_process_pid", "init_process_start"))
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError, ValueError):
        fields, started, pid = [], 0, 0
    if not fields or fields[0] in "ZX" or int(fields[19]) != started:
        raise Failed(f"CT {ctid} is not running")
    return pid


def value(text: str, key: str) -> int:
    digits = text.partition(f'"{key}":')[2].lstrip()
    return int(digits[: len(digits) - len(digits.lstrip("0123456789"))])


def run_dir() -> str:
    """NodeConf.run."""
    from hashlib import sha256

    checkout = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    state = os.environ.get("PANEL_STATE_DIR") or f"{checkout}/var"
    runs = os.environ.get("PANEL_RUN_DIR") or "/run/panel"
    instance = sha256(os.path.join(os.getcwd(), state).encode()).hexdigest()[:8]
    return f"{os.path.join(os.getcwd(), runs)}/{instance}"


def complain(sentence: str, code: int = OK) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
