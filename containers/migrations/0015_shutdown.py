"""Containers say what the shutdown of their node does with them; operations, that it asked."""

from django.db import migrations, models

VIA = [
    ("browser", "in the browser"),
    ("pctl", "with pctl"),
    ("container", "by the container itself"),
    ("schedule", "by a schedule"),
    ("boot", "at the start of the node"),
    ("shutdown", "at the shutdown of the node"),
]


class Migration(migrations.Migration):
    dependencies = [("containers", "0014_snapshot_names")]

    operations = [
        migrations.AddField(
            "Container", "autostop", models.CharField(max_length=8, blank=True, default="")
        ),
        *(
            migrations.AlterField(
                model, "via", models.CharField(max_length=16, default="browser", choices=VIA)
            )
            for model in ("Operation", "Snapshot")
        ),
    ]
