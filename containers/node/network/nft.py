"""The rules as a table of nftables, put in and replaced in one transaction."""

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

PROGRAM = "nft"
CONTAINERS = 65535  # that can be told apart
DNS = "meta l4proto { tcp, udp } th dport 53"


def install(rules: Rules) -> list[Command]:
    return [Command(["nft", "-f", "-"], text(rules))]


def remove(rules: Rules) -> list[Command]:
    # Added first, for deleting what is absent would be an error.
    gone = f"add table inet {rules.table}\ndelete table inet {rules.table}\n"
    return [Command(["nft", "-f", "-"], gone)]


def look(rules: Rules) -> list[Command]:
    """What prints the table, or fails with 1 when there is none."""
    return [Command(["nft", "list", "table", "inet", rules.table], ok=(0, 1))]


def stands(rules: Rules, said: bytes) -> bool:
    """Are exactly these rules in place? said: what look printed."""
    return f'comment "{digest(body(rules))}"'.encode() in said


def text(rules: Rules) -> str:
    inside = body(rules)
    return (
        f"add table inet {rules.table}\n"
        f"delete table inet {rules.table}\n"
        f"table inet {rules.table} {{\n"
        f'  comment "{digest(inside)}"\n'
        f"{inside}}}\n"
    )


def body(rules: Rules) -> str:
    links = f'"{rules.links}*"'
    chains = [
        chain(
            "source", "filter hook prerouting priority -300",
            f"iifname {links} fib saddr . iif oif missing drop",
        ),
        *counting(rules),
        chain("node", "filter hook input priority 0", f"iifname {links} goto from_container"),
        chain(
            "from_container", "",
            f"icmp type {REDIRECT} drop",
            "ct state established,related accept",
            "icmp type echo-request accept",
            f"icmpv6 type {{ {ECHO6}, {SOLICIT}, {ADVERTISE} }} accept",
            *dns(rules),
            "drop",
        ),
        chain(
            "away", "filter hook forward priority 0",
            f"iifname {links} ip daddr {METADATA} goto metadata",
            f"iifname {links} ip6 daddr {METADATA6} goto metadata",
        ),
        chain("metadata", "", *dns(rules), "drop"),
    ]  # fmt: skip
    if rules.nat:
        chains.append(
            chain(
                "nat", "nat hook postrouting priority 100",
                f"ip saddr {rules.pool} oifname != {links} masquerade",
            )
        )  # fmt: skip
    return "".join(chains)


def counting(rules: Rules) -> list[str]:
    """One table of the kernel's has everybody's connections: when it's full nobody gets a new one.

    They are counted by interface, of which each container has one.
    """
    if rules.connections is None:
        return []
    links, over = f'"{rules.links}*"', f"ct count over {rules.connections}"
    return [
        counted("begun"),
        counted("received"),
        chain(
            "begin", "filter hook prerouting priority -150",
            f"iifname {links} ct state new add @begun {{ iifname {over} }} drop",
        ),
        chain(
            "receive", "filter hook forward priority -10",
            f"iifname != {links} oifname {links} ct state new"
            f" add @received {{ oifname {over} }} drop",
        ),
    ]  # fmt: skip


def counted(name: str) -> str:
    lines = ("type ifname", f"size {CONTAINERS}", "flags dynamic")
    return f"  set {name} {{\n" + "".join(f"    {line}\n" for line in lines) + "  }\n"


def chain(name: str, hook: str, *lines: str) -> str:
    head = [f"type {hook}; policy accept;"] if hook else []
    return f"  chain {name} {{\n" + "".join(f"    {line}\n" for line in [*head, *lines]) + "  }\n"


def dns(rules: Rules) -> list[str]:
    families = (("ip", rules.resolvers4), ("ip6", rules.resolvers6))
    return [
        f"{family} daddr {{ {', '.join(resolvers)} }} {DNS} accept"
        for family, resolvers in families
        if resolvers
    ]
