"""The rules as chains of iptables, where nftables can't be used."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from containers.node.network.rules import (
    ADVERTISE,
    ECHO6,
    METADATA,
    METADATA6,
    REDIRECT,
    SOLICIT,
    Command,
    Rules,
    digest,
)

PROGRAM = "iptables"
ABSENT = (0, 1, 2, 4)  # deleting a rule or chain that isn't there


@dataclass(frozen=True)
class Chain:
    """One of our chains and the built-in one that jumps to it for packets that match `by`."""

    table: str
    builtin: str
    name: str
    by: tuple[str, ...]
    rules: tuple[str, ...]


def install(rules: Rules) -> list[Command]:
    """Old jumps go first: restoring with --noflush empties our chains, but would jump twice."""
    return [
        *(command for tool in tools(rules) for command in unhook(rules, tool)),
        *(
            Command([f"{tool}-restore", "--noflush"], text(chains(rules, tool)))
            for tool in tools(rules)
        ),
    ]


def remove(rules: Rules) -> list[Command]:
    return [
        command
        for tool in tools(rules)
        for command in [*unhook(rules, tool), *drop_chains(rules, tool)]
    ]


def look(rules: Rules) -> list[Command]:
    """What prints the rules for packets to the node."""
    return [Command([tool, "-w", "-S"]) for tool in tools(rules)]


def stands(rules: Rules, said: bytes) -> bool:
    """Are these rules in place? said: all that look printed."""
    return all(mark(chains(rules, tool)).encode() in said for tool in tools(rules))


def text(own: list[Chain]) -> str:
    """For iptables-restore, the last rule bearing the digest of all as its comment."""
    lines = []
    for table in dict.fromkeys(chain.table for chain in own):
        there = [chain for chain in own if chain.table == table]
        lines += [f"*{table}", *(f":{chain.name} - [0:0]" for chain in there)]
        for chain in there:
            lines.append(" ".join(["-I", chain.builtin, *chain.by, "-j", chain.name]))
            lines += [f"-A {chain.name} {rule}" for rule in chain.rules]
            if chain.builtin == "INPUT":
                lines.append(f"-A {chain.name} -m comment --comment {mark(own)} -j DROP")
        lines.append("COMMIT")
    return "\n".join(lines) + "\n"


def mark(own: list[Chain]) -> str:
    return digest(repr(own))


def chains(rules: Rules, tool: str) -> list[Chain]:
    links = ("-i", f"{rules.links}+")
    four = tool == "iptables"
    metadata = METADATA if four else METADATA6
    dns = [
        f"-d {resolver} -p {protocol} --dport 53 -j RETURN"
        for resolver in (rules.resolvers4 if four else rules.resolvers6)
        for protocol in ("udp", "tcp")
    ]
    own = [
        Chain("raw", "PREROUTING", f"{rules.table}_src", links,
              ("-m rpfilter --invert -j DROP",)),
        Chain("filter", "INPUT", f"{rules.table}_in", links,
              (*(ICMP4 if four else ICMP6), *dns)),
        Chain("filter", "FORWARD", f"{rules.table}_away", links,
              (*dns, f"-d {metadata} -j DROP")),
    ]  # fmt: skip
    if rules.connections is not None:
        own += counting(rules, links, 32 if four else 128)
    if four and rules.nat:
        away = f"-s {rules.pool} ! -o {rules.links}+ -j MASQUERADE"
        own.append(Chain("nat", "POSTROUTING", f"{rules.table}_nat", (), (away,)))
    return own


def counting(rules: Rules, links: tuple[str, ...], mask: int) -> list[Chain]:
    """By address, for it has no count by interface; a source was seen to be its container's own."""
    over = f"--connlimit-above {rules.connections} --connlimit-mask {mask}"
    new = f"-m conntrack --ctstate NEW -m connlimit {over}"
    return [
        Chain("mangle", "PREROUTING", f"{rules.table}_beg", links,
              (f"{new} --connlimit-saddr -j DROP",)),
        Chain("mangle", "FORWARD", f"{rules.table}_rec", ("!", *links, "-o", links[1]),
              (f"{new} --connlimit-daddr -j DROP",)),
    ]  # fmt: skip


ANSWERS = "-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"
ICMP4 = (
    f"-p icmp --icmp-type {REDIRECT} -j DROP",
    ANSWERS,
    "-p icmp --icmp-type echo-request -j RETURN",
)
ICMP6 = (
    ANSWERS,
    *(f"-p icmpv6 --icmpv6-type {n} -j RETURN" for n in (ECHO6, SOLICIT, ADVERTISE)),
)


def tools(rules: Rules) -> tuple[str, ...]:
    return ("iptables", "ip6tables") if rules.ipv6 else ("iptables",)


def every(rules: Rules, tool: str) -> list[Chain]:
    """Those too that rules of before may have had."""
    return chains(replace(rules, nat=True, connections=0), tool)


def unhook(rules: Rules, tool: str) -> Iterator[Command]:
    for chain in every(rules, tool):
        jump = ["-D", chain.builtin, *chain.by, "-j", chain.name]
        yield Command([tool, "-w", "-t", chain.table, *jump], ok=ABSENT)


def drop_chains(rules: Rules, tool: str) -> Iterator[Command]:
    for chain in every(rules, tool):
        for option in ("-F", "-X"):
            yield Command([tool, "-w", "-t", chain.table, option, chain.name], ok=ABSENT)
