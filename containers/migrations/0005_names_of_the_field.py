"""Words that hosting people use: a replaced system, a trial restore, a dry run."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

KINDS = {"rehearse": "trial_restore", "forget_kept": "delete_replaced"}
OF_REPLACED = ("undo_reinstall", "delete_replaced")


def forwards(apps: Any, schema_editor: Any) -> None:
    rename(apps, KINDS, ("kept", "replaced"), ("rehearsed", "tried"), ("rehearsal", "dry-run"))


def backwards(apps: Any, schema_editor: Any) -> None:
    back = {new: old for old, new in KINDS.items()}
    rename(apps, back, ("replaced", "kept"), ("tried", "rehearsed"), ("dry-run", "rehearsal"))


def rename(
    apps: Any,
    kinds: dict[str, str],
    param: tuple[str, str],
    fact: tuple[str, str],
    runtime: tuple[str, str],
) -> None:
    Operation = apps.get_model("containers", "Operation")
    Snapshot = apps.get_model("containers", "Snapshot")
    Node = apps.get_model("containers", "Node")
    for old, new in kinds.items():
        Operation.objects.filter(kind=old).update(kind=new)
    names = {*OF_REPLACED, *kinds.values()}
    for operation in Operation.objects.filter(kind__in=names).iterator():
        if param[0] in operation.params:
            operation.params[param[1]] = operation.params.pop(param[0])
            operation.save(update_fields=["params"])
    for snapshot in Snapshot.objects.all().iterator():
        if fact[0] in snapshot.facts:
            snapshot.facts[fact[1]] = snapshot.facts.pop(fact[0])
            snapshot.save(update_fields=["facts"])
    Node.objects.filter(runtime=runtime[0]).update(runtime=runtime[1])


class Migration(migrations.Migration):
    dependencies = [("containers", "0004_kept_system_own")]

    operations = [
        migrations.RenameModel("KeptSystem", "ReplacedSystem"),
        migrations.AlterField(
            "ReplacedSystem",
            "container",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="replaced_systems",
                to="containers.container",
            ),
        ),
        migrations.RemoveConstraint("ReplacedSystem", "one_kept_system_per_operation"),
        migrations.AddConstraint(
            "ReplacedSystem",
            models.UniqueConstraint(
                fields=["container", "number"], name="one_replaced_system_per_operation"
            ),
        ),
        migrations.RunPython(forwards, backwards),
    ]
