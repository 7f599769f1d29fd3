"""vzctl's options, one a line: what is done, what is passed over with a warning, what is refused.

Passed over is what has no meaning here and changes nothing a container's owner would miss;
refused is what would leave a container with other rights or places than were asked for.
The options are those of vzctl 4.11.
"""

from containers.commands import values
from containers.commands.grammar import Fate, Option

NO_BEANCOUNTERS = "memory is limited by --ram, processes by --numproc; there are no beancounters"
OWN_NAMESPACE = "the network of a container is one interface, with the addresses of --ipadd"
FIXED = "containers are where the node's vz.conf says"
BEANCOUNTERS = (
    "avnumproc", "dcachesize", "dgramrcvbuf", "kmemsize", "lockedpages", "numfile", "numflock",
    "numiptent", "numothersock", "numpty", "numsiginfo", "numtcpsock", "oomguarpages",
    "othersockbuf", "privvmpages", "shmpages", "tcprcvbuf", "tcpsndbuf", "vmguarpages",
)  # fmt: skip
INTERFACE = (
    "netif_add", "netif_del", "ifname", "mac", "host_ifname", "host_mac", "bridge", "mac_filter",
)  # fmt: skip


def ignored(name: str, value: str, note: str) -> Option:
    return Option(name, value, fate=Fate.IGNORED, note=note)


def refused(name: str, value: str, note: str) -> Option:
    return Option(name, value, fate=Fate.REFUSED, note=note)


ACCESS = (
    Option("--userpasswd", "USER:PASSWORD", values.account,
           note='"-" reads it from standard input; only its hash is kept'),
    Option("--sshkey", "FILE", values.keys, key="sshkeys", many=True,
           note="public keys that may sign in as root"),
)  # fmt: skip
# What a container shall be, for create and set alike
SHALL = (
    Option("--hostname", "NAME"),
    Option("--name", "NAME", note="may stand in place of the CT ID"),
    Option("--description", "TEXT"),
    Option("--owner", "USER", note='the customer who may operate it; "none" for nobody'),
    Option("--ipadd", "ADDRESS", many=True, note="at create without it: one of the node's pool"),
    Option("--nameserver", "ADDRESS", key="nameservers", many=True,
           note='may be given again; "inherit" for the node\'s own'),
    Option("--searchdomain", "NAME", key="searchdomains", many=True, note="may be given again"),
    Option("--ram", "SIZE", values.memory, note="in bytes, or as 512M; unlimited"),
    Option("--physpages", "PAGES[:PAGES]", values.pages, key="ram", note="the same as --ram"),
    Option("--cpus", "NUMBER", values.cpus, note="of processors' time, as 1.5; 0: no limit"),
    Option("--cpulimit", "PERCENT", values.percent, key="cpus", note="100 is one processor"),
    Option("--numproc", "N[:N]", values.items, key="pids"),
    Option("--pids", "N", values.whole, note="the same as --numproc"),
    Option("--diskspace", "SIZE[:SIZE]", values.disk,
           note="in blocks of 1 KiB, or as 10G; the second, hard one counts"),
    Option("--onboot", "yes|no", values.yes_or_no, note="start it when the node starts"),
    Option("--disabled", "yes|no", values.yes_or_no, note="may not be started"),
    *ACCESS,
)  # fmt: skip

NOT_HERE = (
    ignored("--swap", "SIZE", "swap is not limited apart"),
    ignored("--swappages", "PAGES[:PAGES]", "swap is not limited apart"),
    ignored("--diskinodes", "N[:N]", "the file system makes inodes as they are needed"),
    ignored("--cpuunits", "N", "containers share processors evenly; --cpus limits one"),
    ignored("--layout", "LAYOUT", "the node's storage driver decides it"),
    ignored("--quotatime", "SECONDS", "the limit of --diskspace is a hard one"),
    ignored("--quotaugidlimit", "N", "there are no quotas inside a container"),
    ignored("--diskquota", "yes|no", "--diskspace alone decides"),
)

CREATE = (
    Option("--ostemplate", "NAME[@N]", note="NAME is its newest version; DEF_OSTEMPLATE else"),
    *SHALL,
    *NOT_HERE,
    ignored("--config", "NAME", "limits are given by options of their own"),
    ignored("--local_uid", "ID", "containers always have user ids of their own"),
    ignored("--local_gid", "ID", "containers always have group ids of their own"),
    ignored("--skip_app_templates", "", "there are no application templates"),
    refused("--private", "PATH", FIXED),
    refused("--root", "PATH", FIXED),
)

SET = (
    *SHALL,
    Option("--ipdel", "ADDRESS|all", many=True, note="goes before what --ipadd adds"),
    Option("--save", note="what is set is always kept"),
    Option("--force", note="changes nothing: what is set is always kept"),
    *NOT_HERE,
    ignored("--bootorder", "N", "containers start in the order of their CT IDs"),
    ignored("--setmode", "restart|ignore", "nothing needs a restart to be kept"),
    ignored("--reset_ub", "", NO_BEANCOUNTERS),
    *(ignored(f"--{name}", "N[:N]", NO_BEANCOUNTERS) for name in BEANCOUNTERS),
    ignored("--cpumask", "CPUS", "the node's scheduler chooses the processors"),
    ignored("--nodemask", "NODES", "the node's scheduler chooses the memory"),
    ignored("--meminfo", "MODE", "it was for old kernels only"),
    ignored("--vm_overcommit", "N", "it was for old kernels only"),
    ignored("--ioprio", "0..7", "containers share the disk evenly"),
    ignored("--iolimit", "SIZE", "containers share the disk evenly"),
    ignored("--iopslimit", "N", "containers share the disk evenly"),
    ignored("--noatime", "yes|no", "the node's file system decides it"),
    ignored("--mount_opts", "OPTIONS", "the node's file system decides it"),
    ignored("--offline-resize", "", "limits are changed while a container runs"),
    ignored("--stop-timeout", "SECONDS", "it is 120 seconds for every container"),
    ignored("--applyconfig", "NAME", "limits are given by options of their own"),
    ignored("--applyconfig_map", "GROUP", "limits are given by options of their own"),
    ignored("--iptables", "NAME", "a container has all of the netfilter the node offers"),
    ignored("--netfilter", "MODE", "a container has all of the netfilter the node offers"),
    refused("--private", "PATH", FIXED),
    refused("--root", "PATH", FIXED),
    refused("--capability", "NAME:on|off", "every container has the same capabilities"),
    refused("--features", "NAME:on|off", "every container has the same features"),
    refused("--devices", "DEVICE", "devices of the node are not given to containers"),
    refused("--devnodes", "DEVICE", "devices of the node are not given to containers"),
    refused("--pci_add", "DEVICE", "devices of the node are not given to containers"),
    refused("--pci_del", "DEVICE", "devices of the node are not given to containers"),
    refused("--netdev_add", "NAME", OWN_NAMESPACE),
    refused("--netdev_del", "NAME", OWN_NAMESPACE),
    *(refused(f"--{name}", "VALUE", OWN_NAMESPACE) for name in INTERFACE),
)

START = (
    Option("--force", note="also when it is disabled"),
    Option("--discard", note="also when it is suspended: its kept processes are thrown away"),
    Option("--skip-remount", note="a mounted one is started as it is"),
    ignored("--wait", "", "pctl follows the start to its end"),
    ignored("--skip-fsck", "", "there is no image to check"),
)
STOP = (
    Option("--fast", note="kill it; its scripts run all the same"),
    Option("--skip-umount", note="it stays mounted"),
    Option("--without-stop-script", note="for one whose stop script fails; needs --reason"),
    Option("--reason", "TEXT", note="kept with the operation"),
)
RESTART = (
    Option("--force", note="also when it is disabled"),
    Option("--fast", note="kill it; its scripts run all the same"),
    ignored("--wait", "", "pctl follows the start to its end"),
    ignored("--skip-fsck", "", "there is no image to check"),
)
SUSPEND = (refused("--dumpfile", "PATH", "the node keeps its dumps itself"),)
REINSTALL = (
    Option("--ostemplate", "NAME[@N]", note="another template than it has"),
    Option("--skipbackup", note="keep nothing of the old system: no /old, no pctl undo"),
    Option("--resetpwdb", note="keep no users and passwords of the old system"),
    *ACCESS,
    Option("--start", note="start it afterwards, though it did not run"),
    Option("--without-stop-script", note="for one whose stop script fails; needs --reason"),
    Option(
        "--without-own-scripts",
        note="its own start and stop scripts, which then stay off; needs --reason",
    ),
    Option("--reason", "TEXT", note="kept with the operation"),
    refused("--scripts", "A,B", "scripts in the old system are never run; the hooks are"),
    ignored("--skipscripts", "", "scripts in the old system are never run"),
    refused("--listscripts", "", "scripts in the old system are never run"),
    ignored("--vzpkg_opts", "OPTIONS", "templates are not made by vzpkg"),
)
UNDO = (
    Option("--list", note="only show what can be put back, and until when"),
    Option("--operation", "ID", values.whole, note="the reinstallation; else the last one"),
    Option("--without-stop-script", note="for one whose stop script fails; needs --reason"),
    Option("--reason", "TEXT", note="kept with the operation"),
)
LIST = (
    Option("--all", short="-a", note="all containers, not only running ones"),
    Option("--stopped", short="-S", note="only those that don't run"),
    Option("--no-header", short="-H", note="no line of headings"),
    Option("--output", "FIELD,…", short="-o", note="these columns; -L lists them"),
    Option("--only-ctid", short="-1", note="the same as -H -o ctid"),
    Option("--sort", "[-]FIELD", short="-s", note="sorted by that; - for backwards"),
    Option("--name", short="-n", note="names in place of host names"),
    Option("--no-trim", short="-t", note="long values whole"),
    Option("--list", short="-L", key="fields", note="the columns there are"),
    Option("--hostname", "PATTERN", short="-h", note="as a shell's pattern"),
    Option("--name_filter", "PATTERN", short="-N", note="as a shell's pattern"),
    Option("--description", "PATTERN", short="-d", note="as a shell's pattern"),
)

BY_COMMAND = {
    "create": CREATE, "set": SET, "start": START, "stop": STOP, "restart": RESTART,
    "suspend": SUSPEND, "resume": SUSPEND, "reinstall": REINSTALL, "undo": UNDO, "list": LIST,
}  # fmt: skip
LATER = ("suspend", "resume")  # offered as soon as there is a plan for them


def markdown() -> str:
    """The README's table; what is not done stands together by its reason."""
    lines = ["| option | of | what becomes of it | |", "|---|---|---|---|"]
    for option, commands in merged().items():
        if option.fate is Fate.DONE:
            lines.append(f"| {code(option)} | {commands} | {option.fate} | {option.note} |")
    for (commands, fate, note), options in by_reason().items():
        lines.append(f"| {' '.join(map(code, options))} | {commands} | {fate} | {note} |")
    return "\n".join(lines) + "\n"


def code(option: Option) -> str:
    return "`" + option.shown.replace("|", "\\|") + "`"


def merged() -> dict[Option, str]:
    """The commands of each option."""
    from containers.node.operations import PLANS  # not for help, which is to be quick

    found: dict[Option, list[str]] = {}
    for command, options in BY_COMMAND.items():
        for option in options if command in PLANS or command not in LATER else ():
            found.setdefault(option, []).append(command)
    return {option: ", ".join(commands) for option, commands in found.items()}


def by_reason() -> dict[tuple[str, Fate, str], list[Option]]:
    found: dict[tuple[str, Fate, str], list[Option]] = {}
    for option, commands in merged().items():
        if option.fate is not Fate.DONE:
            found.setdefault((commands, option.fate, option.note), []).append(option)
    return found
