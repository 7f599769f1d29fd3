"""The whole text of the rules on which containers reach one another, in both dialects."""

from pathlib import Path

from containers.node.conf import NodeConf
from containers.node.network import reach

ALPHA = NodeConf("alpha", Path("/var/lib/panel"), Path("/vz"), Path("/etc/vz"))
GROUPS = ((101, 102), (200, 201))
NFT = """\
add table inet panel_{i}_reach
delete table inet panel_{i}_reach
table inet panel_{i}_reach {{
  comment "{mark}"
  chain group0 {{ oifname {{ "v{i}2t", "v{i}2u" }} accept; drop; }}
  chain group1 {{ oifname {{ "v{i}5k", "v{i}5l" }} accept; drop; }}
  chain between {{
    ct state established,related accept
    iifname vmap {{ "v{i}2t" : goto group0, "v{i}2u" : goto group0, "v{i}5k" : goto group1, \
"v{i}5l" : goto group1 }}
    drop
  }}
  chain away {{
    type filter hook forward priority 1; policy accept;
    iifname "v{i}*" oifname "v{i}*" goto between
  }}
}}
"""
IPTABLES = """\
*filter
:panel_{i}_reach - [0:0]
:panel_{i}_reach0 - [0:0]
-A panel_{i}_reach -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A panel_{i}_reach -i v{i}2t -g panel_{i}_reach0
-A panel_{i}_reach0 -o v{i}2t -j RETURN
-A panel_{i}_reach -i v{i}2u -g panel_{i}_reach0
-A panel_{i}_reach0 -o v{i}2u -j RETURN
-A panel_{i}_reach0 -j DROP
-A panel_{i}_reach -m comment --comment {mark} -j DROP
-I FORWARD -i v{i}+ -o v{i}+ -j panel_{i}_reach
COMMIT
"""


def test_the_table_of_nftables() -> None:
    said = NFT.format(i=ALPHA.instance, mark=reach.mark(GROUPS))
    assert reach.nft_text(ALPHA, GROUPS) == said


def test_without_groups_nobody_reaches_anybody() -> None:
    text = reach.nft_text(ALPHA, ())
    assert "vmap" not in text
    assert "    ct state established,related accept\n    drop\n" in text


def test_the_chains_of_iptables() -> None:
    said = IPTABLES.format(i=ALPHA.instance, mark=reach.mark(GROUPS[:1]))
    lines = sorted(reach.iptables_text(ALPHA, GROUPS[:1]).splitlines())
    assert lines == sorted(said.splitlines())


def test_another_grouping_has_another_mark() -> None:
    assert len({reach.mark(groups) for groups in (GROUPS, GROUPS[:1], ())}) == 3
