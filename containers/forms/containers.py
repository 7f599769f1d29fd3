"""What a container shall be: making one, and changing it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models

from containers.forms.fields import AddressesField, CheckedField, WordsField, checked, sentence
from containers.forms.passwords import AccessForm
from containers.models import Container, Operation, Template, Via, wish
from containers.models.container import HIGHEST, LOWEST
from containers.models.snapshot import DEFAULT_LIMIT
from containers.node.errors import BadValue, Code, OperationError

FIRST = 101  # the lowest CT ID that is suggested: vzctl keeps 1 to 100 for itself
FAVOURITE = "debian-12"  # what most people want comes first
FIELD_OF = {Code.EXISTS: "ctid", Code.NAME: "name", Code.ADDRESS_IN_USE: "ips"}
COLUMNS = (
    "hostname", "name", "description", "owner", "ram", "cpus", "pids", "diskspace",
    "nameservers", "searchdomains", "onboot", "disabled",
)  # fmt: skip


OF_PANEL = frozenset({"owner", "snapshot_limit"})


class Addressing(models.TextChoices):
    POOL = "pool", "One from the node's pool: it reaches out through the node (NAT)"
    OWN = "own", "These"
    NONE = "none", "None"


def limit(label: str, unit: str, **options: Any) -> forms.Field:
    field = forms.DecimalField(
        label=label,
        required=False,
        help_text=f"{unit}; empty for no limit",
        max_digits=12,
        **options,
    )
    field.widget.attrs.update(inputmode="decimal")
    return field


class ColumnsForm(forms.Form):
    """The columns of a container's row that staff choose."""

    hostname = CheckedField(wish.hostname, label="Host name")
    name = CheckedField(
        wish.name,
        label="Name",
        required=False,
        help_text="A second name, for people and for pctl",
    )
    description = CheckedField(wish.line, label="Description", required=False)
    owner = forms.ModelChoiceField(
        User.objects.none(),
        label="Owner",
        required=False,
        empty_label="Nobody: staff only",
        help_text="May see it, start and stop it",
    )
    ram = limit("Memory", "MiB", decimal_places=0)
    cpus = limit("Processors", "As 0.5 or 2", decimal_places=2)
    pids = limit("Processes", "How many at once", decimal_places=0)
    diskspace = limit("Disk", "MiB", decimal_places=0)
    nameservers = WordsField(
        wish.nameservers, label="Name servers", help_text="Addresses; empty: the node's own"
    )
    searchdomains = WordsField(wish.searchdomains, label="Search domains")
    onboot = forms.BooleanField(
        label="Start at boot", required=False, help_text="When its node has been restarted"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner: Any = self.fields["owner"]
        mine = models.Q(pk=self.initial.get("owner"))
        owner.queryset = User.objects.filter(models.Q(is_active=True) | mine).order_by("username")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("ram", "cpus", "pids", "diskspace"):
            if name in data:
                try:
                    data[name] = checked(wish.CLEAN[name], data[name])
                except ValidationError as error:
                    self.add_error(name, error)
        return data

    def shall(self, names: Any = COLUMNS) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}

    def refuse(self, error: OperationError) -> None:
        """What only the rows could tell, beside the field it is about."""
        name = FIELD_OF.get(Code(error.code)) if error.code in list(Code) else None
        self.add_error(name if name in self.fields else None, sentence(error))


class CreateForm(ColumnsForm, AccessForm):
    """A new container."""

    ctid = forms.IntegerField(
        label="CT ID", min_value=LOWEST, max_value=HIGHEST, help_text="Its number, for ever"
    )
    template = forms.ModelChoiceField(
        Template.objects.none(), empty_label=None, widget=forms.RadioSelect
    )
    addressing = forms.ChoiceField(
        label="Addresses",
        choices=Addressing.choices,
        initial=Addressing.POOL,
        widget=forms.RadioSelect,
    )
    ips = AddressesField()
    start = forms.BooleanField(label="Start it once it's created", required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["template"]
        choice.queryset = Template.objects.filter(pk__in=[t.pk for t in newest_templates()])

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("addressing") == Addressing.OWN and data.get("ips") == []:
            self.add_error("ips", "Give at least one address, or choose another way.")
        return data

    def request(self, *, by: User, via: str = Via.BROWSER) -> Operation | None:
        """Make the row, queue the operation; None when it could not be, with errors added."""
        template: Template = self.cleaned_data["template"]
        addresses = {
            Addressing.POOL: None,
            Addressing.OWN: self.cleaned_data["ips"],
            Addressing.NONE: [],
        }[Addressing(self.cleaned_data["addressing"])]
        try:
            return Container.make(
                self.cleaned_data["ctid"],
                node=template.node,
                template=template,
                addresses=addresses,
                by=by,
                via=via,
                params={**self.access(), "start": self.cleaned_data["start"]},
                **self.shall(),
            )
        except OperationError as error:
            self.refuse(error)
            return None


class SettingsForm(ColumnsForm):
    """What staff may change of a container."""

    ips = AddressesField()
    disabled = forms.BooleanField(
        label="Disabled", required=False, help_text="It may not be started"
    )
    snapshot_limit = forms.IntegerField(
        label="Snapshots",
        required=False,
        min_value=0,
        max_value=1000,
        help_text=f"That its owner may make; empty for {DEFAULT_LIMIT}",
    )

    def __init__(self, *args: Any, container: Container, **kwargs: Any) -> None:
        initial = {name: getattr(container, name) for name in COLUMNS if name != "owner"}
        initial |= {"owner": container.owner_id, "ips": container.addresses}
        initial["snapshot_limit"] = container.snapshot_limit
        if container.cpus is not None:
            initial["cpus"] = Decimal(f"{container.cpus.normalize():f}")
        super().__init__(*args, initial=initial, **kwargs)
        self.container = container

    def request(self, *, by: User, via: str = Via.BROWSER) -> Operation | None:
        """Change the row and have its node follow. Raises Busy.

        None when the node need not know of it, or when it could not be, with the form's errors.
        """
        changed = set(self.changed_data)
        if changed <= OF_PANEL:
            self.decide()
            return None
        has, wanted = self.container.addresses, self.cleaned_data.get("ips")
        try:
            operation = self.container.change(
                add=[ip for ip in wanted or [] if ip not in has],
                drop=[ip for ip in has if wanted is not None and ip not in wanted],
                by=by,
                via=via,
                **self.shall(name for name in COLUMNS if name in changed),
            )
        except BadValue as error:
            self.refuse(error)
            return None
        self.decide()
        return operation

    def decide(self) -> None:
        """What only the panel need know."""
        names = OF_PANEL & set(self.fields)
        for name in names:
            setattr(self.container, name, self.cleaned_data[name])
        self.container.save(update_fields=names)


class HostnameForm(SettingsForm):
    """What a customer may change of a container."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {"hostname": self.fields["hostname"]}


def lowest_free() -> int:
    taken = set(Container.objects.filter(ctid__gte=FIRST).values_list("ctid", flat=True))
    return next(ctid for ctid in range(FIRST, HIGHEST) if ctid not in taken)


def newest_templates(*, offered: bool = False) -> list[Template]:
    """The newest version of each, the favourite first. offered: of those that customers may have,
    so that one which is not leaves them the version before."""
    newest: dict[tuple[int, str], Template] = {}
    found = Template.objects.filter(removed=False)
    for template in (found.filter(offered=True) if offered else found).order_by("version"):
        newest[template.node_id, template.name] = template
    return sorted(newest.values(), key=lambda t: (t.name != FAVOURITE, t.name, t.node_id))
