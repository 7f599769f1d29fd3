"""The whole text of the firewall's rules, in both dialects."""

from dataclasses import replace
from ipaddress import IPv4Network

from containers.node.network import connections, iptables, nft
from containers.node.network.addresses import parse
from containers.node.network.rules import Rules

RULES = Rules(
    table="panel_deadbeef",
    links="vdeadbeef",
    pool=IPv4Network("10.20.4.0/22"),
    resolvers=(parse("203.0.113.53"), parse("2001:db8::53")),
)
NFT = """\
  chain source {
    type filter hook prerouting priority -300; policy accept;
    iifname "vdeadbeef*" fib saddr . iif oif missing drop
  }
  chain node {
    type filter hook input priority 0; policy accept;
    iifname "vdeadbeef*" goto from_container
  }
  chain from_container {
    icmp type 5 drop
    ct state established,related accept
    icmp type echo-request accept
    icmpv6 type { 128, 135, 136 } accept
    ip daddr { 203.0.113.53 } meta l4proto { tcp, udp } th dport 53 accept
    ip6 daddr { 2001:db8::53 } meta l4proto { tcp, udp } th dport 53 accept
    drop
  }
  chain away {
    type filter hook forward priority 0; policy accept;
    iifname "vdeadbeef*" ip daddr 169.254.0.0/16 goto metadata
    iifname "vdeadbeef*" ip6 daddr fd00:ec2::/32 goto metadata
  }
  chain metadata {
    ip daddr { 203.0.113.53 } meta l4proto { tcp, udp } th dport 53 accept
    ip6 daddr { 2001:db8::53 } meta l4proto { tcp, udp } th dport 53 accept
    drop
  }
  chain nat {
    type nat hook postrouting priority 100; policy accept;
    ip saddr 10.20.4.0/22 oifname != "vdeadbeef*" masquerade
  }
"""
IPTABLES = """\
*raw
:panel_deadbeef_src - [0:0]
-I PREROUTING -i vdeadbeef+ -j panel_deadbeef_src
-A panel_deadbeef_src -m rpfilter --invert -j DROP
COMMIT
*filter
:panel_deadbeef_in - [0:0]
:panel_deadbeef_away - [0:0]
-I INPUT -i vdeadbeef+ -j panel_deadbeef_in
-A panel_deadbeef_in -p icmp --icmp-type 5 -j DROP
-A panel_deadbeef_in -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A panel_deadbeef_in -p icmp --icmp-type echo-request -j RETURN
-A panel_deadbeef_in -d 203.0.113.53 -p udp --dport 53 -j RETURN
-A panel_deadbeef_in -d 203.0.113.53 -p tcp --dport 53 -j RETURN
-A panel_deadbeef_in -m comment --comment MARK -j DROP
-I FORWARD -i vdeadbeef+ -j panel_deadbeef_away
-A panel_deadbeef_away -d 203.0.113.53 -p udp --dport 53 -j RETURN
-A panel_deadbeef_away -d 203.0.113.53 -p tcp --dport 53 -j RETURN
-A panel_deadbeef_away -d 169.254.0.0/16 -j DROP
COMMIT
*nat
:panel_deadbeef_nat - [0:0]
-I POSTROUTING -j panel_deadbeef_nat
-A panel_deadbeef_nat -s 10.20.4.0/22 ! -o vdeadbeef+ -j MASQUERADE
COMMIT
"""


def test_the_table_of_nftables() -> None:
    assert nft.body(RULES) == NFT
    assert nft.text(RULES).startswith(
        "add table inet panel_deadbeef\ndelete table inet panel_deadbeef\n"
        "table inet panel_deadbeef {\n"
    )


COUNTED = """\
  set begun {
    type ifname
    size 65535
    flags dynamic
  }
  set received {
    type ifname
    size 65535
    flags dynamic
  }
  chain begin {
    type filter hook prerouting priority -150; policy accept;
    iifname "vdeadbeef*" ct state new add @begun { iifname ct count over 4096 } drop
  }
  chain receive {
    type filter hook forward priority -10; policy accept;
    iifname != "vdeadbeef*" oifname "vdeadbeef*" ct state new\
 add @received { oifname ct count over 4096 } drop
  }
"""
MANGLED = """\
*mangle
:panel_deadbeef_beg - [0:0]
:panel_deadbeef_rec - [0:0]
-I PREROUTING -i vdeadbeef+ -j panel_deadbeef_beg
-A panel_deadbeef_beg -m conntrack --ctstate NEW -m connlimit --connlimit-above 4096\
 --connlimit-mask 32 --connlimit-saddr -j DROP
-I FORWARD ! -i vdeadbeef+ -o vdeadbeef+ -j panel_deadbeef_rec
-A panel_deadbeef_rec -m conntrack --ctstate NEW -m connlimit --connlimit-above 4096\
 --connlimit-mask 32 --connlimit-daddr -j DROP
COMMIT
"""


def test_connections_are_counted_for_each_container_by_itself() -> None:
    rules = replace(RULES, connections=4096)
    assert nft.body(rules) == NFT.replace("  chain node {", f"{COUNTED}  chain node {{")
    assert MANGLED in iptables.text(iptables.chains(rules, "iptables"))
    six = iptables.text(iptables.chains(rules, "ip6tables"))
    assert "--connlimit-mask 128 --connlimit-saddr" in six


def test_the_number_of_connections_is_vz_confs() -> None:
    assert connections.parse({"CONNTRACK": "1000"}) == 1000
    assert connections.parse({"CONNTRACK": "unlimited"}) is None
    found = connections.parse({})
    assert found == connections.parse({"CONNTRACK": "lots"}) == connections.default()
    assert connections.SMALLEST <= connections.default() <= connections.LARGEST


def test_without_nat_there_is_no_chain_for_it() -> None:
    assert nft.body(replace(RULES, nat=False)) == NFT[: NFT.index("  chain nat")]


def test_the_chains_of_iptables() -> None:
    own = iptables.chains(RULES, "iptables")
    assert iptables.text(own).replace(iptables.mark(own), "MARK") == IPTABLES
    six = iptables.text(iptables.chains(RULES, "ip6tables"))
    assert "10.20.4.0" not in six
    assert "-d 2001:db8::53 -p udp --dport 53 -j RETURN" in six


def test_a_firewall_stands_only_with_exactly_these_rules() -> None:
    assert nft.stands(RULES, nft.text(RULES).encode())
    assert not nft.stands(replace(RULES, nat=False), nft.text(RULES).encode())
    assert not nft.stands(RULES, b"")
    said = "".join(iptables.text(iptables.chains(RULES, tool)) for tool in iptables.tools(RULES))
    assert iptables.stands(RULES, said.encode())
    assert not iptables.stands(replace(RULES, resolvers=()), said.encode())
    assert not iptables.stands(RULES, iptables.text(iptables.chains(RULES, "iptables")).encode())


def test_no_name_of_a_chain_is_too_long_for_iptables() -> None:
    assert all(len(chain.name) <= 28 for chain in iptables.chains(RULES, "iptables"))
