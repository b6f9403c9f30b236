"""The cast, and the two edges that tests act through: pages (`client`) and the device API (`device`)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
import redis
from django.conf import settings as product_settings
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from builds.models import Build, Project, Role
from deployments import snapshots
from metrics import report_log
from tests import sharing
from tests.devices import Device
from tests.factories import BuildFactory, MembershipFactory, ProjectFactory, UserFactory

SAMPLES = Path(__file__).parent / "samples"


def pytest_configure() -> None:
    sharing.let_flows_go_first()


# First: pytest-xdist reads the marks in its own.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    sharing.share_out(items)


@pytest.fixture
def project(db: None) -> Project:
    project: Project = ProjectFactory(name="Northwind Outdoor", slug="northwind-outdoor")
    return project


@pytest.fixture
def build(project: Project) -> Build:
    """A successful Android 3.0.0 build for production."""
    build: Build = BuildFactory(project=project)
    return build


def _member(project: Project, role: Role, first_name: str) -> User:
    user: User = UserFactory(username=first_name.lower(), first_name=first_name, last_name="Kaya")
    MembershipFactory(project=project, user=user, role=role)
    return user


@pytest.fixture
def owner(project: Project) -> User:
    return _member(project, Role.ADMIN, "Olga")


@pytest.fixture
def release_manager(project: Project) -> User:
    return _member(project, Role.RELEASE_MANAGER, "Elif")


@pytest.fixture
def colleague(project: Project) -> User:
    """A second release manager."""
    user: User = UserFactory(username="cem", first_name="Cem", last_name="Aydin")
    MembershipFactory(project=project, user=user, role=Role.RELEASE_MANAGER)
    return user


@pytest.fixture
def four_eyes(project: Project) -> Project:
    """The project wants a second person for production changes."""
    project.needs_second_person = True
    project.save()
    return project


@pytest.fixture
def replaced_build(project: Project) -> Build:
    """3.0.0: once store-live, replaced by 3.1.0, which is store-live now."""
    build: Build = BuildFactory(project=project, store_status="approved", store_live_at=timezone.now())
    BuildFactory(project=project, store_version="3.1.0", store_status="live", store_live_at=timezone.now())
    return build


@pytest.fixture
def viewer(project: Project) -> User:
    return _member(project, Role.VIEWER, "Vera")


@pytest.fixture
def outsider(db: None) -> User:
    """Signed in, and a member of another project only."""
    return _member(ProjectFactory(name="Elsewhere", slug="elsewhere"), Role.ADMIN, "Otto")


@pytest.fixture
def as_user() -> "type[_SignedIn]":
    """`as_user(viewer).get(…)`: a browser in which that person is signed in."""
    return _SignedIn


@pytest.fixture
def device(build: Build) -> Device:
    """A device that has the build installed: `device.check()` asks as its SDK does."""
    return Device(build.deployment_key)


@pytest.fixture
def one_period(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only time changes does not, however long the test takes: a poll finds nothing new."""
    monkeypatch.setattr("deployments.views.polling.time", lambda: 0.0)


@pytest.fixture
def staff(db: None) -> User:
    """A supporter with every right in the admin, and a member of no project."""
    user: User = UserFactory(username="sam", is_staff=True, is_superuser=True)
    return user


@pytest.fixture
def support(staff: User) -> Client:
    """A browser in which the supporter is signed in."""
    return _SignedIn(staff)


class _SignedIn(Client):
    def __init__(self, user: User) -> None:
        super().__init__()
        self.force_login(user)


@pytest.fixture(autouse=True)
def _fresh_snapshots() -> Iterator[None]:
    snapshots.store.clear()
    yield
    snapshots.store.clear()


@pytest.fixture(autouse=True)
def _empty_stream(settings: Settings) -> None:
    """Reports of an earlier test are not in the log, where that is a Redis stream."""
    if settings.REDIS_URL:
        redis.Redis.from_url(settings.REDIS_URL).delete(report_log.STREAM)


@pytest.fixture(scope="session", autouse=True)
def _bucket() -> None:
    """Where STORAGE_URL names a bucket of the S3 server that the suite runs on, it is there."""
    options = product_settings.STORAGES["bundles"]["OPTIONS"]
    if "bucket_name" in options:
        boto3.client(
            "s3", endpoint_url=options["endpoint_url"], region_name=options["region_name"] or "us-east-1"
        ).create_bucket(Bucket=options["bucket_name"])


@pytest.fixture(autouse=True)
def _own_storage(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test stores its archives in a place of its own: in a folder, or in the bucket that STORAGE_URL names."""
    storage: Any = storages["bundles"]
    if "bucket_name" not in settings.STORAGES["bundles"]["OPTIONS"]:
        _store_in(tmp_path / "bundles", settings)
        return
    # One client for all: to make one takes longer than most tests.
    monkeypatch.setattr(storage, "location", uuid4().hex)
    monkeypatch.setattr(storage, "_signed", {})


@pytest.fixture
def bundle_folder(_own_storage: None, settings: Settings, tmp_path: Path) -> Path:
    """The folder of this test's archives. It is about files, and has them where the suite runs on a bucket, too."""
    folder = tmp_path / "bundles"
    _store_in(folder, settings)
    assert Path(storages["bundles"].location) == folder  # type: ignore[attr-defined]
    return folder


def _store_in(folder: Path, settings: Settings) -> None:
    options = {"location": folder, "base_url": "/api/bundles/", "allow_overwrite": True}
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "bundles": files}
