"""OpenVZ's settings that a container here has not, or not as its own: a line each, and why.

Passed over is what has no meaning here and changes nothing a container's owner would miss;
refused is what would leave a container with other rights or places than were asked for. The
keys are those of vz.conf and ve.conf that vzctl 4.11 and libvzctl 8 know, the options vzctl's.
"""

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What becomes of an option, or of a line in a configuration file."""

    DONE = "done"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True)
class Other:
    """options: name and value. of: the commands that take them."""

    fate: Fate
    why: str
    keys: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    of: tuple[str, ...] = ("create", "set")


def done(why: str, *keys: str) -> Other:
    return Other(Fate.DONE, why, keys)


def ignored(
    why: str, keys: str, options: dict[str, str] | None = None, of: str = "create set"
) -> Other:
    taken = tuple((options or {}).items())
    return Other(Fate.IGNORED, why, tuple(keys.split()), taken, tuple(of.split()))


def refused(
    why: str, keys: str, options: dict[str, str] | None = None, of: str = "create set"
) -> Other:
    taken = tuple((options or {}).items())
    return Other(Fate.REFUSED, why, tuple(keys.split()), taken, tuple(of.split()))


NO_BEANCOUNTERS = "memory is limited by --ram, processes by --numproc; there are no beancounters"
OWN_NAMESPACE = "the network of a container is one interface, with the addresses of --ipadd"
NO_DEVICES = "devices of the node are not given to containers"
BEANCOUNTERS = (
    "avnumproc", "dcachesize", "dgramrcvbuf", "kmemsize", "lockedpages", "numfile", "numflock",
    "numiptent", "numothersock", "numpty", "numsiginfo", "numtcpsock", "oomguarpages",
    "othersockbuf", "privvmpages", "shmpages", "tcprcvbuf", "tcpsndbuf", "vmguarpages",
)  # fmt: skip
INTERFACE = (
    "netif_add", "netif_del", "ifname", "mac", "host_ifname", "host_mac", "bridge", "mac_filter",
)  # fmt: skip

OTHERS = (
    # Done, but not a container's own to choose
    done("where it is mounted; VE_ROOT of the node's vz.conf decides", "VE_ROOT"),
    done("where its private area is; VE_PRIVATE of the node's vz.conf decides", "VE_PRIVATE"),
    done("the template it was made of", "OSTEMPLATE"),
    done("of vz.conf: the template of a container that is made without one", "DEF_OSTEMPLATE"),
    done("of vz.conf: where the node keeps its locks", "LOCKDIR"),
    done("of vz.conf: where the node keeps its templates", "TEMPLATE"),
    done("of vz.conf: the seconds an init has to halt, of every container", "STOP_TIMEOUT"),
    done("of vz.conf: stop or suspend, what a stopping node does with a container; AUTOSTOP"
         " of its own goes first", "VE_STOP_MODE"),
    done("of vz.conf: how many containers a stopping node stops at the same time; four for each"
         " processor unless it says so", "VE_PARALLEL"),
    done("of vz.conf: the seconds after which a stopping node kills what has not ended",
         "NODE_STOP_TIMEOUT"),
    done("of vz.conf: no keeps the node from giving IPv6 addresses", "IPV6"),
    done("the CT ID: scripts have it in their environment", "VEID"),
    done("of vz.conf: how many connections the node keeps track of for each container",
         "CONNTRACK"),
    done("scripts look for it to see whether there is an OpenVZ", "VIRTUOZZO"),
    # What pctl create and pctl set pass over
    ignored("swap is not limited apart", "SWAPPAGES",
            {"--swap": "SIZE", "--swappages": "PAGES[:PAGES]"}),
    ignored("the file system makes inodes as they are needed", "DISKINODES",
            {"--diskinodes": "N[:N]"}),
    ignored("CPUUNITS alone decides", "CPUWEIGHT CPUUWEIGHT VE0CPUUNITS"),
    ignored("the node's storage driver decides it", "VE_LAYOUT", {"--layout": "LAYOUT"}),
    ignored("the limit of --diskspace is a hard one", "QUOTATIME", {"--quotatime": "SECONDS"}),
    ignored("there are no quotas inside a container", "QUOTAUGIDLIMIT JOURNALED_QUOTA",
            {"--quotaugidlimit": "N"}),
    ignored("--diskspace alone decides", "DISK_QUOTA", {"--diskquota": "yes|no"}),
    ignored("limits are given by options of their own", "CONFIGFILE",
            {"--config": "NAME"}, of="create"),
    ignored("containers always have user ids of their own", "LOCAL_UID",
            {"--local_uid": "ID"}, of="create"),
    ignored("containers always have group ids of their own", "LOCAL_GID",
            {"--local_gid": "ID"}, of="create"),
    ignored("there are no application templates", "TEMPLATES",
            {"--skip_app_templates": ""}, of="create"),
    refused("containers are where the node's vz.conf says", "", {"--private": "PATH",
            "--root": "PATH"}),
    ignored("containers start in the order of their CT IDs", "BOOTORDER",
            {"--bootorder": "N"}, of="set"),
    ignored("nothing needs a restart to be kept", "", {"--setmode": "restart|ignore"}, of="set"),
    ignored(NO_BEANCOUNTERS, " ".join(BEANCOUNTERS).upper(),
            {"--reset_ub": "", **{f"--{name}": "N[:N]" for name in BEANCOUNTERS}}, of="set"),
    ignored("the node's scheduler chooses the processors", "CPUMASK",
            {"--cpumask": "CPUS"}, of="set"),
    ignored("the node's scheduler chooses the memory", "NODEMASK",
            {"--nodemask": "NODES"}, of="set"),
    ignored("it was for old kernels only", "MEMINFO VM_OVERCOMMIT",
            {"--meminfo": "MODE", "--vm_overcommit": "N"}, of="set"),
    ignored("containers share the disk evenly", "IOPRIO IOLIMIT IOPSLIMIT",
            {"--ioprio": "0..7", "--iolimit": "SIZE", "--iopslimit": "N"}, of="set"),
    ignored("the node's file system decides it", "NOATIME MOUNT_OPTS",
            {"--noatime": "yes|no", "--mount_opts": "OPTIONS"}, of="set"),
    ignored("limits are changed while a container runs", "", {"--offline-resize": ""}, of="set"),
    ignored("STOP_TIMEOUT in the node's vz.conf is for every container", "",
            {"--stop-timeout": "SECONDS"}, of="set"),
    ignored("limits are given by options of their own", "ORIGIN_SAMPLE CONFIG_CUSTOMIZED",
            {"--applyconfig": "NAME", "--applyconfig_map": "GROUP"}, of="set"),
    ignored("a container has all of the netfilter the node offers",
            "IPTABLES NETFILTER IPTABLES_MODULES IP6TABLES",
            {"--iptables": "NAME", "--netfilter": "MODE"}, of="set"),
    refused("every container has the same capabilities", "CAPABILITY",
            {"--capability": "NAME:on|off"}, of="set"),
    refused("every container has the same features, and Docker is none of them", "FEATURES",
            {"--features": "NAME:on|off"}, of="set"),
    refused(NO_DEVICES, "DEVICES DEVNODES PCI",
            {"--devices": "DEVICE", "--devnodes": "DEVICE", "--pci_add": "DEVICE",
             "--pci_del": "DEVICE"}, of="set"),
    refused(OWN_NAMESPACE, "NETDEV NETIF VETH VETH_IP_ADDRESS",
            {"--netdev_add": "NAME", "--netdev_del": "NAME",
             **{f"--{name}": "VALUE" for name in INTERFACE}}, of="set"),
    # Keys that have no option
    ignored(NO_BEANCOUNTERS,
            "DCACHE IPTENTRIES ANONSHPAGES IPCSHMPAGES NUMNETIF NUMSOCK NUMUNIXSOCK OOMGUAR "
            "RSSPAGES SOCKRCVBUF TOTVMPAGES UNIXSOCKBUF NUMMEMORYSUBGROUPS SLMMEMORYLIMIT SLMMODE"),
    ignored("a container's memory limit is not a guarantee too",
            "MEMGUARANTEE MEMGUARANTEE_BYTES PAGECACHE_ISOLATION"),
    ignored("a container sees all processors; CPULIMIT limits the time it has of them",
            "CPUS CPULIMIT_MHZ BURST_CPULIMIT BURST_CPU_AVG_USAGE"),
    ignored("vps.network shapes traffic with tc, see docs/network.md",
            "RATE RATEBOUND TOTALRATE TRAFFIC_SHAPING USE_NET_RPS"),
    ignored("there is one kind of container",
            "VE_TYPE TECHNOLOGIES OSRELEASE UUID VEFORMAT VEFSTYPE"),
    ignored("the panel sees in the files themselves which distribution it is", "DISTRIBUTION"),
    ignored("there is one file system a container, without images",
            "DISK ROOT_DISK AUTOCOMPACT"),
    refused("a folder of the node is shared by a mount script, see docs/scripts.md", "BINDMOUNT"),
    refused("inits start with the same environment in every container", "VE_ENVIRONMENT"),
    ignored("the panel knows of one node a container", "HA_ENABLE HA_PRIO"),
    ignored("addresses are all that is set up inside", "APPLY_IPONLY"),
    ignored("the node's service starts containers, after the network", "VZFASTBOOT"),
    ignored("logs are kept with each operation", "LOGGING LOGFILE LOG_LEVEL VERBOSE"),
    ignored("the node keeps its dumps itself", "DUMPDIR"),
    ignored("the node looks for an address in use by itself, and routes what it gives",
            "NEIGHBOUR_DEVS ERROR_ON_ARPFAIL SKIP_ARPDETECT FORCE_ROUTE VE_ROUTE_SRC_DEV"),
    ignored("no kernel modules are needed", "MODULES_DISABLED SKIP_SYSCTL_SETUP VZWDOG"),
)  # fmt: skip
