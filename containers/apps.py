from django.apps import AppConfig


class ContainersConfig(AppConfig):
    name = "containers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from containers import kinds, policy  # noqa: F401 (they become known)
