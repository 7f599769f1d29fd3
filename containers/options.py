"""vzctl's options, one a line: what is done, what is passed over with a warning, what is refused.

Passed over is what has no meaning here and changes nothing a container's owner would miss;
refused is what would leave a container with other rights or places than were asked for.
The options are those of vzctl 4.11.
"""

from containers import passwords
from containers.grammar import Option, ignored, refused
from containers.node import values

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


def account(text: str) -> dict[str, str]:
    """USER:PASSWORD; the password has to be as good as people's own."""
    return values.account(text, passwords.check)


ACCESS = (
    Option("--userpasswd", "USER:PASSWORD", account,
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
