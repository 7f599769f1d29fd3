"""Each container has a range of user ids of its own on its node; those of before get one at their
next start."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("containers", "0008_walls")]

    operations = [
        migrations.AddField(
            "Container",
            "uid_base",
            models.PositiveBigIntegerField("first user id", editable=False, null=True),
        ),
    ]
