"""What staff decide about a node."""

from __future__ import annotations

from django import forms

from containers.models import Node


class NodeForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Node
        fields = ["undo_profile", "script_timeout"]
        widgets = {"undo_profile": forms.RadioSelect}
        labels = {
            "undo_profile": "When a start script fails",
            "script_timeout": "Time limit of a script",
        }
        help_texts = {"script_timeout": "Seconds; then it is ended and counts as failed. 0: none"}
