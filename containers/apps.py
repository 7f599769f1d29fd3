from django.apps import AppConfig


class ContainersConfig(AppConfig):
    name = "containers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from containers import policy  # noqa: F401 (its table becomes known to user.has_perm)
