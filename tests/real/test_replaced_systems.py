"""A system that was replaced: what is noted of it, and what the panel hears once it is back."""

import json

from containers.node.states import State
from containers.node.steps.replaced import listed
from tests.real.rig import Rig

SOON, LATER = "2099-01-01T00:00:00+00:00", "2099-02-01T00:00:00+00:00"


def test_undoing_trades_the_templates_and_keeps_the_other_until_the_later_date(
    rig: Rig, ctid: int
) -> None:
    assert rig.operate("start", ctid).code == 0
    done = rig.operate("reinstall", ctid, keep_until=LATER)
    assert done.facts["template"].startswith("busybox")
    number = done.facts["kept"]["operation"]
    place = rig.paths(ctid).old / f"{number}"
    noted = json.loads((place / "kept.json").read_text())
    (place / "kept.json").write_text(json.dumps({**noted, "template": "other@7"}))

    undone = rig.operate("undo_reinstall", ctid, replaced=number, keep_until=SOON)

    assert undone.code == 0, undone.log
    assert undone.facts["template"] == "other@7"
    assert undone.facts["host_keys"] == []  # busybox has no sshd
    assert "other@7" in rig.paths(ctid).ve_conf.read_text()
    [kept] = [k for k in listed(rig.conf) if k.ctid == ctid]
    assert (kept.operation, kept.template) == (number, noted["template"])
    assert kept.until.isoformat() == LATER


def test_what_has_been_forgotten_is_gone_and_nothing_else(rig: Rig, ctid: int) -> None:
    assert rig.operate("start", ctid).code == 0
    numbers = [
        rig.operate("reinstall", ctid, keep_until=SOON).facts["kept"]["operation"] for _ in range(2)
    ]
    assert rig.operate("delete_replaced", ctid, replaced=numbers[0]).code == 0
    assert [k.operation for k in listed(rig.conf) if k.ctid == ctid] == [numbers[1]]
    assert rig.state(ctid) is State.RUNNING
    assert rig.operate("undo_reinstall", ctid, replaced=numbers[0]).code == 94


def test_a_reinstallation_that_fails_says_nothing_of_host_keys_or_template(
    rig: Rig, ctid: int
) -> None:
    rig.write(ctid, "vps.configure", "exit 3\n")
    failed = rig.operate("reinstall", ctid, keep_until=SOON)
    assert failed.code == 94
    assert not {"template", "host_keys", "kept"} & set(failed.facts)
    assert not [k for k in listed(rig.conf) if k.ctid == ctid]
