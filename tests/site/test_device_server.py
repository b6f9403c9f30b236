"""A web process for devices only: it answers them and its supervisors, has nothing for people, and is smaller."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

_ASK = """
import io, json, sys
from codepush_site.wsgi import application

def ask(path):
    said = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "localhost",
               "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "REMOTE_ADDR": "127.0.0.1"}
    list(application(environ, lambda status, headers: said.append(status)))
    return int(said[0][:3])

print(json.dumps({"statuses": {path: ask(path) for path in sys.argv[1:]}, "modules": sorted(sys.modules)}))
"""
# 400: the check was read, and misses its parameters.
STATUSES = {
    "/api/v0.1/public/codepush/update_check": 400,
    "/api/updateCheck": 400,
    "/api/bundles/none.zip": 404,
    "/healthz": 200,
    "/metrics": 200,
    "/": 404,
    "/sign-in/": 404,
    "/projects/": 404,
    "/admin/": 404,
    "/api/v1/projects": 404,
    "/static/css/console.css": 404,
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    own = {"VAR_DIR": str(tmp_path_factory.mktemp("var")), "DJANGO_SETTINGS_MODULE": "codepush_site.device_settings"}
    environ = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")} | own
    done = subprocess.run(
        [sys.executable, "-c", _ASK, *STATUSES], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_devices_and_supervisors_are_answered_and_people_are_not(seen: dict[str, object]) -> None:
    assert seen["statuses"] == STATUSES


@pytest.mark.parametrize("name", ["ninja", "django.contrib.admin", "sign_in", "builds.urls", "whitenoise"])
def test_what_is_for_people_takes_no_memory(seen: dict[str, list[str]], name: str) -> None:
    assert name not in seen["modules"]


def test_the_product_is_run_as_documented() -> None:
    assert "DJANGO_SETTINGS_MODULE=codepush_site.device_settings" in (Path(ROOT) / "docs" / "scaling.md").read_text()
