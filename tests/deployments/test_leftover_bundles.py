"""Stored bundles, diffs and patches that nobody needs are deleted after days; those that are needed never are."""

import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.utils import timezone
from pytest_django.fixtures import Settings

from builds.models import Build
from deployments import bundle_storage, tasks
from deployments.bundle_storage import StoredFile
from deployments.models import Bundle, BundleDiff, BundlePatch, CodePush
from deployments.services import leftovers
from deployments.services.codepushes import cancel, create_codepush, retry
from deployments.services.leftovers import Survey, delete_leftover_bundles, delete_leftover_uploads
from deployments.services.processing import process_codepush
from tests.deployments.answers import bundle_of
from tests.deployments.stories import release, sample, small_archive, stored_files
from tests.devices import Device

CONTENT = b"an archive"
NAME = f"{sha256(CONTENT).hexdigest()}.zip"


def _days(number: float) -> datetime:
    """By the clock of storage and database, from now."""
    return timezone.now() + timedelta(days=number)


def _store(name: str = NAME) -> None:
    bundle_storage.bundle_storage().save(name, ContentFile(CONTENT))


def _take_releases_away() -> None:
    """As a purged project leaves it: bundles and diffs that no CodePush carries."""
    CodePush.objects.all().delete()


def _history(build: Build, owner: User) -> list[CodePush]:
    return [release(build, owner, sample(f"android-v{number}")) for number in (1, 2)]


def test_what_releases_carry_is_kept_with_its_diffs(device: Device, build: Build, owner: User) -> None:
    v1, _ = _history(build, owner)
    stored = stored_files()
    assert len(stored) == 4

    for day in (0, 8, 400):
        delete_leftover_bundles(_days(day))

    assert stored_files() == stored
    device.label, device.package_hash = v1.label, bundle_of(v1).package_hash
    assert device.check().update["is_available"]


def test_what_no_release_carries_goes_after_the_days_of_grace(build: Build, owner: User, settings: Settings) -> None:
    settings.UNUSED_BUNDLE_DAYS = 3
    _history(build, owner)
    _take_releases_away()
    stored = stored_files()

    # They were stored long ago: the grace begins when they are found unused.
    delete_leftover_bundles(_days(100))
    delete_leftover_bundles(_days(102.9))
    assert stored_files() == stored
    delete_leftover_bundles(_days(103.1))

    assert stored_files() == set()
    assert not any(table.objects.exists() for table in (Bundle, BundleDiff, BundlePatch))


def test_a_bundle_that_one_of_two_builds_needs_stays_and_its_diff_to_one_that_nobody_needs_goes(
    build: Build, owner: User
) -> None:
    v1, v2 = _history(build, owner)
    kept = bundle_of(v1).storage_name
    v2.delete()

    delete_leftover_bundles(_days(0))
    delete_leftover_bundles(_days(8))

    assert stored_files() == {kept}
    assert (Bundle.objects.count(), BundleDiff.objects.count(), BundlePatch.objects.count()) == (1, 0, 0)


def test_one_that_is_released_again_within_the_grace_is_as_new(build: Build, owner: User) -> None:
    release(build, owner, small_archive())
    _take_releases_away()
    delete_leftover_bundles(_days(0))
    release(build, owner, small_archive())
    delete_leftover_bundles(_days(8))
    assert len(stored_files()) == 1
    _take_releases_away()

    delete_leftover_bundles(_days(9))
    delete_leftover_bundles(_days(15))

    assert len(stored_files()) == 1


def test_a_file_without_a_row_goes_when_it_is_old(db: None) -> None:
    _store()

    delete_leftover_bundles(_days(6.9))
    assert stored_files() == {NAME}
    delete_leftover_bundles(_days(7.1))

    assert stored_files() == set()


def test_files_of_others_are_left_alone(db: None) -> None:
    for name in ("readme.txt", "backup/old.zip", f"{NAME}.bak"):
        _store(name)

    delete_leftover_bundles(_days(1000))

    assert all(bundle_storage.exists(name) for name in ("readme.txt", "backup/old.zip", f"{NAME}.bak"))


def test_two_rows_with_one_file_need_it_both(build: Build, owner: User) -> None:
    """Two diffs may have the same bytes."""
    v1 = release(build, owner, small_archive("1"))
    bundles = [bundle_of(v1), bundle_of(release(build, owner, small_archive("2")))]
    unused = Bundle.objects.create(
        **{field: getattr(bundles[0], field) for field in ("package_hash", "archive_sha256", "size_bytes", "manifest")},
        content_hash="0" * 64,
        storage_name=bundles[0].storage_name,
        unpacked_bytes=1,
    )

    delete_leftover_bundles(_days(0))
    delete_leftover_bundles(_days(8))

    assert bundles[0].storage_name in stored_files()
    assert Bundle.objects.filter(pk=unused.pk).exists()


def test_a_failed_codepush_can_be_retried_for_a_month(build: Build, owner: User) -> None:
    codepush = create_codepush(build.pk, actor=owner, upload=small_archive("2"))
    CodePush.objects.filter(pk=codepush.pk).update(
        status="failed", failure_reason="Storage was away.", finished_at=timezone.now()
    )

    delete_leftover_uploads(_days(29))
    retry(codepush.pk, actor=owner)
    delete_leftover_uploads(_days(400))
    assert bundle_storage.exists(codepush.upload_name)
    process_codepush(codepush.pk)
    failed = create_codepush(build.pk, actor=owner, upload=small_archive("3"))
    CodePush.objects.filter(pk=failed.pk).update(status="failed", failure_reason="Wrong.", finished_at=timezone.now())
    delete_leftover_uploads(_days(31))

    assert not bundle_storage.exists(failed.upload_name)
    assert CodePush.objects.get(pk=failed.pk).upload_name == ""


def test_a_retry_and_housekeeping_that_come_at_once_lose_no_archive(build: Build, owner: User) -> None:
    """It was due when the storage was listed, and is retried before it is deleted."""
    codepush = create_codepush(build.pk, actor=owner, upload=small_archive())
    CodePush.objects.update(status="failed", failure_reason="Wrong.", finished_at=timezone.now())
    survey = Survey(_days(31))
    listed = list(survey.list_uploads())
    assert [leftover.name for leftover in listed if survey.is_due(leftover)] == [codepush.upload_name]

    retry(codepush.pk, actor=owner)

    assert list(survey.delete(iter(listed))) == []
    assert bundle_storage.exists(codepush.upload_name)


def test_a_canceled_one_needs_no_archive(build: Build, owner: User) -> None:
    codepush = create_codepush(build.pk, actor=owner, upload=small_archive())
    cancel(codepush.pk, actor=owner)

    delete_leftover_uploads(timezone.now() + timedelta(hours=2))

    assert stored_files() == set()


def test_memory_does_not_grow_with_the_storage(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = timezone.now()

    def list_many() -> Iterator[StoredFile]:
        for number in range(20_000):
            yield StoredFile(f"{number:064x}.zip", 1, moment)

    monkeypatch.setattr(bundle_storage, "list_published", list_many)
    survey = Survey(moment)
    tracemalloc.start()
    try:
        counted = sum(1 for _ in survey.list_bundles())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (counted, survey.file_count) == (20_000, 20_000)
    # A list of all of them would take 8 MB.
    assert peak < 3_000_000


def test_the_nightly_task_does_it_by_the_present_time(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    _store()
    monkeypatch.setattr(leftovers, "find_grace", lambda: timedelta(0))

    tasks.delete_leftover_bundles()

    assert stored_files() == set()
