"""The table of settings: ranges, lines of ve.conf, the fate of every key of OpenVZ's."""

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from containers.node import ids, settings, veconf
from containers.node.conf import NodeConf
from containers.node.ct import Spec
from containers.node.errors import BadValue
from containers.node.openvz import OTHERS, Fate
from containers.node.settings import fate_of, named
from containers.node.steps import configuring

MIB = 1 << 20
NODE = {"memory": 2048 * MIB, "pid_max": 32768, "disk": {"size": 8192 * MIB}}
PROCESSES = "The number of processes must be from 4 to 4194304."
PROCESSORS = "The number of processors must be from 0.01 to 999.99."


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("pids", 3, PROCESSES),
        ("pids", -1, PROCESSES),
        ("pids", 10**40, PROCESSES),
        ("pids", Decimal("NaN"), PROCESSES),
        ("pids", Decimal("Infinity"), PROCESSES),
        ("pids", Decimal("4.5"), PROCESSES),
        ("pids", "many", PROCESSES),
        ("cpus", 0, PROCESSORS),
        ("cpus", "1e400", PROCESSORS),
        ("cpus", "", PROCESSORS),
        ("ram", 3, "The memory must be from 4 to 2147483647 MiB."),
        ("ram", 10**12, "The memory must be from 4 to 2147483647 MiB."),
        ("diskspace", 0, "The disk space must be from 4 to 2147483647 MiB."),
    ],
)
def test_what_is_out_of_range_gets_the_range_as_its_answer(
    name: str, value: Any, says: str
) -> None:
    with pytest.raises(BadValue) as refused:
        named(name).clean(value)
    assert (f"{refused.value}", refused.value.code) == (says, 21)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ram", 2049, "The memory must be from 4 to 2048 MiB."),
        ("pids", 32769, "The number of processes must be from 4 to 32768."),
        ("diskspace", 8193, "The disk space must be from 4 to 8192 MiB."),
    ],
)
def test_more_than_the_node_has_is_refused_where_that_is_known(
    name: str, value: int, says: str
) -> None:
    assert named(name).clean(value) == value
    assert named(name).clean(value - 1, NODE) == value - 1
    with pytest.raises(BadValue, match=says):
        named(name).clean(value, NODE)


VALUES: dict[str, tuple[Any, str]] = {
    "hostname": ("web.example", "web.example"),
    "name": ("my shop", "my shop"),
    "description": ('a "good" $one', 'a "good" $one'),
    "ips": (["203.0.113.7", "fd00::5"], "203.0.113.7 fd00::5"),
    "nameservers": (["9.9.9.9"], "9.9.9.9"),
    "searchdomains": (["example.org", "example.net"], "example.org example.net"),
    "ram": (512, "0:131072"),
    "cpus": (Decimal("0.29"), "29"),
    "cpuunits": (2000, "2000"),
    "pids": (100, "100:100"),
    "diskspace": (1024, "1048576:1048576"),
    "onboot": (True, "yes"),
    "autostop": ("suspend", "suspend"),
    "disabled": (False, "no"),
}


@pytest.mark.parametrize("name", [setting.name for setting in settings.of_node()])
def test_a_line_of_ve_conf_means_the_value_again(name: str) -> None:
    setting, (value, text) = named(name), VALUES[name]
    assert setting.conf
    assert setting.conf.write(setting.plain(value)) == text
    read = veconf.parse(veconf.render({setting.conf.name: text}))[setting.conf.name]
    assert setting.clean(setting.conf.read(read)) == value
    assert setting.stored(setting.plain(value)) == value


def test_a_limit_that_there_is_none_of_has_a_line_that_says_so(tmp_path: Path) -> None:
    node = NodeConf(name="alpha", state=tmp_path, vz=tmp_path, etc=tmp_path)
    paths = SimpleNamespace(ctid=101, root="/r", private="/p", node=node, fs=tmp_path)
    ct: Any = SimpleNamespace(ctid=101, paths=paths, spec=Spec(), ids=ids.Range(ids.BASE))
    lines = configuring.lines(ct)
    assert list(lines) == [
        "VE_ROOT", "VE_PRIVATE", "HOST_IFNAME", "OSTEMPLATE", "HOSTNAME", "NAME", "DESCRIPTION",
        "IP_ADDRESS", "NAMESERVER", "SEARCHDOMAIN", "PHYSPAGES", "CPULIMIT", "NUMPROC", "DISKSPACE",
        "ONBOOT", "AUTOSTOP", "DISABLED", "UID_BASE", "UID_SIZE", "HOST_UID_BASE",
    ]  # fmt: skip
    for name in ("ram", "cpus", "pids", "diskspace"):  # else vz.conf's default would seem to hold
        key = named(name).conf
        assert key is not None
        assert key.read(lines[key.name]) is None


def test_a_new_container_has_what_vz_conf_says_of_what_the_node_has() -> None:
    written = settings.lines_of_defaults(NODE)
    assert written == {
        "PHYSPAGES": "0:131072",  # a quarter of the memory
        "CPUUNITS": "1000",
        "NUMPROC": "1024:1024",
        "DISKSPACE": "10485760:10485760",
    }
    expected = {"ram": 512, "cpus": None, "cpuunits": 1000, "pids": 1024, "diskspace": 8192}
    assert settings.defaults(written, NODE) == settings.defaults({}, NODE) == expected
    told = {"PHYSPAGES": "0:unlimited", "CPULIMIT": "150", "NUMPROC": "64", "DISKSPACE": "lots"}
    assert settings.defaults(told, NODE) == {
        "ram": None, "cpus": 1.5, "cpuunits": 1000, "pids": 64, "diskspace": 8192,
    }  # fmt: skip
    assert settings.lines_of_defaults({"memory": 1 << 40})["PHYSPAGES"] == "0:262144"


# Of vzctl 4.11: what its parser knows, and vz.conf(5) beside it
VZCTL = """
LOCKDIR DUMPDIR LOGGING LOG_LEVEL LOGFILE VERBOSE IPTABLES NETFILTER KMEMSIZE LOCKEDPAGES
PRIVVMPAGES SHMPAGES NUMPROC PHYSPAGES VMGUARPAGES OOMGUARPAGES NUMTCPSOCK NUMFLOCK NUMPTY
NUMSIGINFO TCPSNDBUF TCPRCVBUF OTHERSOCKBUF DGRAMRCVBUF NUMOTHERSOCK NUMFILE DCACHESIZE DCACHE
NUMIPTENT IPTENTRIES AVNUMPROC SWAPPAGES CAPABILITY IP_ADDRESS NETDEV HOSTNAME DESCRIPTION
NAMESERVER IPV6 SEARCHDOMAIN DEVICES DEVNODES PCI VE_ROOT VE_PRIVATE TEMPLATE MOUNT_OPTS VE_LAYOUT
OSTEMPLATE DEF_OSTEMPLATE CPUUNITS CPUUWEIGHT CPULIMIT CPUS CPUMASK NODEMASK ONBOOT CONFIGFILE
ORIGIN_SAMPLE DISABLED LOCAL_UID LOCAL_GID DISK_QUOTA DISKSPACE DISKINODES QUOTATIME QUOTAUGIDLIMIT
MEMINFO VETH NETIF VEID NAME FEATURES IOPRIO IOLIMIT IOPSLIMIT BOOTORDER STOP_TIMEOUT VM_OVERCOMMIT
VIRTUOZZO VE0CPUUNITS VZFASTBOOT NEIGHBOUR_DEVS ERROR_ON_ARPFAIL VZWDOG IPTABLES_MODULES IP6TABLES
CONFIG_CUSTOMIZED VE_STOP_MODE SKIP_SYSCTL_SETUP SKIP_ARPDETECT VE_PARALLEL MODULES_DISABLED
VE_ROUTE_SRC_DEV FORCE_ROUTE
"""
# Of libvzctl 8, beside those
LIBVZCTL = """
ANONSHPAGES APPLY_IPONLY AUTOCOMPACT AUTOSTOP BINDMOUNT BURST_CPULIMIT BURST_CPU_AVG_USAGE
CPULIMIT_MHZ CPUWEIGHT DISK DISTRIBUTION HA_ENABLE HA_PRIO IPCSHMPAGES JOURNALED_QUOTA MEMGUARANTEE
MEMGUARANTEE_BYTES NOATIME NUMMEMORYSUBGROUPS NUMNETIF NUMSOCK NUMUNIXSOCK OOMGUAR OSRELEASE
PAGECACHE_ISOLATION RATE RATEBOUND ROOT_DISK RSSPAGES SLMMEMORYLIMIT SLMMODE SOCKRCVBUF
TECHNOLOGIES TEMPLATES TOTALRATE TOTVMPAGES TRAFFIC_SHAPING UNIXSOCKBUF USE_NET_RPS UUID
VE_ENVIRONMENT VE_TYPE VEFORMAT VEFSTYPE
"""


@pytest.mark.parametrize("key", [*VZCTL.split(), *LIBVZCTL.split(), "VETH_IP_ADDRESS"])
def test_every_key_of_openvz_is_done_ignored_or_refused_and_told_why(key: str) -> None:
    fate, why = fate_of(key)
    assert fate in Fate
    assert why
    assert f"`{key}`" in settings.markdown()


def test_no_key_has_two_fates() -> None:
    keys = [key for other in OTHERS for key in other.keys]
    keys += [setting.conf.name for setting in settings.TABLE if setting.conf]
    assert len(keys) == len(set(keys))


def test_a_key_that_nobody_has_heard_of_has_no_fate() -> None:
    with pytest.raises(KeyError):
        fate_of("PATH")
