"""Which containers reach one another: a table of its own, for it changes with their owners.

Containers of one group do, and no others, by whatever address. What comes back to whom was let
through is let through. A container that is in no group, as one that is new, reaches none.
"""

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum

from containers.node.conf import NodeConf
from containers.node.errors import OperationError
from containers.node.lines import lines_in
from containers.node.network import names, record
from containers.node.network.rules import Command, digest
from containers.node.processes.run import call

NFT, IPTABLES = "nft", ("iptables", "ip6tables")
ABSENT = (0, 1, 2, 4)  # deleting a rule or chain that isn't there
BACK = "ct state established,related accept"

Groups = Sequence[Collection[int]]  # of CT IDs


class Reach(StrEnum):
    """What a node's setting says."""

    OWNER = "owner"
    ALL = "all"
    NONE = "none"


def table(conf: NodeConf) -> str:
    return f"{names.table(conf)}_reach"


def apply(conf: NodeConf, groups: Groups | None) -> None:
    """Let these reach one another, and no others; None: all do. Raises OperationError."""
    firewall = record.load(conf).firewall
    if not firewall:  # there is no network
        return
    nft = firewall == NFT
    if groups is None:
        commands = nft_gone(conf) if nft else iptables_gone(conf)
    else:
        commands = [Command([NFT, "-f", "-"], nft_text(conf, groups))]
        commands = commands if nft else iptables(conf, groups)
    for command in commands:
        call(command.argv, stdin=command.stdin.encode(), ok=command.ok)


def stands(conf: NodeConf, groups: Groups | None) -> bool:
    """Are exactly these rules in place? For somebody may have flushed the firewall."""
    firewall = record.load(conf).firewall
    if not firewall:
        return True
    argv = [NFT, "list", "tables"] if firewall == NFT else ["iptables", "-w", "-S"]
    if groups is not None and firewall == NFT:
        argv = [NFT, "list", "table", "inet", table(conf)]
    try:
        said = call(argv, ok=(0, 1)).decode()
    except OperationError:
        return False
    return table(conf) not in said if groups is None else mark(groups) in said


def remove(conf: NodeConf) -> list[Command]:
    """What takes it away, whichever firewall it was."""
    firewall = record.load(conf).firewall
    return nft_gone(conf) if firewall == NFT else iptables_gone(conf) if firewall else []


def mark(groups: Groups) -> str:
    return digest(repr([sorted(group) for group in groups]))


def nft_gone(conf: NodeConf) -> list[Command]:
    name = table(conf)
    return [Command([NFT, "-f", "-"], f"add table inet {name}\ndelete table inet {name}\n")]


def nft_text(conf: NodeConf, groups: Groups) -> str:
    name, links = table(conf), f'"{names.prefix(conf)}*"'
    ways = [f"{link} : goto group{n}" for n, group in enumerate(groups)
            for link in quoted(conf, group)]  # fmt: skip
    lines = [
        f"add table inet {name}",
        f"delete table inet {name}",
        f"table inet {name} {{",
        f'  comment "{mark(groups)}"',
    ]
    for n, group in enumerate(groups):
        members = ", ".join(quoted(conf, group))
        lines.append(f"  chain group{n} {{ oifname {{ {members} }} accept; drop; }}")
    lines += ["  chain between {", f"    {BACK}"]
    lines += [f"    iifname vmap {{ {', '.join(ways)} }}"] if ways else []
    lines += [
        "    drop",
        "  }",
        "  chain away {",
        "    type filter hook forward priority 1; policy accept;",
        f"    iifname {links} oifname {links} goto between",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def quoted(conf: NodeConf, group: Collection[int]) -> list[str]:
    return [f'"{names.veth(conf, ctid)}"' for ctid in sorted(group)]


def iptables(conf: NodeConf, groups: Groups) -> list[Command]:
    text = iptables_text(conf, groups)
    return [
        *iptables_gone(conf),
        *(Command([f"{tool}-restore", "--noflush"], text) for tool in IPTABLES),
    ]


def iptables_text(conf: NodeConf, groups: Groups) -> str:
    name, links = table(conf), f"{names.prefix(conf)}+"
    lines = ["*filter", f":{name} - [0:0]"]
    lines += [f":{name}{n} - [0:0]" for n in range(len(groups))]
    lines.append(f"-A {name} -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN")
    for n, group in enumerate(groups):
        members = [names.veth(conf, ctid) for ctid in sorted(group)]
        lines += [f"-A {name} -i {link} -g {name}{n}" for link in members]
        lines += [f"-A {name}{n} -o {link} -j RETURN" for link in members]
        lines.append(f"-A {name}{n} -j DROP")
    lines.append(f"-A {name} -m comment --comment {mark(groups)} -j DROP")
    lines.append(f"-I FORWARD -i {links} -o {links} -j {name}")
    return "\n".join([*lines, "COMMIT"]) + "\n"


def iptables_gone(conf: NodeConf) -> list[Command]:
    return [command for tool in IPTABLES for command in chains_gone(conf, tool)]


def chains_gone(conf: NodeConf, tool: str) -> Iterator[Command]:
    name, links = table(conf), f"{names.prefix(conf)}+"
    yield Command([tool, "-w", "-D", "FORWARD", "-i", links, "-o", links, "-j", name], ok=ABSENT)
    said = call([tool, "-w", "-S"], ok=ABSENT).decode()
    found = [words[1] for line in lines_in(said) if (words := line.split())[:1] == ["-N"]]
    ours = [each for each in found if each.startswith(name)]
    for option in ("-F", "-X"):
        yield from (Command([tool, "-w", option, each], ok=ABSENT) for each in ours)
