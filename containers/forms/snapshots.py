"""What somebody decides about snapshots of a container."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models

from containers.forms.containers import lowest_free
from containers.forms.fields import PLAIN, CheckedField, RangeField, between, checked
from containers.forms.shared import Shared
from containers.models import Container, Operation, Schedule, Snapshot
from containers.models.container import CTIDS
from containers.models.schedule import LONGEST, MOST, SHORTEST, check_cron
from containers.node import checks
from containers.node.errors import OperationError
from containers.node.states import State
from containers.node.templates import catalogue, remains

HOUR = 60
BOTH = "Enter how often, or at which times, but not both: empty one of the two fields."
INTERVAL = f"The interval must be between {SHORTEST} minutes and {LONGEST // 60 // 24} days."


class SnapshotForm(forms.Form):
    """A new snapshot. What a container that doesn't run has no use for is left out."""

    name = CheckedField(checks.line, label="Name", required=False, max_length=80)
    note = CheckedField(
        checks.line,
        label="Note",
        required=False,
        max_length=255,
        help_text="For whoever restores it",
    )
    what = forms.ChoiceField(
        label="What to keep",
        choices=[
            ("all", "Processes and disk; it is paused for about a second"),
            ("stop", "Processes and disk, then stop it"),
            ("disk", "Disk only, as after a power cut"),
        ],
        initial="all",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, container: Container, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.container = container
        choice: Any = self.fields["what"]
        if container.state != State.RUNNING:
            del self.fields["what"]
        elif container.node.facts.get("snapshots_off"):
            choice.choices = choice.choices[2:]
            choice.initial = "disk"

    def request(self, *, by: User) -> Operation:
        """Raises Busy, TooMany."""
        data = self.cleaned_data
        what = data.get("what")
        return Snapshot.take(
            self.container,
            name=data["name"],
            note=data["note"],
            by=by,
            stop=what == "stop",
            disk_only=what == "disk",
        )


class RestoreForm(forms.Form):
    safety = forms.BooleanField(
        label="Keep its present state as a safety snapshot",
        required=False,
        initial=True,
        help_text="Restore it to undo this. It is deleted automatically after 7 days, or two "
        "restores later",
    )
    settings = forms.ChoiceField(
        label="Settings that were changed since then",
        choices=[("now", "Keep those of today"), ("then", "Take those of then")],
        initial="now",
        widget=forms.RadioSelect,
    )
    what = forms.ChoiceField(
        label="What to restore",
        choices=[
            ("all", "Processes and disk; it continues from that moment"),
            ("closed", "Processes and disk, but close open connections"),
            ("disk", "Disk only; the container is stopped"),
        ],
        initial="all",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, snapshot: Snapshot, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.snapshot = snapshot
        if not any(each.may(by) for each in snapshot.changed_since()):
            del self.fields["settings"]
        choice: Any = self.fields["what"]
        if not snapshot.with_processes:
            del self.fields["what"]
        elif snapshot.container.node.facts.get("snapshots_off"):
            choice.choices = choice.choices[2:]
            choice.initial = "disk"

    def request(self, *, by: User) -> Operation:
        """Raises Busy, BadValue."""
        data = self.cleaned_data
        what = data.get("what")
        return self.snapshot.restore(
            safety=data["safety"],
            take=data.get("settings") == "then",
            by=by,
            disk_only=what == "disk",
            tcp_close=what == "closed",
        )


class CloneForm(forms.Form):
    ctid = RangeField(CTIDS, label="CT ID")
    hostname = CheckedField(checks.hostname, label="Host name")
    owner = forms.ModelChoiceField(
        User.objects.none(), label="Owner", required=False, empty_label="Nobody (staff only)"
    )
    processes = forms.BooleanField(
        label="Let its processes continue in the clone",
        required=False,
        help_text="Their connections are closed. Otherwise the clone is stopped",
    )

    def __init__(self, *args: Any, snapshot: Snapshot, **kwargs: Any) -> None:
        free = lowest_free()
        owned_by = snapshot.container.owner_id
        kwargs["initial"] = {"ctid": free, "hostname": f"ct{free}", "owner": owned_by}
        super().__init__(*args, **kwargs)
        self.snapshot = snapshot
        owner: Any = self.fields["owner"]
        owner.queryset = User.objects.filter(is_active=True).order_by("username")
        off = snapshot.container.node.facts.get("snapshots_off")
        if not snapshot.with_processes or off:
            del self.fields["processes"]

    def request(self, *, by: User) -> Operation | None:
        """None when it could not be, with errors added."""
        data = self.cleaned_data
        try:
            return self.snapshot.clone(
                data["ctid"],
                processes=data.get("processes", False),
                by=by,
                hostname=data["hostname"],
                owner=data["owner"],
            )
        except OperationError as error:
            self.add_error(None, f"{error}")
            return None


class PublishForm(forms.Form):
    template = forms.CharField(
        label="Name of the template", help_text="It becomes the newest version of that name"
    )

    clean_groups = forms.MultipleChoiceField(
        choices=[(group.word, group.title) for group in remains.GROUPS],
        initial=remains.DEFAULT,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["template"].widget.attrs.update(PLAIN)

    def clean_template(self) -> str:
        return checked(catalogue.check, self.cleaned_data["template"])


class Unit(models.IntegerChoices):
    MINUTES = 1, "minutes"
    HOURS = HOUR, "hours"


class ScheduleForm(Shared, forms.Form):
    """An interval, or a cron time in its place."""

    count = forms.IntegerField(
        label="Every",
        required=False,
        min_value=1,
        max_value=LONGEST,
        error_messages=dict.fromkeys(("min_value", "max_value"), INTERVAL),
    )
    unit = forms.TypedChoiceField(label="Unit", choices=Unit.choices, coerce=int)
    cron = forms.CharField(
        label="Or at these times",
        required=False,
        max_length=100,
        validators=[check_cron],
        help_text="As in cron: minute, hour, day, month and day of the week. “30 3 * * *” is every "
        "night at 3:30",
    )
    keep = forms.IntegerField(
        label="Keep the last",
        min_value=1,
        max_value=MOST,
        error_messages=between("The number to keep", 1, MOST),
        help_text="Older scheduled ones are deleted, protected ones are kept",
    )
    disk_only = forms.BooleanField(
        label="Save only the disk", required=False, help_text="Then it is never paused"
    )

    def __init__(self, *args: Any, container: Container, **kwargs: Any) -> None:
        self.container = container
        self.schedule: Schedule | None = Schedule.objects.filter(container=container).first()
        kwargs["initial"] = self.present()
        super().__init__(*args, **kwargs)
        self.fields["cron"].widget.attrs.update(PLAIN)
        self.fields["count"].widget.attrs["placeholder"] = "24"

    def present(self) -> dict[str, Any]:
        if not self.schedule:
            return {"unit": HOUR, "keep": 7}
        every = self.schedule.every
        unit = HOUR if every and every % HOUR == 0 else 1
        return {
            "count": every // unit if every else None,
            "unit": unit,
            "cron": self.schedule.cron,
            "keep": self.schedule.keep,
            "disk_only": self.schedule.disk_only,
        }

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("cron") and data.get("count"):
            raise ValidationError(BOTH)
        if data.get("cron") or "cron" in self.errors or "count" in self.errors:
            return data
        every = (data.get("count") or 0) * (data.get("unit") or HOUR)
        if not every:
            raise ValidationError("Enter how often, or at which times.")
        if not SHORTEST <= every <= LONGEST:
            self.add_error("count", INTERVAL)
        data["every"] = every
        return data

    def save(self) -> Schedule:
        data = self.cleaned_data
        schedule = self.schedule or Schedule(container=self.container)
        schedule.cron = data["cron"]
        schedule.every = None if data["cron"] else data["every"]
        schedule.keep, schedule.disk_only = data["keep"], data["disk_only"]
        schedule.begin()
        return schedule
