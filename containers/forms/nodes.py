"""What staff decide about a node."""

from __future__ import annotations

from typing import Any

from django import forms

from containers.forms.fields import RangeField
from containers.forms.shared import Shared
from containers.models import Node
from containers.models.node import LOG_LIMIT, SCRIPT_TIMEOUT

UNDO_PROFILES = (
    ("documented", "As documented: the container is stopped and dismounted, and no script runs"),
    ("vzctl", "As vzctl 4.11 does: the umount scripts run as well"),
)
REACH = (
    ("owner", "Those of one owner, and those without an owner"),
    ("none", "None"),
    ("all", "All"),
)


class NodeForm(Shared, forms.ModelForm):  # type: ignore[type-arg]
    script_timeout = RangeField(
        SCRIPT_TIMEOUT,
        label="Time limit of a script",
        help_text="In seconds, 0 for no limit. A script that takes longer fails",
    )
    log_limit = RangeField(
        LOG_LIMIT,
        label="Size limit of a log",
        help_text="In MiB. Of longer output the first and the last half of it are kept",
    )

    class Meta:
        model = Node
        fields = ["undo_profile", "script_timeout", "log_limit", "reach"]
        widgets = {"undo_profile": forms.RadioSelect, "reach": forms.RadioSelect}
        labels = {
            "undo_profile": "When a start script fails",
            "reach": "Which containers of this node reach one another",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        profile: Any = self.fields["undo_profile"]
        profile.choices = UNDO_PROFILES
        reach: Any = self.fields["reach"]
        reach.choices = REACH
