"""What makes a container itself: its name, resolver, machine id and SSH host keys."""

import re
import uuid
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from containers.node.access import hostkeys
from containers.node.access.accounts import fingerprint
from containers.node.access.hostkeys import QUICK, SLOW, Key
from containers.node.access.hostname import LABEL, check
from containers.node.errors import BadValue, BadValues
from containers.node.trees.openat2 import Links
from containers.node.trees.safe_tree import BadTree, Kind, Missing, SafeTree

HOSTNAME, HOSTS, RESOLVER = "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"
MACHINE_ID, DBUS_ID = "/etc/machine-id", "/var/lib/dbus/machine-id"
NETWORK = "/etc/sysconfig/network"  # where Red Hat's distributions kept the name until 6
SSH = "/etc/ssh"
OURS = "# set by the panel"
DEFAULT_HOSTS = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
LONGEST_DOMAIN = 253
NAMESERVERS, SEARCH_DOMAINS, SEARCH_LENGTH = 3, 6, 256  # what every resolver heeds: resolv.conf(5)
PUBLIC_KEY = re.compile(r"ssh_host_([a-z0-9]+)_key\.pub\Z")
HOST_KEY_FILE = re.compile(r"ssh_host_.+_key(-cert)?(\.pub)?\Z")
KEYS, KEY_LIMIT = 8, 16 * 1024  # that are read for display; bytes each
HOST_KEY_LINE = re.compile(rb"^[ \t]*HostKey[ \t=]+\S*ssh_host_([a-z0-9]+)_key\b", re.I | re.M)

Fingerprints = list[tuple[str, str]]
Maker = Callable[[Sequence[str], str], list[Key]]


def validate_nameserver(text: str) -> str:
    """An address that can be asked, as the resolver writes it."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        raise BadValue(BadValues.NOT_A_RESOLVER, word=text) from None
    unusable = address.is_unspecified or address.is_multicast or text == "255.255.255.255"
    if unusable or "%" in text:
        raise BadValue(BadValues.RESOLVER_UNUSABLE, word=text)
    return f"{address}"


def validate_search_domain(text: str) -> str:
    if len(text) > LONGEST_DOMAIN or not all(LABEL.match(label) for label in text.split(".")):
        raise BadValue(BadValues.NOT_A_SEARCH_DOMAIN, word=text)
    return text


def validate_nameservers(texts: Sequence[str]) -> list[str]:
    if len(texts) > NAMESERVERS:
        raise BadValue(BadValues.RESOLVERS_MANY, most=NAMESERVERS)
    return [validate_nameserver(text) for text in texts]


def validate_search_domains(texts: Sequence[str]) -> list[str]:
    if len(texts) > SEARCH_DOMAINS or len(" ".join(texts)) > SEARCH_LENGTH:
        raise BadValue(BadValues.SEARCH_LONG, domains=SEARCH_DOMAINS, characters=SEARCH_LENGTH)
    return [validate_search_domain(text) for text in texts]


def set_hostname(tree: SafeTree, hostname: str, addresses: Sequence[str] = ()) -> None:
    """Name the container, for its next start; a running one has to be told besides.

    addresses: its own, that the name is to resolve to in it; without, that's 127.0.1.1.
    """
    hostname = check(hostname)
    text = hosts(read_text(tree, HOSTS) or DEFAULT_HOSTS, hostname, addresses)
    tree.write(HOSTNAME, f"{hostname}\n".encode())
    tree.write(HOSTS, encoded(text))
    if tree.kind(NETWORK) is Kind.FILE:
        line = re.compile(r"^HOSTNAME=.*$", re.M)
        network = read_text(tree, NETWORK)
        if line.search(network):
            tree.write(NETWORK, encoded(line.sub(f"HOSTNAME={hostname}", network)))


def hosts(text: str, hostname: str, addresses: Sequence[str] = ()) -> str:
    """The text of /etc/hosts with the container's lines anew; all other lines are kept."""
    names = " ".join(dict.fromkeys([hostname, hostname.split(".")[0]]))
    kept = [line for line in text.removesuffix("\n").split("\n") if not own(line)]
    own_addresses = [f"{ip_address(address)}" for address in addresses] or ["127.0.1.1"]
    lines = [f"{address} {names} {OURS}" for address in own_addresses]
    return "\n".join([*kept, *lines]) + "\n"


def own(line: str) -> bool:
    return line.rstrip().endswith(OURS) or line.split()[:1] == ["127.0.1.1"]


def set_resolver(tree: SafeTree, nameservers: Sequence[str], search: Sequence[str] = ()) -> None:
    """Write resolv.conf, in the place of a link too (systemd-resolved's, say)."""
    domains = validate_search_domains(search)
    lines = [OURS, *([f"search {' '.join(domains)}"] if domains else [])]
    lines += [f"nameserver {address}" for address in validate_nameservers(nameservers)]
    tree.write(RESOLVER, "".join(f"{line}\n" for line in lines).encode())


def set_machine_id(tree: SafeTree) -> str:
    """Give the container a new identity for systemd, journal, D-Bus and DHCP; returns it."""
    machine_id = uuid.uuid4().hex
    tree.write(MACHINE_ID, f"{machine_id}\n".encode(), mode=0o444)
    if tree.kind(DBUS_ID) is Kind.FILE:
        tree.write(DBUS_ID, f"{machine_id}\n".encode(), mode=0o444)
    return machine_id


def make_host_keys(
    tree: SafeTree, comment: str = hostkeys.NOBODY, make: Maker = hostkeys.make
) -> Fingerprints:
    """Fresh SSH host keys in place of those it has; [] for a tree without sshd.

    What came with a template is known to everybody who has the template, so all of it goes.
    """
    if tree.kind(SSH, Links.INSIDE) is not Kind.DIRECTORY:
        return []
    made = make(wanted(tree), comment)
    for name in filter(HOST_KEY_FILE.match, tree.listdir(SSH)):
        tree.remove(f"{SSH}/{name}")
    for key in made:
        tree.write(f"{SSH}/{key.name}", key.private, mode=0o600)
        tree.write(f"{SSH}/{key.name}.pub", key.public, mode=0o644)
    return host_keys(tree)


def wanted(tree: SafeTree) -> list[str]:
    """The kinds of key to make: RSA only if sshd_config names it and none of the quick ones."""
    try:
        config = tree.read(f"{SSH}/sshd_config", links=Links.INSIDE)
    except BadTree:
        config = b""
    named = {kind.decode() for kind in HOST_KEY_LINE.findall(config)}
    return [*QUICK, SLOW] if SLOW in named and not named & set(QUICK) else [*QUICK]


def host_keys(tree: SafeTree) -> Fingerprints:
    """What a client sees on its first connection: [("ed25519", "SHA256:…"), …].

    Read from the public keys, which the container's root may have changed without its sshd.
    """
    if tree.kind(SSH, Links.INSIDE) is not Kind.DIRECTORY:
        return []
    found = []
    for match in [*filter(None, map(PUBLIC_KEY.match, tree.listdir(SSH)))][:KEYS]:
        try:
            key = tree.read(f"{SSH}/{match[0]}", KEY_LIMIT).decode(errors="replace")
            found.append((match[1], fingerprint(key)))
        except (BadTree, BadValue):
            continue
    return found


def read_text(tree: SafeTree, path: str) -> str:
    """The text of a file, "" when it is missing. Bytes that aren't UTF-8 survive `encoded`."""
    try:
        return tree.read(path, links=Links.INSIDE).decode(errors="surrogateescape")
    except Missing:
        return ""


def encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
