"""Uploaded archives that a killed process left behind are deleted; those that are needed are not."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from builds.models import Build
from deployments import bundle_storage, tasks
from deployments.models import CodePush
from deployments.services import leftovers
from deployments.services.codepushes import cancel, create_codepush
from tests.deployments.stories import release, small_archive, stored_files


@pytest.fixture
def _an_hour_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "UPLOAD_GRACE", timedelta(0))


def _upload_left_by(codepush: CodePush) -> str:
    return bundle_storage.save_upload(codepush.deployment_id, ContentFile(b"PK"))


@pytest.mark.usefixtures("_an_hour_has_passed")
def test_what_a_success_a_canceled_one_and_no_codepush_left_is_deleted(build: Build, release_manager: User) -> None:
    success = release(build, release_manager, small_archive())
    _upload_left_by(success)
    canceled = create_codepush(build.pk, actor=release_manager, upload=small_archive())
    cancel(canceled.pk, actor=release_manager)
    bundle_storage.save_upload("dpl_NEVERWRITTEN", ContentFile(b"PK"))
    assert len(stored_files()) == 4

    tasks.delete_leftover_uploads()

    assert success.bundle is not None
    assert stored_files() == {success.bundle.storage_name}


@pytest.mark.usefixtures("_an_hour_has_passed")
@pytest.mark.parametrize("status", ["pending", "processing", "failed"])
def test_what_is_still_to_be_processed_or_retried_is_kept(build: Build, release_manager: User, status: str) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive())
    CodePush.objects.update(status=status, failure_reason="Wrong.")

    tasks.delete_leftover_uploads()

    assert stored_files() == {codepush.upload_name}


def test_an_upload_of_this_hour_is_kept_since_its_codepush_may_be_about_to_be_written(db: None) -> None:
    bundle_storage.save_upload("dpl_ABOUTTOBE", ContentFile(b"PK"))

    tasks.delete_leftover_uploads()

    assert len(stored_files()) == 1


def test_with_nothing_stored_there_is_nothing_to_do(db: None) -> None:
    tasks.delete_leftover_uploads()

    assert stored_files() == set()
