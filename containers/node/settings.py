"""A container's settings: one table, a setting a line.

Made from it are the columns of a container's row, the fields of the pages, pctl's options and
columns, what a node is told (Spec), the lines of ve.conf and the limits of the control group; so
a new one is a line here, a migration and a test. models/settings.py, forms/settings.py and
options.py say how a type of setting becomes a column, a field or an option.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from containers.node import checks, values
from containers.node.checks import Facts, Range
from containers.node.openvz import OTHERS, Fate
from containers.node.setting import (
    HUNDREDTH,
    Column,
    Effect,
    Key,
    Resource,
    Section,
    Setting,
    Type,
    Word,
)
from containers.node.shutdown import CHOICES

MIB = 1 << 20
PAGE = 4096
PERIOD = 100_000  # µs, of the processor quota
COLUMN_MAX = 2**31 - 1  # that a row's columns hold
PID_MAX = 4194304  # the most that any Linux allows
SNAPSHOTS_MAY = 5  # of one container, unless staff say otherwise
EVEN = 1000  # vzctl's weight of a container like any other; of a control group that is 1024
SHARES = 1024


def yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def hundredths(value: Any) -> str:
    return f"{int(Decimal(f'{value}') * 100)}"


def blocks(mebibytes: int | None) -> int | None:
    return mebibytes * 1024 if mebibytes else None


def twice(number: int) -> str:
    """barrier:limit, soft:hard."""
    return f"{number}:{number}"


def memory_of(facts: Facts) -> int | None:
    return facts["memory"] // MIB if facts.get("memory") else None


def memory_given(facts: Facts) -> int:
    """A quarter of the node's memory, in MiB: 1024 at most, and 256, which Debian can do with."""
    return max(256, min(1024, (memory_of(facts) or 4096) // 4))


def shares(weight: int) -> dict[str, int]:
    return {"shares": weight * SHARES // EVEN}


def pool_of(facts: Facts) -> int | None:
    size = (facts.get("disk") or {}).get("size")
    return size // MIB if size else None


MEMORY = Range("the memory", Decimal(4), Decimal(COLUMN_MAX), "MiB", most=memory_of)
PROCESSORS = Range("the number of processors", HUNDREDTH, Decimal("999.99"), step=HUNDREDTH)
WEIGHT = Range("the weight", Decimal(8), Decimal(256000))
PROCESSES = Range(
    "the number of processes", Decimal(4), Decimal(PID_MAX), most=lambda facts: facts.get("pid_max")
)
DISK = Range("the disk space", Decimal(4), Decimal(COLUMN_MAX), "MiB", most=pool_of)
SNAPSHOTS = Range("the number of snapshots", Decimal(0), Decimal(1000))

TABLE = [
    Setting(
        "hostname", Type.LINE, Section.IDENTITY, Effect.FILES, "Host name",
        check=checks.hostname, longest=253, required=True, owners=True, restored=True,
        options=(Word("--hostname", "NAME"),),
        conf=Key("HOSTNAME"),
        columns=(Column("hostname", "HOSTNAME", -32),),
    ),
    Setting(
        "name", Type.LINE, Section.IDENTITY, Effect.CONF, "Name",
        help="A second name, for people and for pctl",
        check=checks.name, longest=64,
        options=(Word("--name", "NAME", note="may stand in place of the CT ID"),),
        conf=Key("NAME"),
        columns=(Column("name", "NAME", -32),),
    ),
    Setting(
        "description", Type.LINE, Section.IDENTITY, Effect.CONF, "Description",
        check=checks.line, longest=255, wide=True,
        options=(Word("--description", "TEXT"),),
        conf=Key("DESCRIPTION"),
        columns=(Column("description", "DESCRIPTION", -32),),
    ),
    Setting(
        "owner", Type.PERSON, Section.IDENTITY, Effect.PANEL, "Owner",
        help="May see it, start and stop it", wide=True,
        options=(
            Word("--owner", "USER", note='the customer who may operate it; "none" for nobody'),
        ),
        columns=(Column("owner", "OWNER", -16, lambda user: user.get_username()),),
    ),
    Setting(
        "ips", Type.ADDRESSES, Section.NETWORK, Effect.NETWORK, "IP addresses",
        help="Separate several with spaces",
        check=checks.addresses, wide=True,
        options=(
            Word("--ipadd", "ADDRESS", many=True, key="ipadd",
                 note="at create without it: one of the node's pool"),
        ),
        conf=Key("IP_ADDRESS", " ".join, str.split),
        columns=(Column("ip", "IP_ADDR", -15),),
    ),
    Setting(
        "nameservers", Type.WORDS, Section.NETWORK, Effect.FILES, "Name servers",
        help="Addresses; empty: the node's own",
        check=checks.nameservers, cloned=True, restored=True,
        options=(
            Word("--nameserver", "ADDRESS", many=True,
                 note='may be given again; "inherit" for the node\'s own'),
        ),
        conf=Key("NAMESERVER", " ".join, str.split),
        columns=(Column("nameserver", "NAMESERVER", -32),),
    ),
    Setting(
        "searchdomains", Type.WORDS, Section.NETWORK, Effect.FILES, "Search domains",
        help="Separate several with spaces",
        check=checks.searchdomains, cloned=True, restored=True,
        options=(Word("--searchdomain", "NAME", many=True, note="may be given again"),),
        conf=Key("SEARCHDOMAIN", " ".join, str.split),
        columns=(Column("searchdomain", "SEARCHDOMAIN", -32),),
    ),
    Setting(
        "ram", Type.NUMBER, Section.LIMITS, Effect.GROUP, "Memory", help="MiB",
        range=MEMORY, default=memory_given, cloned=True, restored=True,
        options=(
            Word("--ram", "SIZE", values.memory, note="in bytes, or as 512M; unlimited"),
            Word("--physpages", "PAGES[:PAGES]", values.pages, note="the same as --ram"),
        ),
        conf=Key("PHYSPAGES", lambda mib: f"0:{mib * MIB // PAGE}", values.pages,
                 none="0:unlimited"),
        resource=Resource(
            "memory",
            lambda mib: {"limit": mib * MIB, "swap": mib * MIB},
            {"limit": -1, "swap": -1},
        ),
        columns=(Column("ram", "RAM_MIB", 10),),
    ),
    Setting(
        "cpus", Type.FRACTION, Section.LIMITS, Effect.GROUP, "Processors",
        help="For example 0.5 or 2",
        range=PROCESSORS, cloned=True, restored=True,
        options=(
            Word("--cpus", "NUMBER", values.cpus, note="of processors' time, as 1.5; 0: no limit"),
            Word("--cpulimit", "PERCENT", values.percent, note="100 is one processor"),
        ),
        conf=Key("CPULIMIT", hundredths, values.percent, none="0"),
        resource=Resource(
            "cpu",
            lambda number: {"quota": int(number * PERIOD), "period": PERIOD},
            {"quota": -1, "period": PERIOD},
        ),
        columns=(
            Column("cpus", "CPUS", 6, float),
            Column("cpulimit", "CPULIM", 7, lambda number: int(number * 100)),
        ),
    ),
    Setting(
        "cpuunits", Type.NUMBER, Section.LIMITS, Effect.GROUP, "Weight",
        help=f"Of its processes when processors are short; {EVEN} is like any other's",
        range=WEIGHT, default=lambda facts: EVEN, endless=False, cloned=True, restored=True,
        options=(Word("--cpuunits", "N", values.number, note=f"{EVEN} is like any other's"),),
        conf=Key("CPUUNITS", str, values.number),
        resource=Resource("cpu", shares, {"shares": SHARES}),
        columns=(Column("cpuunits", "CPUUNI", 7),),
    ),
    Setting(
        "pids", Type.NUMBER, Section.LIMITS, Effect.GROUP, "Processes",
        help="How many at once",
        range=PROCESSES, default=lambda facts: 1024, cloned=True, restored=True,
        options=(
            Word("--numproc", "N[:N]", values.items),
            Word("--pids", "N", values.count, note="the same as --numproc"),
        ),
        conf=Key("NUMPROC", twice, values.items, none="unlimited"),
        resource=Resource("pids", lambda number: {"limit": number}, {"limit": -1}),
        columns=(Column("numproc.l", "NPROC.L", 10),),
    ),
    Setting(
        "diskspace", Type.NUMBER, Section.LIMITS, Effect.DISK, "Disk",
        help="MiB",
        range=DISK, default=lambda facts: 10240, cloned=True, restored=True,
        options=(
            Word("--diskspace", "SIZE[:SIZE]", values.disk,
                 note="in blocks of 1 KiB, or as 10G; the second, hard one counts"),
        ),
        conf=Key("DISKSPACE", lambda mib: twice(mib * 1024), values.disk, none="unlimited"),
        columns=(Column("diskspace.h", "DSPACE.H", 10, blocks),),
    ),
    Setting(
        "snapshot_limit", Type.NUMBER, Section.LIMITS, Effect.PANEL, "Snapshots",
        help=f"How many its owner may make; empty for {SNAPSHOTS_MAY}",
        range=SNAPSHOTS, created=False,
    ),
    Setting(
        "onboot", Type.SWITCH, Section.STARTING, Effect.CONF, "Start at boot",
        help="When its node has been restarted",
        check=bool,
        options=(
            Word("--onboot", "yes|no", values.yes_or_no, note="start it when the node starts"),
        ),
        conf=Key("ONBOOT", yes_or_no, values.yes_or_no),
        columns=(Column("onboot", "ONBOOT", 6),),
    ),
    Setting(
        "autostop", Type.CHOICE, Section.STARTING, Effect.CONF, "When its node stops",
        check=checks.autostop, choices=CHOICES, longest=8,
        options=(Word("--autostop", "stop|suspend|default", note="at the node's shutdown"),),
        conf=Key("AUTOSTOP"), columns=(Column("autostop", "AUTOSTOP", -8),),
    ),
    Setting(
        "disabled", Type.SWITCH, Section.STARTING, Effect.CONF, "Disabled",
        help="It may not be started",
        check=bool, created=False,
        options=(Word("--disabled", "yes|no", values.yes_or_no, note="may not be started"),),
        conf=Key("DISABLED", yes_or_no, values.yes_or_no),
        columns=(Column("disabled", "DISABL", 6),),
    ),
]  # fmt: skip


def named(name: str) -> Setting:
    """Raises TypeError: it is somebody's slip of the pen, not a value that was given."""
    for setting in TABLE:
        if setting.name == name:
            return setting
    raise TypeError(f"a container has no {name}")


def of_node() -> Iterator[Setting]:
    """Those that a node is told of."""
    return (setting for setting in TABLE if not setting.at_once)


def limits() -> Iterator[Setting]:
    """Those that a node's vz.conf has a default for."""
    return (setting for setting in TABLE if setting.has_default)


def defaults(vz_conf: Mapping[str, str], facts: Facts) -> dict[str, Any]:
    """The limits of a new container that somebody made without a word about them, by name."""
    return {s.name: s.plain(s.given(vz_conf, facts)) for s in limits()}


def lines_of_defaults(facts: Facts) -> dict[str, str]:
    """What set-up writes to vz.conf, so that it is seen and can be changed."""
    found = ((s, s.default(facts)) for s in limits())
    return {s.conf.name: s.conf.write(value) for s, value in found if s.conf and value is not None}


def fate_of(key: str) -> tuple[Fate, str]:
    """What becomes of a line of OpenVZ's vz.conf or ve.conf, and why. Raises KeyError."""
    for setting in TABLE:
        if setting.conf and setting.conf.name == key:
            return Fate.DONE, " ".join(word.option for word in setting.options)
    for other in OTHERS:
        if key in other.keys:
            return other.fate, other.why
    raise KeyError(key)


def markdown() -> str:
    """The tables of docs/settings.md: the settings there are, and every key of OpenVZ's files."""
    lines = [
        "| setting | options | in ve.conf | changes | a clone has it | who may change it |",
        "|---|---|---|---|---|---|",
    ]
    for setting in TABLE:
        options = " ".join(f"`{word.option}`" for word in setting.options)
        key = f"`{setting.conf.name}`" if setting.conf else ""
        who = "staff and the owner" if setting.owners else "staff"
        cloned = "yes" if setting.cloned else "no"
        lines.append(
            f"| {setting.label} | {options} | {key} | {setting.effect} | {cloned} | {who} |"
        )
    lines += ["", "| key of vz.conf or ve.conf | what becomes of it | |", "|---|---|---|"]
    for setting in TABLE:
        if setting.conf:
            lines.append(f"| `{setting.conf.name}` | {Fate.DONE} | {setting.label} |")
    for other in OTHERS:
        keys = " ".join(f"`{key}`" for key in other.keys)
        if keys:
            lines.append(f"| {keys} | {other.fate} | {other.why} |")
    return "\n".join(lines) + "\n"
