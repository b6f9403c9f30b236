"""All settings. With no environment at all the product runs embedded: SQLite, files and a local queue under `var/`.

Each value that an operator may set is read here, once, through `env`, and documented in docs/operations.md.
"""

import os
import secrets
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from codepush_site import env, queues
from codepush_site.schedule import SCHEDULE
from codepush_site.sign_in_settings import *  # noqa: F403 - a part of this file that is read by itself
from telemetry.logs import describe_logging

BASE_DIR = Path(__file__).resolve().parent.parent
# Everything the embedded mode writes. Tests and the kill tests point it at a folder of their own.
VAR_DIR = env.read_directory("VAR_DIR", BASE_DIR / "var")

DATABASE_URL = env.read_str("DATABASE_URL")
REDIS_URL = env.read_url("REDIS_URL", schemes={"redis", "rediss"})
PUBLIC_URL = env.read_url("PUBLIC_URL", schemes={"http", "https"})
DEBUG = env.read_bool("DEBUG", default=False)

# How many proxies of the operator's own stand before this server, each of which appends to X-Forwarded-For.
TRUSTED_PROXY_COUNT = env.read_int("TRUSTED_PROXY_COUNT", default=0, minimum=0, maximum=10)
METRICS_TOKEN = env.read_str("METRICS_TOKEN")
# Workers on a host where no web process answers /metrics for them serve it themselves.
WORKER_METRICS_PORT = env.read_int("WORKER_METRICS_PORT", default=0, minimum=0, maximum=65535)
# Each process has files of its own there.
MEASURES_DIR = VAR_DIR / "measures"
MEASURES_DIR.mkdir(exist_ok=True)
# prometheus_client looks for it when it is imported, which is after the settings.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(MEASURES_DIR)


def _read_secret_key() -> str:
    """The operator's SECRET_KEY; embedded, one made at the first start and kept in `var/`."""
    key = env.read_str("SECRET_KEY")
    if key:
        return key
    if DATABASE_URL:
        # Two hosts with two made-up keys would sign each other's people out.
        raise ImproperlyConfigured("SECRET_KEY is not set; with DATABASE_URL set, every process needs the same one.")
    path = VAR_DIR / "secret_key"
    try:
        # O_EXCL: of several processes that start at once, one writes and the others read.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    key = secrets.token_urlsafe(50)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key


SECRET_KEY = _read_secret_key()
# What these signed or sealed is good as well, while SECRET_KEY is replaced.
SECRET_KEY_FALLBACKS = env.read_words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.read_hosts("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []

INSTALLED_APPS = [
    "telemetry",
    "builds",
    "deployments",
    "metrics",
    "release_api",
    "webhooks",
    "sign_in.apps.SupportConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    # After allauth: it takes out of the admin what that put there.
    "sign_in.apps.SignInConfig",
]

MIDDLEWARE = [
    # First: on each of thirty static files of a page the headers of all others would be ten kilobytes that protect
    # nothing. What does is added below.
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "codepush_site.request_context.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "codepush_site.middleware.ContentSecurityPolicyMiddleware",
    # Pages are a tenth of their size then. Static files were compressed when they were collected.
    "django.middleware.gzip.GZipMiddleware",
    "release_api.errors.ApiErrorMiddleware",
    "codepush_site.middleware.BodySizeLimitMiddleware",
    "codepush_site.middleware.NulRefusedMiddleware",
    "codepush_site.middleware.DatabaseOutageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "sign_in.middleware.LastSeenMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "codepush_site.urls"
WSGI_APPLICATION = "codepush_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "deployments.views.shell.describe_shell",
            ],
        },
    },
]


def _read_database() -> dict[str, Any]:
    if not DATABASE_URL:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": VAR_DIR / "codepush.sqlite3",
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                # Take the write lock when a transaction begins: waiting there works, upgrading a read lock does not.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # synchronous=FULL: a commit that was answered survives a power cut.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-1000;",
            },
        }
    try:
        database: dict[str, Any] = dict(dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True))
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read ({error}); write postgres://…") from error
    if database["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured("DATABASE_URL names another kind of database; write postgres://USER@HOST/NAME.")
    # A host that is gone says nothing: without these a thread would wait for it for minutes, in the middle of a query.
    patience = {"connect_timeout": 3, "tcp_user_timeout": 15_000, "keepalives_idle": 10, "keepalives_interval": 5}
    database["OPTIONS"] = patience | database.get("OPTIONS", {})
    return database


DATABASES = {"default": _read_database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MAX_BUNDLE_BYTES = env.read_int("MAX_BUNDLE_MB", default=200, minimum=1, maximum=2000) * 1_000_000
BUNDLE_PUBLIC_URL = env.read_url("BUNDLE_PUBLIC_URL", schemes={"http", "https"})
_storage = env.read_storage("STORAGE_URL", default=f"file:{VAR_DIR / 'bundles'}", base=BASE_DIR)


def _bundle_storage() -> dict[str, Any]:
    if _storage.directory is not None:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": _storage.directory, "base_url": "/api/bundles/", "allow_overwrite": True},
        }
    return {
        "BACKEND": "deployments.object_storage.ObjectStorage",
        "OPTIONS": {
            "bucket_name": _storage.bucket,
            "endpoint_url": _storage.endpoint_url,
            "region_name": _storage.region,
            "file_overwrite": True,
            "signature_version": "s3v4",
            "querystring_expire": 24 * 3600,
        },
    }


STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "bundles": _bundle_storage(),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# A bundle that is being uploaded goes to disk at once: 200 MB never sit in memory.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
# Pages name hashed files only; compressing the others too would double the time of the first start.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_ALLOW_ALL_ORIGINS = False


def _add_static_headers(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"


WHITENOISE_ADD_HEADERS_FUNCTION = _add_static_headers
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]

# How often a web process asks which builds changed: what devices get is at most this old, plus a moment.
SNAPSHOT_POLL_SECONDS = 0.25
# Embedded, the database is a file of this host: where it is away, so is this.
KEEP_SNAPSHOTS = env.read_bool("KEEP_SNAPSHOTS", default=bool(DATABASE_URL))
# Of one address, for each web process (`deployments.device_limits`); 0: as many as come.
DEVICE_REQUESTS_PER_SECOND = env.read_int("DEVICE_REQUESTS_PER_SECOND", default=1000, minimum=0, maximum=1_000_000)
# Of one token of the release API, for each web process (`release_api.limits`); 0: as many as come.
API_REQUESTS_PER_SECOND = env.read_int("API_REQUESTS_PER_SECOND", default=50, minimum=0, maximum=1_000_000)
# A worker that has not moved for this long is taken for dead, and its CodePush is given to another.
PROCESSING_LEASE_SECONDS = env.read_int("PROCESSING_LEASE_SECONDS", default=30, minimum=1, maximum=3600)

# How long reports are kept for support staff once they are in the numbers, and silent devices among the devices.
REPORT_RETENTION_DAYS = env.read_int("REPORT_RETENTION_DAYS", default=90, minimum=1, maximum=36_500)
DEVICE_RETENTION_DAYS = env.read_int("DEVICE_RETENTION_DAYS", default=180, minimum=1, maximum=36_500)
# How long stored bundles and diffs are kept that nobody needs any more. At least two days: a phone may hold a signed
# address for one.
UNUSED_BUNDLE_DAYS = env.read_int("UNUSED_BUNDLE_DAYS", default=7, minimum=2, maximum=36_500)
# Whether webhooks may lead to this server's own network. Then whoever administers a project reaches what is there.
WEBHOOKS_TO_PRIVATE_ADDRESSES = env.read_bool("WEBHOOKS_TO_PRIVATE_ADDRESSES", default=False)
# How long audit entries are kept; 0: for ever.
AUDIT_RETENTION_DAYS = env.read_int("AUDIT_RETENTION_DAYS", default=0, minimum=0, maximum=36_500)
if 0 < AUDIT_RETENTION_DAYS < 7:
    # What somebody did with a stolen console must stay visible; on PostgreSQL the database sees to that, too.
    raise ImproperlyConfigured(f"AUDIT_RETENTION_DAYS is {AUDIT_RETENTION_DAYS}; write 7 or more, or 0 for ever.")
# Read by the Procfile. Here so that a bad value stops the start with a sentence, as any other.
WEB_CONCURRENCY = env.read_int("WEB_CONCURRENCY", default=1, minimum=1, maximum=256)
PORT = env.read_int("PORT", default=8000, minimum=1, maximum=65535)

CELERY_TASK_IGNORE_RESULT = True
# A message that the broker does not take is no reason to fail or to wait: the sweep queues the work again.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_QUEUES = queues.QUEUES
CELERY_TASK_DEFAULT_QUEUE = queues.HOUSEKEEPING
CELERY_TASK_ROUTES = queues.ROUTES
CELERY_TASK_SOFT_TIME_LIMIT = queues.TASK_SECONDS
CELERY_TASK_TIME_LIMIT = queues.TASK_KILLED_SECONDS
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any]
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": queues.VISIBILITY_SECONDS,
        "socket_connect_timeout": 1,
        "global_keyprefix": "codepush:",
    }
else:
    CELERY_BROKER_URL = "filesystem://localhost"
    CELERY_BROKER_TRANSPORT = "codepush_site.file_queue:Transport"
    # Over this broker forked processes wait at one lock: the one that holds it is killed, and all wait for ever.
    CELERY_WORKER_POOL = "threads"
    _queue, _control = VAR_DIR / "queue", VAR_DIR / "queue-control"
    for _folder in (_queue, _control):
        _folder.mkdir(exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue),
        "data_folder_out": str(_queue),
        "control_folder": str(_control),
        "polling_interval": 0.1,
    }
CELERY_BEAT_SCHEDULE = SCHEDULE
CELERY_BEAT_SCHEDULER = "codepush_site.beat:ClockProofScheduler"

EMAIL_FILE_PATH = VAR_DIR / "mail"
# Whoever reads them can use their links.
EMAIL_FILE_PATH.mkdir(mode=0o700, exist_ok=True)

_is_https = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
SECURE_SSL_REDIRECT = _is_https
_hsts_seconds = env.read_int("HSTS_SECONDS", default=31_536_000, minimum=0, maximum=63_072_000)
SECURE_HSTS_SECONDS = _hsts_seconds if _is_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _is_https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _is_https else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en-gb"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

# Read by `tracing` (the second one by OpenTelemetry, too).
SENTRY_DSN = env.read_url("SENTRY_DSN", schemes={"http", "https"})
OTEL_EXPORTER_OTLP_ENDPOINT = env.read_url("OTEL_EXPORTER_OTLP_ENDPOINT", schemes={"http", "https"})

# Embedded, a person reads it in a terminal; else what collects logs does.
LOG_FORMAT = env.read_choice("LOG_FORMAT", default="json" if DATABASE_URL else "text", choices={"json", "text"})
LOGGING = describe_logging(LOG_FORMAT)
