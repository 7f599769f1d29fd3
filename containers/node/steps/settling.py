"""What a container is set to once a snapshot of it was restored."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from containers.node import veconf
from containers.node.checkpoint import record
from containers.node.checkpoint.saved import Saved
from containers.node.ct import Ct
from containers.node.states import State
from containers.node.steps.configuring import apply_hostname, configure, lines, write_conf

NAMES = ("HOSTNAME", "NAMESERVER", "SEARCHDOMAIN")  # keys of ve.conf that are in its files, too


def restored(ct: Ct) -> Ct:
    """The container as it is to be afterwards: with the settings of then that were asked for.

    params: take, their values by name. Whatever takes the restore back goes by those of today.
    """
    return replace(ct, spec=ct.spec.but(**listed(ct.params.get("take") or {})))


def listed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }


def settle(ct: Ct, kept: Saved) -> None:
    """Write down what it is now, as its next start would: of the template that its disk was of,
    with the names of today.
    """
    now = restored(ct)
    template = record.read(kept).template or now.spec.template
    ct.fact("template", template)
    now = replace(now, spec=now.spec.but(template=template))
    write_conf(now)
    was, wanted = veconf.read(kept.ve_conf), lines(now)
    if any(was.get(key, "") != wanted.get(key, "") for key in NAMES):
        configure(now)
        if ct.state is State.RUNNING:
            apply_hostname(now)
