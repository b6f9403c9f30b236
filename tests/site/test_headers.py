"""What every answer tells a browser."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from tests.architecture.source import ROOT
from tests.devices import Device

ANSWER = """
from wsgiref.util import setup_testing_defaults
from codepush_site.wsgi import application
environ = {"PATH_INFO": "/sign-in/", "HTTP_HOST": "localhost", "HTTP_X_FORWARDED_PROTO": "https"}
setup_testing_defaults(environ)
application(environ, lambda status, headers: print(status, *(f"{name}: {value}" for name, value in headers), sep="\\n"))
"""


def _answer(folder: Path, **environ: str) -> list[str]:
    """Status and headers of the sign-in page, as a process with this environment sends it to a browser behind https."""
    (folder / "static").mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}}
    given = {"SECRET_KEY": "x", "DJANGO_SETTINGS_MODULE": "tests.settings", "VAR_DIR": str(folder)}
    command = [sys.executable, "-c", ANSWER]
    environ = kept | given | environ
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_behind_https_cookies_are_secure_and_browsers_insist(tmp_path: Path) -> None:
    told = _answer(tmp_path, PUBLIC_URL="https://codepush.example")

    assert told[0] == "200 OK"
    assert "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload" in told
    assert any(line.startswith("Set-Cookie:  csrftoken=") and line.endswith("; Secure") for line in told)


@pytest.mark.parametrize("environ", [{"PUBLIC_URL": "https://codepush.example", "HSTS_SECONDS": "0"}, {}])
def test_unasked_browsers_do_not_insist(tmp_path: Path, environ: dict[str, str]) -> None:
    assert not [line for line in _answer(tmp_path, **environ) if line.startswith("Strict-Transport")]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/sign-in/", "/nothing-here/", "/healthz", "/admin/login/"])
def test_pages_say_what_browsers_may_do(client: Client, path: str) -> None:
    headers = client.get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.django_db
def test_no_answer_to_a_device_is_guessed_at(device: Device) -> None:
    assert device.check().headers["x-content-type-options"] == "nosniff"
    assert device.ask("").headers["x-content-type-options"] == "nosniff"
    assert device.get("/api/bundles/none").headers["x-content-type-options"] == "nosniff"
