"""A node says how much of a log is kept, and which containers reach one another."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("containers", "0010_weight")]

    operations = [
        migrations.AddField(
            "Node",
            "log_limit",
            models.PositiveIntegerField(
                default=64,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(1024),
                ],
                help_text="MiB of an operation's log that are kept: half from its beginning and"
                " half from its end",
            ),
        ),
        migrations.AddField(
            "Node",
            "reach",
            models.CharField(
                choices=[("owner", "owner"), ("all", "all"), ("none", "none")],
                default="owner",
                max_length=8,
            ),
        ),
        migrations.AddField("Operation", "cut_begin", models.BigIntegerField(default=0)),
        migrations.AddField("Operation", "cut_end", models.BigIntegerField(default=0)),
    ]
