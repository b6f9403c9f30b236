"""A bad value of the environment stops the start with a sentence that names the variable."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

# {variable: bad values}. Any text is a good SECRET_KEY; that it must be set beside DATABASE_URL has a test below.
BAD_VALUES = {
    "VAR_DIR": ["/dev/null/folder"],
    "DATABASE_URL": ["nonsense", "mysql://root@127.0.0.1/codepush"],
    "REDIS_URL": ["127.0.0.1:6379", "http://127.0.0.1", "redis://"],
    "PUBLIC_URL": ["codepush.example", "ftp://codepush.example", "https://"],
    "DEBUG": ["maybe", "2"],
    "KEEP_SNAPSHOTS": ["maybe", "2"],
    "ALLOWED_HOSTS": ["https://codepush.example", "a.example, b.example:8000", "a.example b.example"],
    "MAX_BUNDLE_MB": ["0", "-1", "2001", "12.5", "200MB", "²"],
    "BUNDLE_PUBLIC_URL": ["cdn.example", "s3://bundles"],
    "STORAGE_URL": ["bundles", "ftp://host/bundles", "s3://", "s3://bundles?zone=1"],
    "PROCESSING_LEASE_SECONDS": ["0", "3601", "soon"],
    "WEB_CONCURRENCY": ["0", "two"],
    "PORT": ["0", "65536", "http"],
    "WEBHOOKS_TO_PRIVATE_ADDRESSES": ["perhaps", "10.0.0.0/8"],
    "REPORT_RETENTION_DAYS": ["0", "36501", "90d"],
    "TRUSTED_PROXY_COUNT": ["-1", "11", "all"],
    "WORKER_METRICS_PORT": ["65536", "http"],
    "SENTRY_DSN": ["key@sentry.example"],
    "OTEL_EXPORTER_OTLP_ENDPOINT": ["collector:4318"],
    "AUDIT_RETENTION_DAYS": ["6", "-1", "36501", "a year"],
    "HSTS_SECONDS": ["-1", "63072001", "a year"],
    "DEVICE_REQUESTS_PER_SECOND": ["-1", "1000001", "many"],
    "API_REQUESTS_PER_SECOND": ["-1", "1000001", "many"],
    "LOG_FORMAT": ["xml", "JSON"],
    "UNUSED_BUNDLE_DAYS": ["1", "36501", "7d"],
    "DEVICE_RETENTION_DAYS": ["0", "36501", "half a year"],
    "STAFF_NEEDS_SECOND_FACTOR": ["perhaps", "2"],
    "OIDC_ISSUER": ["id.example", "ftp://id.example"],
    "OIDC_CREATES_ACCOUNTS": ["perhaps", "2"],
    "EMAIL_URL": ["mail.example", "http://mail.example", "smtp://", "smtp://host:port", "smtps://host/path"],
}
NO_BAD_VALUE = {
    "METRICS_TOKEN",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "OIDC_CLIENT_ID",
    "OIDC_CLIENT_SECRET",
    "OIDC_NAME",
    "EMAIL_FROM",
}


def _start(folder: Path, *arguments: str, **values: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}}
    return subprocess.run(
        [sys.executable, *(arguments or ("-c", "import codepush_site.settings"))],
        cwd=ROOT,
        env=kept | {"VAR_DIR": str(folder), "SECRET_KEY": "x" * 60} | values,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD_VALUES.items() for value in values])
def test_a_bad_value_stops_the_start(tmp_path: Path, name: str, value: str) -> None:
    result = _start(tmp_path, **{name: value})

    assert result.returncode != 0
    last_line = result.stderr.strip().splitlines()[-1]
    assert last_line.startswith(f"django.core.exceptions.ImproperlyConfigured: {name} ")
    # What to write instead stands after the semicolon.
    assert re.search(r"; (write|name) ", last_line)


def test_every_variable_is_tried_and_documented() -> None:
    sources = [(ROOT / "codepush_site" / f"{name}.py").read_text() for name in ("settings", "sign_in_settings")]
    read = {name for source in sources for name in re.findall(r'read_\w+\(\s*"([A-Z_]+)"', source)}

    assert read == set(BAD_VALUES) | NO_BAD_VALUE
    manual = (ROOT / "docs" / "operations.md").read_text()
    assert [name for name in sorted(read) if f"`{name}`" not in manual] == []


def test_with_a_database_of_its_own_a_secret_key_is_asked_for(tmp_path: Path) -> None:
    result = _start(tmp_path, SECRET_KEY="", DATABASE_URL="postgres://postgres@127.0.0.1/codepush")

    assert "ImproperlyConfigured: SECRET_KEY is not set" in result.stderr


def test_embedded_a_secret_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    keys = {
        _start(tmp_path, "-c", "from codepush_site.settings import SECRET_KEY; print(SECRET_KEY)", SECRET_KEY="").stdout
        for _ in range(2)
    }

    assert len(keys) == 1
    assert len(keys.pop().strip()) >= 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_behind_https_the_deployment_check_has_no_complaint(tmp_path: Path) -> None:
    command = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    result = _start(
        tmp_path, *command, SECRET_KEY="0123456789abcdefghijklmnopqrstuvwxyz" * 2, PUBLIC_URL="https://codepush.example"
    )

    assert result.returncode == 0, result.stderr


def test_a_provider_without_our_name_at_it_stops_the_start(tmp_path: Path) -> None:
    result = _start(tmp_path, OIDC_ISSUER="https://id.example")

    assert "ImproperlyConfigured: OIDC_CLIENT_ID is not set; with OIDC_ISSUER set, write" in result.stderr


def test_a_mail_server_is_read_from_one_address(tmp_path: Path) -> None:
    names = ["HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL", "BACKEND"]
    script = f"from codepush_site import settings; print(*[getattr(settings, 'EMAIL_' + n) for n in {names}])"
    for url, expected in {
        "smtp+tls://us%40er:p%2Fss@mail.example": "mail.example 587 us@er p/ss True False",
        "smtps://mail.example:4650": "mail.example 4650   False True",
        "smtp://mail.example": "mail.example 25   False False",
    }.items():
        said = _start(tmp_path, "-c", script, EMAIL_URL=url).stdout.strip()
        assert said == f"{expected} django.core.mail.backends.smtp.EmailBackend"
    assert _start(tmp_path, "-c", script).stdout.strip().endswith("filebased.EmailBackend")


def test_a_mail_server_that_cannot_be_read_does_not_show_its_password(tmp_path: Path) -> None:
    result = _start(tmp_path, EMAIL_URL="smtp://user:secret@host:port")

    assert "EMAIL_URL cannot be read" in result.stderr
    assert "secret" not in result.stderr.strip().splitlines()[-1]
