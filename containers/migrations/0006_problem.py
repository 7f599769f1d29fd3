"""What failed, in a machine word with its details, beside the sentence."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("containers", "0005_names_of_the_field")]

    operations = [
        operation
        for model in ("operation", "inquiry", "schedule")
        for operation in (
            migrations.AddField(model, "problem", models.CharField(blank=True, max_length=32)),
            migrations.AddField(model, "details", models.JSONField(blank=True, default=dict)),
        )
    ]
