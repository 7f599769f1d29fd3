"""Containers have a weight; those of before have the one that all had."""

from typing import Any

from django.db import migrations, models


def even(apps: Any, schema_editor: Any) -> None:
    apps.get_model("containers", "Container").objects.update(cpuunits=1000)


class Migration(migrations.Migration):
    dependencies = [("containers", "0009_container_uid_base")]

    operations = [
        migrations.AddField(
            "Container", "cpuunits", models.PositiveIntegerField(null=True, blank=True)
        ),
        migrations.RunPython(even, migrations.RunPython.noop),
    ]
