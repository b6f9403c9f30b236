"""Large bundles in parts: sent straight to a real S3 server on this host; released, or cleared away."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from builds.models import Build, Project, Role
from deployments import bundle_storage, tasks
from deployments.models import CodePush
from deployments.services import leftovers
from deployments.services.processing import process_codepush
from release_api.models import BucketUpload
from tests.deployments.conftest import PART
from tests.deployments.stories import audited, live_label, small_archive
from tests.deployments.test_concurrency import at_once
from tests.factories import BuildFactory
from tests.release_api.caller import Caller, assert_error

pytestmark = pytest.mark.usefixtures("bucket", "_small_parts")


@pytest.fixture
def api(release_manager: User) -> Caller:
    return Caller(release_manager)


def begin(api: Caller, build: Build, size_bytes: int) -> Any:
    return api.post(f"/builds/{build.pk}/uploads", {"size_bytes": size_bytes})


def missing(api: Caller, upload_id: str) -> list[dict[str, Any]]:
    answer = api.get(f"/uploads/{upload_id}")
    assert answer.status_code == 200, answer.content
    listed: list[dict[str, Any]] = answer.json()["missing_parts"]
    return listed


def put(part: dict[str, Any], archive: bytes) -> None:
    chunk = archive[part["offset"] : part["offset"] + part["size_bytes"]]
    assert httpx.put(part["url"], content=chunk).status_code == 200


def send_all(api: Caller, build: Build, archive: bytes) -> str:
    upload_id = str(begin(api, build, len(archive)).json()["upload_id"])
    for part in missing(api, upload_id):
        put(part, archive)
    return upload_id


def release(api: Caller, build: Build, upload_id: str, **fields: Any) -> Any:
    return api.upload(f"/builds/{build.pk}/codepushes", None, upload=upload_id, **fields)


def stored_names() -> set[str]:
    return {file.name for file in bundle_storage.list_uploads()}


def begun_names() -> set[str]:
    return {name for name, _, _ in bundle_storage.list_begun_uploads()}


def test_a_bundle_in_parts_is_released_and_live(api: Caller, build: Build, archive: bytes) -> None:
    begun = begin(api, build, len(archive))
    assert begun.status_code == 201
    upload_id = begun.json()["upload_id"]
    assert begun.json() == {
        "upload_id": upload_id,
        "build_id": build.pk,
        "size_bytes": len(archive),
        "part_size_bytes": PART,
        "expires_at": begun.json()["expires_at"],
    }
    first, second, third = missing(api, upload_id)
    assert [part["size_bytes"] for part in (first, second, third)] == [PART, PART, len(archive) - 2 * PART]
    put(third, archive)
    put(first, archive)
    assert [part["number"] for part in missing(api, upload_id)] == [2]
    put(second, archive)
    assert missing(api, upload_id) == []

    with audited("codepush.created"):
        answer = release(api, build, upload_id, description="Large")

    assert answer.status_code == 202
    assert answer.json()["size_bytes"] == len(archive)
    process_codepush(CodePush.objects.get().pk)
    assert live_label(build) == "v1"
    assert (stored_names(), begun_names()) == (set(), set())


def test_an_address_takes_a_part_of_its_size_only(api: Caller, build: Build) -> None:
    upload_id = begin(api, build, PART + 1).json()["upload_id"]
    url = missing(api, upload_id)[1]["url"]
    assert "X-Amz-SignedHeaders=content-length%3Bhost" in url


def test_a_part_of_another_size_is_missing(api: Caller, build: Build, archive: bytes) -> None:
    upload_id = begin(api, build, len(archive)).json()["upload_id"]
    for part in missing(api, upload_id):
        put(part, archive)
    (renewed,) = [part for part in missing_after_shortening(api, upload_id, archive) if part["number"] == 3]
    assert_error(release(api, build, upload_id), 422, "invalid_input", "1 of 3 parts did not arrive", field="upload")
    put(renewed, archive)
    assert release(api, build, upload_id).status_code == 202


def missing_after_shortening(api: Caller, upload_id: str, archive: bytes) -> list[dict[str, Any]]:
    upload = BucketUpload.objects.get(upload_id=upload_id)
    with bundle_storage.parts_storage() as storage:
        url = storage.sign_part(upload.storage_name, upload.parts_id, 3, 4)
    assert httpx.put(url, content=b"four").status_code == 200
    return missing(api, upload_id)


def test_what_is_not_whole_is_not_released(api: Caller, build: Build, archive: bytes) -> None:
    upload_id = begin(api, build, len(archive)).json()["upload_id"]
    with audited():
        answer = release(api, build, upload_id)
    assert_error(answer, 422, "invalid_input", "3 of 3 parts did not arrive", field="upload")
    assert not CodePush.objects.exists()


def test_after_a_refusal_it_can_be_released_still(api: Caller, build: Build, archive: bytes) -> None:
    upload_id = send_all(api, build, archive)
    assert_error(release(api, build, upload_id, expected_live="v7"), 409, "stale")
    assert missing(api, upload_id) == []
    assert release(api, build, upload_id).status_code == 202


def test_it_is_used_once(api: Caller, build: Build, archive: bytes) -> None:
    upload_id = send_all(api, build, archive)
    assert release(api, build, upload_id).status_code == 202
    assert_error(release(api, build, upload_id), 422, "invalid_input", "used already", field="upload")
    assert_error(api.get(f"/uploads/{upload_id}"), 404, "not_found")


@pytest.mark.django_db(transaction=True)
def test_of_several_releases_at_once_with_it_one_happens(api: Caller, build: Build, archive: bytes) -> None:
    upload_id = send_all(api, build, archive)
    answers: list[Any] = at_once(*[lambda: release(api, build, upload_id)] * 4)
    assert sorted(answer.status_code for answer in answers) == [202, 422, 422, 422]
    assert CodePush.objects.count() == 1


def test_nobody_else_sees_or_uses_it(api: Caller, build: Build, project: Project, owner: User, outsider: User) -> None:
    upload_id = begin(api, build, 10).json()["upload_id"]
    for other in (Caller(owner), Caller(outsider)):
        assert_error(other.get(f"/uploads/{upload_id}"), 404, "not_found")
    assert_error(release(Caller(owner), build, upload_id), 422, "invalid_input", "no upload", field="upload")
    elsewhere = BuildFactory(project=project)
    assert_error(release(api, elsewhere, upload_id), 422, "invalid_input", "no upload", field="upload")


def test_a_viewer_begins_none(viewer: User, release_manager: User, build: Build) -> None:
    for caller in (Caller(viewer), Caller(release_manager, role=Role.VIEWER)):
        assert_error(begin(caller, build, 10), 403, "forbidden")
    assert begun_names() == set()


@pytest.mark.parametrize("upload_id", ["upl_nothing", "", "a\0b"])
def test_what_is_no_upload_is_refused(api: Caller, build: Build, upload_id: str) -> None:
    assert release(api, build, upload_id).status_code == 422
    assert not CodePush.objects.exists()


def test_either_a_file_or_an_upload(api: Caller, build: Build) -> None:
    both = api.upload(f"/builds/{build.pk}/codepushes", small_archive(), upload="upl_x")
    assert_error(both, 422, "invalid_input", field="bundle")


def test_what_is_too_large_is_refused_before_it_is_sent(api: Caller, build: Build, settings: Settings) -> None:
    assert_error(begin(api, build, settings.MAX_BUNDLE_BYTES + 1), 413, "too_large", field="bundle")
    assert begin(api, build, settings.MAX_BUNDLE_BYTES).status_code == 201
    for size in (0, -1, "10", None):
        assert_error(begin(api, build, size), 422, "invalid_input", field="size_bytes")  # type: ignore[arg-type]


def test_a_build_that_takes_no_codepush_takes_no_parts(api: Caller, build: Build) -> None:
    Build.objects.filter(pk=build.pk).update(status="running")
    assert_error(begin(api, build, 10), 409, "conflict")


def test_where_bundles_lie_on_the_server_there_are_no_parts(api: Caller, build: Build, settings: Settings) -> None:
    upload_id = begin(api, build, 10).json()["upload_id"]
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    settings.STORAGES = {**settings.STORAGES, "bundles": folder}
    for answer in (begin(api, build, 10), api.get(f"/uploads/{upload_id}"), release(api, build, upload_id)):
        assert_error(answer, 409, "parts_not_taken", "with the release")


def test_a_storage_that_is_away_is_told_in_words(api: Caller, build: Build, settings: Settings) -> None:
    options = {**settings.STORAGES["bundles"]["OPTIONS"], "bucket_name": "nobody-made-this"}
    settings.STORAGES = {**settings.STORAGES, "bundles": {**settings.STORAGES["bundles"], "OPTIONS": options}}
    assert_error(begin(api, build, 10), 503, "unavailable", "cannot be stored now")
    assert not BucketUpload.objects.exists()


def test_what_was_never_released_is_gone_after_a_day(
    api: Caller, build: Build, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "UPLOAD_GRACE", timedelta(0))
    begun, whole = begin(api, build, PART + 1).json()["upload_id"], send_all(api, build, archive)
    release(api, build, whole, expected_live="v7")
    fresh = begin(api, build, 10).json()["upload_id"]
    tasks.delete_leftover_uploads()
    assert (len(begun_names()), len(stored_names())) == (2, 1)

    BucketUpload.objects.exclude(upload_id=fresh).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert_error(release(api, build, whole), 422, "invalid_input", "older than a day", field="upload")
    tasks.delete_leftover_uploads()

    assert begun_names() == {bundle_storage.name_upload(fresh)}
    assert stored_names() == set()
    assert not BucketUpload.objects.filter(upload_id=begun).exists()


def test_parts_that_nobody_knows_of_are_aborted_after_an_hour(
    db: None, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bundle_storage.parts_storage() as storage:
        storage.begin_parts(bundle_storage.name_upload("upl_of_a_killed_process"))
    # To this server everything began in 2010.
    monkeypatch.setattr(leftovers, "UPLOAD_GRACE", timedelta(days=100 * 365))
    tasks.delete_leftover_uploads()
    assert len(begun_names()) == 1
    monkeypatch.setattr(leftovers, "UPLOAD_GRACE", timedelta(hours=1))
    tasks.delete_leftover_uploads()
    assert begun_names() == set()


def test_a_size_of_nothing_is_refused_by_the_database(api: Caller, build: Build) -> None:
    begin(api, build, 10)
    for value in ({"size_bytes": 0}, {"part_size_bytes": 0}):
        with pytest.raises(IntegrityError, match="bucket_upload_sizes_are_positive"), transaction.atomic():
            BucketUpload.objects.update(**value)
