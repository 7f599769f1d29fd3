from itertools import count
from typing import Any

from django.db import migrations, models


def number_equal_names(apps: Any, schema_editor: Any) -> None:
    """The oldest of a container's snapshots of one name keeps it; the others get a number."""
    Snapshot = apps.get_model("containers", "Snapshot")
    taken: set[tuple[int, str]] = set()
    for snapshot in Snapshot.objects.exclude(name="").order_by("created", "pk"):
        name, numbers = snapshot.name, count(2)
        while (snapshot.container_id, name) in taken:
            name = f"{snapshot.name[:74]} ({next(numbers)})"
        taken.add((snapshot.container_id, name))
        if name != snapshot.name:
            snapshot.name = name
            snapshot.save(update_fields=["name"])


class Migration(migrations.Migration):
    dependencies = [("containers", "0013_passkeys")]

    operations = [
        migrations.RunPython(number_equal_names, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="snapshot",
            constraint=models.UniqueConstraint(
                condition=models.Q(("name", ""), _negated=True),
                fields=("container", "name"),
                name="one_snapshot_per_name",
            ),
        ),
    ]
