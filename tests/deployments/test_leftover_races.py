"""Housekeeping and workers at the same moment, with real commits: no file that is needed is lost."""

import threading
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import connections
from django.utils import timezone

from builds.models import Build
from deployments import bundle_storage
from deployments.bundle_storage import Published
from deployments.models import Bundle, BundleDiff, BundlePatch, CodePush
from deployments.services.attempt import Attempt
from deployments.services.leftovers import Survey, delete_leftover_bundles
from deployments.services.stored_files import store_published
from tests.deployments.stories import release, small_archive, stored_files

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = b"an archive"
NAME = f"{sha256(CONTENT).hexdigest()}.zip"


def _days(number: float) -> datetime:
    """By the clock of storage and database, from now."""
    return timezone.now() + timedelta(days=number)


def _store() -> None:
    bundle_storage.bundle_storage().save(NAME, ContentFile(CONTENT))


def _take_releases_away() -> None:
    CodePush.objects.all().delete()


def test_a_file_that_is_deleted_before_its_row_is_written_is_stored_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lay there for days without a row, and a worker found it just when its time was up."""
    _store()
    found: list[Published] = []
    plain_save = bundle_storage.save_published

    def save_and_lose(file: BytesIO) -> Published:
        published = plain_save(file)
        if not found:
            delete_leftover_bundles(_days(8))
            assert stored_files() == set()
        found.append(published)
        return published

    monkeypatch.setattr(bundle_storage, "save_published", save_and_lose)

    assert store_published(BytesIO(CONTENT), lambda published: published.storage_name) == NAME
    assert stored_files() == {NAME}
    assert len(found) == 2


def test_a_file_that_is_needed_since_it_was_listed_stays(build: Build, owner: User) -> None:
    release(build, owner, archive := small_archive())
    _take_releases_away()
    Bundle.objects.all().delete()
    survey = Survey(_days(8))
    listed = list(survey.list_bundles())
    assert [survey.is_due(leftover) for leftover in listed] == [True]

    archive.seek(0)
    release(build, owner, archive)

    assert list(survey.delete(iter(listed))) == []
    assert len(stored_files()) == 1


def test_an_unused_bundle_whose_time_is_up_while_a_worker_takes_it_again_stays(
    build: Build, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(build, owner, archive := small_archive())
    _take_releases_away()
    delete_leftover_bundles(_days(0))
    plain_enter = Attempt.enter

    def enter(attempt: Attempt, step: CodePush.Step) -> None:
        plain_enter(attempt, step)
        if step == CodePush.Step.DIFFING:
            delete_leftover_bundles(_days(8))

    monkeypatch.setattr(Attempt, "enter", enter)
    archive.seek(0)

    assert release(build, owner, archive).label == "v1"
    assert len(stored_files()) == 1


def test_housekeeping_waits_for_a_row_that_is_being_written(build: Build, owner: User) -> None:
    _store()
    housekeeping = threading.Thread(target=_keep_house, args=(_days(8),))

    def refer(published: Published) -> Bundle:
        housekeeping.start()
        housekeeping.join(0.5)
        assert housekeeping.is_alive(), "it did not wait"
        return Bundle.objects.create(
            **published._asdict(), content_hash="0" * 64, package_hash="0" * 64, manifest={}, unpacked_bytes=1
        )

    store_published(BytesIO(CONTENT), refer)
    housekeeping.join(10)

    assert not housekeeping.is_alive()
    assert stored_files() == {NAME}


def test_releases_under_way_lose_nothing(build: Build, owner: User) -> None:
    """Housekeeping all the time while a worker publishes; bundles that were found unused among them."""
    archives = [small_archive(f"run({number})", logo="x" * 100) for number in range(6)]
    for archive in archives[:3]:
        release(build, owner, archive)
    _take_releases_away()
    delete_leftover_bundles(_days(0))
    is_over = threading.Event()
    housekeeping = threading.Thread(target=_keep_house_until, args=(is_over,))
    housekeeping.start()
    try:
        for archive in archives:
            archive.seek(0)
            assert release(build, owner, archive).failure_reason == ""
    finally:
        is_over.set()
        housekeeping.join(10)

    for rows in (Bundle.objects.filter(codepushes__isnull=False), BundleDiff.objects, BundlePatch.objects):
        assert set(rows.values_list("storage_name", flat=True)) <= stored_files()
    assert Bundle.objects.filter(codepushes__isnull=False).count() == 6


def _keep_house(now: datetime) -> None:
    try:
        delete_leftover_bundles(now)
    finally:
        connections.close_all()


def _keep_house_until(is_over: threading.Event) -> None:
    """A little before the end of the grace, and a little behind it."""
    day = 0.0
    while not is_over.is_set():
        _keep_house(_days(6.9 + day % 0.2))
        day += 0.07
