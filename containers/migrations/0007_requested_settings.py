"""What was asked for and is not in force yet: reserved addresses, and refusals still open.

The words of a container's columns are the forms' alone now: dropping them changes no table.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("containers", "0006_problem")]

    operations = [
        migrations.AddField(
            "address",
            "operation",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="reserved",
                to="containers.operation",
            ),
        ),
        migrations.AddField("operation", "answered", models.DateTimeField(null=True)),
        migrations.AlterField("container", "disabled", models.BooleanField(default=False)),
        migrations.AlterField("container", "onboot", models.BooleanField(default=False)),
        *(
            migrations.AlterField(
                "container", name, models.PositiveIntegerField(blank=True, null=True)
            )
            for name in ("diskspace", "pids", "ram", "snapshot_limit")
        ),
    ]
