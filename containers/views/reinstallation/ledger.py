"""What a reinstallation keeps and what it loses, of this very container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import date, pluralize
from django.utils.timezone import localtime

from containers.forms.reinstallation import Access, Draft, Keep
from containers.models import Container, ReplacedSystem
from containers.models.replaced_system import undo_until
from containers.node.kept import REPLACED_MANY
from containers.node.settings import TABLE
from containers.node.states import State
from containers.views.sizes import in_units, worded

Answer = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    what: str
    how: str = ""


def kept(container: Container, draft: Draft, answer: Answer | None) -> list[Entry]:
    """answer: what the node said, once it has."""
    found = [
        Entry("Host name and CT ID", f"{container.hostname}, {container.ctid}"),
        Entry("Addresses", ", ".join(container.addresses) or "none, as before"),
        Entry("Limits", limits(container)),
        Entry("Owner", f"{container.owner}" if container.owner else "nobody, as before"),
    ]
    if scripts := container.scripts.count():
        off = draft.without_own_scripts
        how = "start and stop are disabled" if off else "as they are"
        found.append(Entry(f"Its {scripts} script{pluralize(scripts)}", how))
    if answer and (snapshots := answer["snapshots"]):
        found.append(Entry(f"{snapshots} snapshot{pluralize(snapshots)}", "as they are"))
    if draft.access == Access.KEEP:
        found.append(Entry("Users, passwords, root's SSH keys", named(answer)))
    found += files(draft, answer)
    found.append(Entry("History and logs", "everything that was done to it so far"))
    return found


def limits(container: Container) -> str:
    """The limits that its settings give it, all of which it keeps."""
    said = [
        f"{setting.label.lower()} {worded(setting, value)}"
        for setting in TABLE
        if setting.limits and setting.kept and (value := container.value_of(setting.name))
    ]
    return ", ".join(said) or "none, as before"


def named(answer: Answer | None) -> str:
    return ", ".join(answer["users"]) if answer else ""


def files(draft: Draft, answer: Answer | None) -> list[Entry]:
    found, until = [], undo_until()
    if draft.keep == Keep.OLD:
        found.append(Entry(f"Your files{amount(answer)}", "in /old of the new system"))
    if until and not draft.erases:
        day = date(localtime(until), "j F Y, H:i T")
        found.append(Entry("The whole old system", f"until {day}; one button puts it back"))
    return found


def amount(answer: Answer | None) -> str:
    if not answer:
        return ""
    size, number = answer["old"]["bytes"], answer["old"]["files"]
    said = [in_units(size)] if size is not None else []
    said += [f"{number:,} files".replace(",", " ")] if number is not None else []
    return f" ({', '.join(said)})" if said else ""


def lost(container: Container, draft: Draft, answer: Answer | None) -> list[Entry]:
    found = []
    if draft.erases:
        found.append(Entry(f"All files{amount(answer)}", "erased for good"))
    installed = "is gone" if draft.erases else "must be set up again"
    found.append(Entry("Installed programs and their settings", f"what you added {installed}"))
    if container.state in (State.RUNNING, State.MOUNTED):
        found.append(Entry("Running programs", "they are ended, and connections are closed"))
    if draft.access != Access.KEEP:
        found.append(Entry("Users and passwords", named(answer)))
    if undo_until() and not draft.erases:
        found += [going(system) for system in container.replaced_systems.all()[REPLACED_MANY - 1 :]]
    found.append(
        Entry("SSH host keys, machine ID", "new ones are made, and you get their fingerprints")
    )
    return found


def going(system: ReplacedSystem) -> Entry:
    since = date(localtime(system.since), "j F Y, H:i T")
    return Entry(
        f"The system before the reinstallation of {since}",
        f"only the {REPLACED_MANY} systems that were replaced last are kept",
    )
