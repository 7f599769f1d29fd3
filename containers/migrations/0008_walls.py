"""Sessions that can be ended, attempts to sign in, and whose container an event was about."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def find_containers(apps: Any, schema_editor: Any) -> None:
    """Older events of a CT ID may be about another container that had it before."""
    Container = apps.get_model("containers", "Container")
    AuditEvent = apps.get_model("containers", "AuditEvent")
    for container in Container.objects.all().iterator():
        events = AuditEvent.objects.filter(ctid=container.ctid, at__gte=container.created)
        events.update(container=container)


class Migration(migrations.Migration):
    dependencies = [
        ("containers", "0007_requested_settings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="auditevent",
            name="container",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="events",
                to="containers.container",
            ),
        ),
        migrations.RunPython(find_containers, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="template",
            name="offered",
            field=models.BooleanField(default=False, help_text="Customers may choose it"),
        ),
        migrations.CreateModel(
            name="Knock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=150)),
                ("address", models.CharField(max_length=64)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("last", models.DateTimeField(null=True)),
                ("held", models.DateTimeField(null=True)),
                ("signed_in", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name", "address"), name="one_knock_per_name_address"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UserSession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("session_key", models.CharField(max_length=40, unique=True)),
                ("address", models.GenericIPAddressField(null=True)),
                ("browser", models.CharField(blank=True, max_length=200)),
                ("began", models.DateTimeField(default=django.utils.timezone.now)),
                ("seen", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["-seen"]},
        ),
    ]
