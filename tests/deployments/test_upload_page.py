"""A file that is chosen goes up and is checked before the CodePush is created: what the page is told of it."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from builds.models import AuditEntry, Build
from deployments import bundle_storage
from deployments.models import CodePush, Upload
from tests.bundles.archives import Entry, make_zip, write_zip
from tests.conftest import SAMPLES
from tests.deployments.pages import AsUser, assert_refused, build_url, text_of
from tests.deployments.stories import history, release, revision, sample, small_archive, stored_files
from tests.factories import BuildFactory

ANDROID_V1_HASH = "87d2170ede8f295d37cbde3891dcc34dba4aab37a215fa9a4ac965482336061f"


def send(
    client: Client, build: Build, content: bytes, *, name: str = "app.zip", environ: dict[str, Any] | None = None
) -> Any:
    """As the page sends a file: as the body, its name in the address. `environ`: what the server says instead."""
    return client.post(
        build_url(build, "codepush/upload/"), content, "application/zip", query_params={"name": name}, **(environ or {})
    )


def read_sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.zip").read_bytes()


def assert_nothing_is_left(build: Build) -> None:
    assert (Upload.objects.count(), CodePush.objects.count(), AuditEntry.objects.count()) == (0, 0, 0)
    assert (stored_files(), revision(build)) == (set(), build.revision)


def test_the_page_is_told_what_is_in_the_archive(as_user: AsUser, release_manager: User, build: Build) -> None:
    response = send(as_user(release_manager), build, read_sample("android-v1"), name="northwind 3.0.0.zip")

    assert response.status_code == 201
    told = text_of(response)
    for fact in ("northwind 3.0.0.zip", "889.1 kB", "7 files", "Hermes bytecode 96", ANDROID_V1_HASH[:12]):
        assert fact in told
    assert "Same content" not in told


def test_the_archive_waits_for_a_day_and_nothing_else_has_changed(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    send(as_user(release_manager), build, read_sample("android-v1"))

    upload = Upload.objects.get()
    assert (upload.created_by, upload.build, upload.size_bytes) == (release_manager, build, 889_082)
    assert (upload.package_hash, upload.content_hash) == (ANDROID_V1_HASH, ANDROID_V1_HASH)
    assert 23.9 < (upload.expires_at - timezone.now()).total_seconds() / 3600 <= 24
    assert stored_files() == {upload.storage_name}
    assert (CodePush.objects.count(), AuditEntry.objects.count(), revision(build)) == (0, 0, build.revision)


def test_plain_javascript_is_named_so(as_user: AsUser, release_manager: User, project: Any) -> None:
    build = BuildFactory(project=project, platform="ios")

    assert "Plain JavaScript" in text_of(send(as_user(release_manager), build, read_sample("ios-v1")))


def test_the_content_that_is_live_is_told_at_once_with_what_to_do(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    release(build, release_manager, sample("android-v1"))
    response = send(as_user(release_manager), build, read_sample("android-v1"))

    assert response.status_code == 201
    assert "Same content as v1, which is Live:" in text_of(response)
    assert "tick “Publish even if identical to the Live bundle”" in text_of(response)


def test_the_content_of_an_earlier_update_is_told_and_needs_nothing(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    release(build, release_manager, sample("android-v1"))
    history(build, 1)
    told = text_of(send(as_user(release_manager), build, read_sample("android-v1")))

    assert "Same content as v1." in told
    assert "data-identical" not in told


def test_the_live_one_is_named_when_an_older_one_has_the_same_content(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    release(build, release_manager, small_archive())
    release(build, release_manager, small_archive(), allows_identical=True)

    assert "Same content as v2, which is Live" in text_of(send(as_user(release_manager), build, small_archive().read()))


RUBBISH = {
    "nothing": (b"", "The file is empty."),
    "no-zip": (b"GIF89a" * 100, "is not a zip archive."),
    "empty-zip": (b"PK\x05\x06" + bytes(18), "The archive is empty."),
    "truncated": (read_sample("android-v1")[:-30], "truncated"),
    "damaged": (read_sample("android-v1")[:400_000] + b"\0" * 9 + read_sample("android-v1")[400_009:], "damaged"),
    "bomb": (make_zip({"CodePush/index.android.bundle": b"a" * 30_000_000}), "zip bomb"),
    "lying-size": (write_zip(Entry(b"CodePush/a", b"x" * 100, claimed_size=5)), "damaged"),
    "escaping-name": (write_zip(Entry(b"../../etc/passwd")), "leaves the archive's folder"),
    "no-bundle": (make_zip({"CodePush/a.png": b"x"}), "holds no JavaScript bundle"),
    "wrong-platform": (read_sample("ios-v1"), "an iOS bundle, and this is a build for Android"),
    "other-hermes": (read_sample("android-v1"), "Hermes bytecode 96, build #"),
}


@pytest.mark.parametrize("kind", RUBBISH)
def test_rubbish_is_refused_with_a_sentence_and_nothing_is_kept(
    as_user: AsUser, release_manager: User, project: Any, kind: str
) -> None:
    build = BuildFactory(project=project, hermes_bytecode_version=94)
    content, sentence = RUBBISH[kind]

    assert_refused(send(as_user(release_manager), build, content), 422, sentence)
    assert_nothing_is_left(build)


def test_more_than_the_limit_is_a_413_before_it_is_read(
    as_user: AsUser, release_manager: User, build: Build, settings: Settings
) -> None:
    settings.MAX_BUNDLE_BYTES = 1_000_000
    body = BytesIO(b"unread")
    response = send(as_user(release_manager), build, b"-", environ={"wsgi.input": body, "CONTENT_LENGTH": "1000001"})

    assert_refused(response, 413, "The bundle is larger than 1 MB, the limit here.")
    assert body.tell() == 0
    assert_nothing_is_left(build)


@pytest.mark.parametrize("length", ["889082", "no number", "-1"])
def test_an_upload_that_breaks_off_leaves_nothing(
    as_user: AsUser, release_manager: User, build: Build, length: str
) -> None:
    body = BytesIO(read_sample("android-v1")[:500_000])
    response = send(as_user(release_manager), build, b"-", environ={"wsgi.input": body, "CONTENT_LENGTH": length})

    assert response.status_code == 422
    assert_nothing_is_left(build)


def test_a_connection_that_is_reset_leaves_nothing(as_user: AsUser, release_manager: User, build: Build) -> None:
    class Reset(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError

    response = send(as_user(release_manager), build, b"-", environ={"wsgi.input": Reset(), "CONTENT_LENGTH": "1000000"})

    assert_refused(response, 422, "The upload broke off after 0 B of 1.0 MB.")
    assert_nothing_is_left(build)


def test_a_storage_that_fails_is_told_and_leaves_nothing(
    as_user: AsUser, release_manager: User, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str, file: object) -> str:
        raise bundle_storage.StorageUnavailable

    monkeypatch.setattr(bundle_storage, "save_upload", fail)
    response = send(as_user(release_manager), build, read_sample("android-v1"))

    assert_refused(response, 409, "cannot be stored now. Nothing has changed; try again later.")
    assert_nothing_is_left(build)


def test_a_full_disk_is_told_and_leaves_nothing(
    as_user: AsUser, release_manager: User, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("deployments.views.uploads.TemporaryUploadedFile", fail)
    response = send(as_user(release_manager), build, read_sample("android-v1"))

    assert_refused(response, 409, "cannot be stored now. Nothing has changed; try again later.")
    assert_nothing_is_left(build)


def test_a_database_that_fails_leaves_no_file(
    as_user: AsUser, release_manager: User, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**values: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(Upload.objects, "create", fail)
    with pytest.raises(RuntimeError):
        send(as_user(release_manager), build, read_sample("android-v1"))
    assert_nothing_is_left(build)


def test_a_build_that_takes_no_codepush_takes_no_upload(as_user: AsUser, release_manager: User, project: Any) -> None:
    build = BuildFactory(project=project, status="failed")

    response = send(as_user(release_manager), build, read_sample("android-v1"))
    assert_refused(response, 409, "only a successful build can receive CodePushes.")
    assert_nothing_is_left(build)


def test_without_the_token_of_the_page_nothing_is_read(release_manager: User, build: Build) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(release_manager)
    body = BytesIO(read_sample("android-v1"))

    response = send(client, build, b"-", environ={"wsgi.input": body, "CONTENT_LENGTH": "889082"})
    assert (response.status_code, body.tell()) == (403, 0)


@pytest.mark.parametrize("name", ["", "../../evil.zip", "a\u202epiz.exe\x07.zip", "x" * 300 + ".zip"])
def test_any_name_is_only_shown(as_user: AsUser, release_manager: User, build: Build, name: str) -> None:
    assert send(as_user(release_manager), build, small_archive().read(), name=name).status_code == 201

    upload = Upload.objects.get()
    assert 0 < len(upload.file_name) <= 255
    assert upload.file_name.isprintable()
    assert stored_files() == {f"uploads/{upload.upload_id}.zip"}


def test_it_is_read_in_pieces(
    as_user: AsUser, release_manager: User, build: Build, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Watched(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            largest.append(size or 0)
            return super().read(size)

    largest: list[int] = []
    body = Watched(read_sample("android-v1"))
    response = send(as_user(release_manager), build, b"-", environ={"wsgi.input": body, "CONTENT_LENGTH": "889082"})

    assert response.status_code == 201
    assert 0 < max(largest) <= 256 * 1024
