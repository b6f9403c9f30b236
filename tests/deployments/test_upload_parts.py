"""An archive that comes in parts: joined to what it was, checked as a whole, and nothing kept of it."""

from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client
from pytest_django.fixtures import Settings

from builds.models import Build
from deployments import bundle_storage, tasks
from deployments.models import Upload
from deployments.services import leftovers, upload_parts
from tests.conftest import SAMPLES
from tests.deployments.pages import AsUser, assert_refused, build_url, text_of
from tests.deployments.stories import stored_files
from tests.factories import BuildFactory

KEY = "0123456789abcdef0123456789abcdef"
ARCHIVE = (SAMPLES / "android-v1.zip").read_bytes()
PARTS = {start: ARCHIVE[start : start + 400_000] for start in range(0, len(ARCHIVE), 400_000)}

pytestmark = pytest.mark.django_db


def put(client: Client, build: Build, start: int | str, content: bytes, *, key: str = KEY, **environ: Any) -> Any:
    params = {"key": key, "start": str(start)}
    return client.put(build_url(build, "codepush/upload/"), content, "application/zip", query_params=params, **environ)


def join(client: Client, build: Build, size: int = len(ARCHIVE)) -> Any:
    params = {"key": KEY, "size": str(size), "name": "app.zip"}
    return client.post(build_url(build, "codepush/upload/"), b"", "application/zip", query_params=params)


def test_parts_are_joined_to_the_archive_that_was_cut(as_user: AsUser, release_manager: User, build: Build) -> None:
    client = as_user(release_manager)
    # In any order, and one of them twice, as when its answer was lost.
    for start in (800_000, 0, 400_000, 0):
        assert put(client, build, start, PARTS[start]).status_code == 204
    assert not Upload.objects.exists()
    response = join(client, build)

    assert response.status_code == 201
    assert "7 files" in text_of(response)
    upload = Upload.objects.get()
    assert (upload.size_bytes, upload.created_by, upload.file_name) == (len(ARCHIVE), release_manager, "app.zip")
    assert stored_files() == {upload.storage_name}
    with bundle_storage.local_copy(upload.storage_name) as stored:
        assert stored.read() == ARCHIVE


@pytest.mark.parametrize(("held", "told"), [([], "0"), ([0], "400000"), ([0, 800_000], "400000")])
def test_where_a_part_is_missing_the_page_is_told_how_much_is_there(
    as_user: AsUser, release_manager: User, build: Build, held: list[int], told: str
) -> None:
    client = as_user(release_manager)
    for start in held:
        put(client, build, start, PARTS[start])
    response = join(client, build)
    assert (response.status_code, response.headers["Upload-Held"]) == (409, told)
    assert not Upload.objects.exists()
    for start, part in PARTS.items():
        put(client, build, start, part)
    assert join(client, build).status_code == 201


def test_a_part_that_a_killed_process_left_short_is_gone_on_from(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    client = as_user(release_manager)
    put(client, build, 0, PARTS[0][:150_000])
    assert join(client, build).headers["Upload-Held"] == "150000"
    put(client, build, 150_000, ARCHIVE[150_000:])
    assert join(client, build).status_code == 201


def test_a_part_that_breaks_off_is_not_kept(as_user: AsUser, release_manager: User, build: Build) -> None:
    body: dict[str, Any] = {"wsgi.input": BytesIO(PARTS[0][:1000]), "CONTENT_LENGTH": "400000"}
    assert put(as_user(release_manager), build, 0, b"-", **body).status_code == 422
    assert stored_files() == set()


def test_parts_of_rubbish_are_refused_as_a_whole_and_forgotten(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    client = as_user(release_manager)
    put(client, build, 0, b"GIF89a" * 100)
    assert_refused(join(client, build, 600), 422, "is not a zip archive.")
    put(client, build, 0, PARTS[0])
    assert_refused(join(client, build, 399_999), 422, "The parts have 400000 bytes, not 399999.")
    assert (stored_files(), Upload.objects.count()) == (set(), 0)


def test_when_the_storage_fails_the_parts_stay(
    as_user: AsUser, release_manager: User, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = as_user(release_manager)
    for start, part in PARTS.items():
        put(client, build, start, part)

    def fail(*_: Any) -> str:
        raise bundle_storage.StorageUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(bundle_storage, "save_upload", fail)
        assert_refused(join(client, build), 409, "The bundle cannot be stored now.")
        assert "Upload-Held" not in join(client, build).headers
    assert join(client, build).status_code == 201


@pytest.mark.parametrize(
    ("start", "size", "key", "status"),
    [
        (0, upload_parts.PART_BYTES + 1, KEY, 422),
        (0, 0, KEY, 422),
        (10_000_000, 1000, KEY, 413),
        (0, 1000, "../../../etc/passwd", 422),
        (0, 1000, KEY.upper(), 422),
        (0, 1000, KEY + "0", 422),
    ],
    ids=["too large a part", "an empty part", "beyond the limit", "a path", "capitals", "too long a key"],
)
def test_what_is_no_part_is_refused_before_it_is_read(
    as_user: AsUser,
    release_manager: User,
    build: Build,
    settings: Settings,
    start: int,
    size: int,
    key: str,
    status: int,
) -> None:
    settings.MAX_BUNDLE_BYTES = 10_000_000
    body = BytesIO(b"unread")
    environ: dict[str, Any] = {"wsgi.input": body, "CONTENT_LENGTH": str(size)}
    assert put(as_user(release_manager), build, start, b"-", key=key, **environ).status_code == status
    assert body.tell() == 0
    assert stored_files() == set()


def test_the_parts_of_another_person_or_build_are_not_there(
    as_user: AsUser, release_manager: User, owner: User, build: Build
) -> None:
    for start, part in PARTS.items():
        put(as_user(release_manager), build, start, part)
    assert join(as_user(owner), build).headers["Upload-Held"] == "0"
    other = BuildFactory(project=build.project, store_version="3.1.0")
    assert join(as_user(release_manager), other).headers["Upload-Held"] == "0"


def test_a_viewer_keeps_no_part(as_user: AsUser, viewer: User, outsider: User, build: Build) -> None:
    assert put(as_user(viewer), build, 0, PARTS[0]).status_code == 403
    assert put(as_user(outsider), build, 0, PARTS[0]).status_code == 404
    assert stored_files() == set()


def test_parts_that_nobody_joins_are_swept_a_day_later(
    as_user: AsUser, release_manager: User, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(as_user(release_manager), build, 0, PARTS[0])
    bundle_storage.save_upload("dpl_NEVERWRITTEN", ContentFile(b"PK"))
    monkeypatch.setattr(leftovers, "UPLOAD_GRACE", leftovers.UPLOAD_GRACE * 0)
    tasks.delete_leftover_uploads()
    assert len(stored_files()) == 1
    monkeypatch.setattr(leftovers, "PART_GRACE", leftovers.PART_GRACE * 0)
    tasks.delete_leftover_uploads()
    assert stored_files() == set()
