"""Front-end assets: vendored byte for byte, served for ever under hashed names, and light enough for a first visit."""

import gzip
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings
from whitenoise.middleware import WhiteNoiseMiddleware

from builds.models import Build
from tests.architecture.source import ROOT
from tests.deployments.pages import build_url
from tests.factories import CodePushFactory

VENDOR = ROOT / "static" / "vendor"
_ROW = re.compile(r"^\| (\S+) \| (.+?) \| .+? \| \S+ \| `([0-9a-f]{64})` \|$", re.MULTILINE)
ROWS = _ROW.findall((VENDOR / "VENDOR.md").read_text())
MOST_BYTES = 160_000
_ADDRESS = re.compile(r'(?:src|href)="/static/([^"#]+)')


@pytest.mark.parametrize(("name", "package", "sha256"), ROWS)
def test_a_vendored_file_is_the_one_that_was_vetted(name: str, package: str, sha256: str) -> None:

    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == sha256


def test_every_vendored_file_is_listed_and_every_package_has_its_licence() -> None:
    files = {path.name for path in VENDOR.iterdir() if path.is_file()} - {"VENDOR.md"}
    assert {row[0] for row in ROWS} == files
    licences = " ".join(path.stem for path in (VENDOR / "licences").iterdir())
    for _, package, _ in ROWS:
        assert package.split()[0].split("/")[-1].split(".")[0].strip("@") in licences, package


@pytest.fixture
def collected(settings: Settings, tmp_path: Path) -> None:
    """Static files as they are deployed."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)


def _serve(path: str) -> HttpResponse:
    """As the product's outermost middleware answers for it."""

    def miss(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=404)

    request = RequestFactory().get(path, headers={"Accept-Encoding": "br, gzip"})
    response: HttpResponse = WhiteNoiseMiddleware(miss)(request)
    return response


@pytest.mark.django_db
def test_a_static_file_is_compressed_and_kept_for_ever_under_a_name_of_its_content(collected: None) -> None:
    names = ["css/base.css", "js/poll.js", "vendor/htmx-2.0.11.min.js", "vendor/tabler-icons-3.51.0.svg"]
    for name in names:
        address = staticfiles_storage.url(name)
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", address)
        response = _serve(address)
        response.close()
        assert response.status_code == 200
        assert response.headers["Content-Encoding"] == "br"
        assert response.headers["Cache-Control"] == "max-age=315360000, public, immutable"


def test_the_first_load_of_build_detail_is_light(viewer: User, build: Build, as_user: Callable[[User], Client]) -> None:
    """A full page of cards, compressed as WhiteNoise and the middleware do; with the typeface, and the sprite."""
    CodePushFactory.create_batch(26, build=build)
    page = as_user(viewer).get(build_url(build)).content
    files = set(_ADDRESS.findall(page.decode()))
    assert "vendor/tabler-icons-3.51.0.svg" in files
    assert "vendor/inter-latin-5.3.0.woff2" in files
    sizes = {name: _count_sent((ROOT / "static" / name).read_bytes()) for name in files}
    assert sum(sizes.values()) + len(gzip.compress(page)) < MOST_BYTES, sizes


def _count_sent(content: bytes) -> int:
    return min(len(content), len(brotli.compress(content)))
