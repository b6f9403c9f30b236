from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from builds.errors import NotAllowedNow
from builds.models import AuditEntry, Build
from deployments import bundle_storage, tasks
from deployments.models import CodePush
from deployments.services.codepushes import retry
from deployments.services.processing import process_codepush
from tests.deployments.stories import audited, live_label, refused, release, revision, small_archive
from tests.factories import BuildFactory, CodePushFactory


@pytest.fixture
def failed(build: Build, release_manager: User, monkeypatch: pytest.MonkeyPatch) -> CodePush:
    """Failed by a fault of the server; its archive is still stored."""
    with monkeypatch.context() as patch:
        patch.setattr("deployments.services.processing.read_checked", lambda *args, **kwargs: 1 / 0)
        codepush = release(build, release_manager, small_archive(), description="New texts", rollout_percent=20)
    assert codepush.status == "failed"
    return codepush


def test_a_failed_one_is_pending_again_with_its_settings(failed: CodePush, release_manager: User) -> None:
    settings = failed.describe_settings()

    with audited("codepush.retried"):
        retry(failed.pk, actor=release_manager)

    again = CodePush.objects.get(pk=failed.pk)
    assert (again.status, again.step, again.failure_reason, again.attempt_count) == ("pending", "queued", "", 0)
    assert (again.started_at, again.finished_at, again.duration_ms) == (None, None, None)
    assert again.describe_settings() == settings


def test_the_retried_one_succeeds_with_the_archive_of_the_first_time(failed: CodePush, release_manager: User) -> None:
    retry(failed.pk, actor=release_manager)
    process_codepush(failed.pk)

    again = CodePush.objects.get(pk=failed.pk)
    assert (again.status, again.label, again.deployment_id) == ("success", "v1", failed.deployment_id)
    assert live_label(again.build) == "v1"


def test_a_storage_that_does_not_answer_is_a_refusal(
    failed: CodePush, release_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> bool:
        raise bundle_storage.StorageUnavailable

    monkeypatch.setattr(bundle_storage, "exists", fail)
    with refused(NotAllowedNow, "try again later"):
        retry(failed.pk, actor=release_manager)


def test_the_audit_log_keeps_why_it_had_failed(failed: CodePush, release_manager: User) -> None:
    retry(failed.pk, actor=release_manager)

    assert AuditEntry.objects.order_by("pk").last().before == {"failure_reason": failed.failure_reason}  # type: ignore[union-attr]


def test_the_worker_is_told_after_the_commit(
    failed: CodePush,
    release_manager: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    queued: list[int] = []
    monkeypatch.setattr(tasks.process_codepush, "delay", queued.append)

    with django_capture_on_commit_callbacks(execute=True):
        retry(failed.pk, actor=release_manager)
        assert queued == []

    assert queued == [failed.pk]


@pytest.mark.parametrize("status", ["pending", "processing", "success", "canceled"])
def test_only_a_failed_one_can_be_retried(build: Build, release_manager: User, status: str) -> None:
    codepush = CodePushFactory(build=build, status=status)

    with refused(NotAllowedNow, "only a failed CodePush"):
        retry(codepush.pk, actor=release_manager)


def test_without_its_archive_it_cannot_be_retried(failed: CodePush, release_manager: User) -> None:
    bundle_storage.delete(failed.upload_name)

    with refused(NotAllowedNow, "Upload it again"):
        retry(failed.pk, actor=release_manager)


def test_under_force_update_it_cannot_be_retried(replaced_build: Build, release_manager: User) -> None:
    codepush = CodePushFactory(build=replaced_build, status="failed")
    Build.objects.filter(pk=replaced_build.pk).update(is_force_updated=True)

    with refused(NotAllowedNow, "Force Update"):
        retry(codepush.pk, actor=release_manager)


def test_failing_and_retrying_use_up_no_label(failed: CodePush, release_manager: User) -> None:
    assert release(failed.build, release_manager, small_archive("other()")).label == "v1"
    retry(failed.pk, actor=release_manager)
    process_codepush(failed.pk)

    assert CodePush.objects.get(pk=failed.pk).label == "v2"


def test_a_refusal_stamps_nothing(release_manager: User) -> None:
    codepush = CodePushFactory(build=BuildFactory(), status="success")
    before = revision(codepush.build)
    with pytest.raises(NotAllowedNow):
        retry(codepush.pk, actor=release_manager)

    assert revision(codepush.build) == before
