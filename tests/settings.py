"""The panel's settings for tests: every run has a state of its own, far from that of make run."""

import atexit
import os
import shutil
import tempfile

STATE = tempfile.mkdtemp(prefix="panel-tests-")
atexit.register(shutil.rmtree, STATE, ignore_errors=True)
os.makedirs(f"{STATE}/web/static", mode=0o700)
for name in ("VZ_DIR", "VZ_CONF_DIR", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS", "HTTP"):
    os.environ.pop(f"PANEL_{name}", None)
os.environ |= {"PANEL_STATE_DIR": STATE, "PANEL_NODE": "alpha", "PANEL_RUNTIME": "dry-run"}

from containers.node import panels  # noqa: E402
from panel.settings import *  # noqa: E402, F403
from panel.settings import NODE  # noqa: E402
from tests import groups  # noqa: E402

panels.REGISTRY = panels.REGISTRY / "none-in-tests"  # what panels this machine has is no matter
ALLOWED_HOSTS = ["*"]
SECRET_KEY = "only for tests"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True


def leave_nothing() -> None:
    """Of a test that had this very node work, as pctl does where no worker runs."""
    groups.take_away(NODE)
    shutil.rmtree(NODE.run, ignore_errors=True)


atexit.register(leave_nothing)
