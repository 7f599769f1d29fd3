"""Settings. Every knob is an environment variable, read here or in node/conf.py.

PANEL_STATE_DIR, PANEL_VZ_DIR, PANEL_VZ_CONF_DIR, PANEL_NODE: containers/node/conf.py
PANEL_SITE           what all web and node processes of one panel have in common: it is in the names
                     of cookies and of what they say to one another; default: from PANEL_STATE_DIR
PANEL_SECRET_KEY_FILE  the key that sessions and links are signed with; the same for all web
                     processes of a panel; default: <state>/web/secret.key
PANEL_DATABASE_URL   postgres://user:password@host/name; default: SQLite below <state>/web
PANEL_REDIS_URL      redis://… or unix:///…; default: the private Redis on <run>/redis.sock
PANEL_HTTP           where the panel listens; default: 127.0.0.1:8000
PANEL_ALLOWED_HOSTS  names people reach it by, with commas; default: those of PANEL_HTTP
PANEL_SUPPORT        whom to ask when something fails: a mail address, a URL, or a line of text
PANEL_RUNTIME        "dry-run": no container is touched; default: runc
PANEL_SECURE         "1": behind TLS; cookies are only sent over https
PANEL_RATES          requests a second: customer=10,staff=40,address=40; 0: no limit
PANEL_REQUEST_SECONDS  how long a request may take; 0: no limit; default: 20
PANEL_STAFF_2FA      "1": staff have to use a second factor
PANEL_UNDO_DAYS      for how long a reinstallation can be undone; 0: not at all; default: 7
PANEL_CUSTOMERS_MAY  what customers may do with containers of theirs beside start and stop, with
                     commas: reinstall, erase (a reinstallation that keeps nothing),
                     skip_stop_script and skip_own_scripts (in one), all of which is the default;
                     stop_without_script (leave out a stop script that fails); none
PANEL_SHOW_HOST_OUTPUT  "1": customers also see what scripts and hooks say on the node
PANEL_DEBUG          "1": Django's own error pages
"""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONCE, SELF

from containers.node import conf

BASE_DIR = Path(__file__).resolve().parent.parent
NODE = conf.load()
WEB = NODE.state / "web"


def env(name: str, default: str = "") -> str:
    return os.environ.get(f"PANEL_{name}") or default


def secret_key() -> str:
    """The key prepare made; before that, one for this process only."""
    if path := env("SECRET_KEY_FILE"):
        return Path(path).read_text().strip()
    try:
        return (WEB / "secret.key").read_text().strip()
    except OSError:
        return os.urandom(32).hex()


def database(url: str) -> dict[str, object]:
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": WEB / "panel.sqlite3",
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
            "TEST": {"NAME": WEB / "test.sqlite3"},
        }
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": parts.port or "",
        "OPTIONS": {"connect_timeout": "5", **dict(parse_qsl(parts.query))},
        "CONN_HEALTH_CHECKS": True,
    }


def rates(text: str) -> dict[str, float]:
    """How many requests a second each may send: customer=10,staff=40,address=40."""
    found = {"customer": 10.0, "staff": 40.0, "address": 40.0}
    for word in text.replace(",", " ").split():
        name, _, number = word.partition("=")
        if name not in found:
            raise ValueError(f"PANEL_RATES knows no {name}: {', '.join(found)}")
        found[name] = float(number)
    return found


DEBUG = env("DEBUG") == "1"
SITE = env("SITE", NODE.instance)
RATES = rates(env("RATES"))
REQUEST_SECONDS = float(env("REQUEST_SECONDS", "20"))
STAFF_2FA = env("STAFF_2FA") == "1"
UNDO_DAYS = int(env("UNDO_DAYS", "7"))
CUSTOMERS_MAY = frozenset(
    env("CUSTOMERS_MAY", "reinstall,erase,skip_stop_script,skip_own_scripts")
    .replace(",", " ")
    .split()
)
SHOW_HOST_OUTPUT = env("SHOW_HOST_OUTPUT") == "1"
SECRET_KEY = secret_key()
RUNTIME = env("RUNTIME", "runc").replace("rehearsal", "dry-run")  # its former name
SUPPORT = env("SUPPORT")

HTTP = env("HTTP", "127.0.0.1:8000")
HTTP_HOST, _, HTTP_PORT = HTTP.rpartition(":")
SECURE = env("SECURE") == "1"
ALLOWED_HOSTS = [
    *(h.strip() for h in env("ALLOWED_HOSTS").split(",") if h.strip()),
    *{"localhost", "127.0.0.1", "[::1]", HTTP_HOST},
]
SCHEME = "https" if SECURE else "http"
# Whose pages may post and open websockets, beside the address a page was itself asked for under:
# scheme, name and port, for another port or scheme of the same name is somebody else.
PORT = "" if SECURE else f":{HTTP_PORT}"
ORIGINS = [f"{SCHEME}://{h}{PORT}" for h in ALLOWED_HOSTS if h[:1] not in ("", ".", "*")]
CSRF_TRUSTED_ORIGINS = ORIGINS

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "rules.apps.AutodiscoverRulesConfig",
    "template_partials",
    "containers",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "containers.gate.visitor.remember",
    "containers.gate.deadline.Deadline",
    "containers.views.sign_in.attendance.keep",
    "containers.views.sign_in.factors.Require",
]
ROOT_URLCONF = "panel.urls"
ASGI_APPLICATION = "panel.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "csp.context_processors.nonce",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "containers.views.context.panel",
            ],
            "builtins": ["containers.views.sizes"],
        },
    }
]

DATABASES = {"default": database(env("DATABASE_URL"))}
REDIS_URL = env("REDIS_URL", f"unix://{NODE.run}/redis.sock")
CHANNEL_LAYERS = {
    "default": {
        # redis-py 8 gives up on an idle connection after 5 s; this layer waits for longer.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": None}],
            "prefix": f"panel-{SITE}",
        },
    }
}

AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600  # seconds a set-password link is good for
OTP_TOTP_ISSUER = "Panel"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "containers"
LOGOUT_REDIRECT_URL = "login"

SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = f"panel-{SITE}"
CSRF_COOKIE_NAME = f"panel-csrf-{SITE}"
CSRF_FAILURE_VIEW = "containers.views.failures.csrf_failure"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = ["^health$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, NONCE],  # htmx, xterm and CodeMirror make style elements; they carry it
        "img-src": [SELF, "data:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": [SELF],
        "object-src": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024  # a script of 10 MB gets an answer of ours
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE

STATIC_URL = "static/"
STATIC_ROOT = Path(env("STATIC_ROOT", f"{WEB / 'static'}"))
STATICFILES_DIRS = [d for d in (BASE_DIR / "static" / "dist",) if d.is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = env("TIME_ZONE", "UTC")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "filters": {"brief": {"()": "containers.outage.Brief"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["brief"]}
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "containers": {"level": "INFO"},
        # A traceback each second while Redis is away; doorbell.py says it in a line.
        "channels_redis": {"level": "CRITICAL"},
    },
}
# Other names below ours, and browsers' built-in lists, are not the panel's to decide on.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
