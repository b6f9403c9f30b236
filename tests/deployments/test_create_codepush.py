from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerUnavailable
from pytest_django import Settings

from builds.errors import InvalidInput, NotAllowedNow, StaleView
from builds.models import AuditEntry, Build
from deployments import bundle_storage, tasks
from deployments.models import CodePush
from deployments.services.codepushes import create_codepush
from deployments.services.uploads import stage_upload
from tests.deployments.stories import audited, history, refused, revision, sample, small_archive, stored_files
from tests.factories import BuildFactory

CommitCallbacks = Callable[..., Any]


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """CodePushes that were handed to the broker."""
    ids: list[int] = []
    monkeypatch.setattr(tasks.process_codepush, "delay", ids.append)
    return ids


def test_a_new_codepush_is_pending_with_its_archive_stored_and_no_label(build: Build, release_manager: User) -> None:
    with audited("codepush.created"):
        codepush = create_codepush(
            build.pk,
            actor=release_manager,
            upload=sample("android-v1"),
            description="New texts",
            is_mandatory=True,
            rollout_percent=25,
            build_target="production",
            platform="android",
        )

    stored = CodePush.objects.get(pk=codepush.pk)
    assert stored.deployment_id.startswith("dpl_")
    assert (stored.status, stored.step, stored.label, stored.origin) == ("pending", "queued", "", "upload")
    assert stored.describe_settings() == {
        "description": "New texts",
        "is_enabled": True,
        "is_mandatory": True,
        "rollout_percent": 25,
    }
    assert (stored.created_by, stored.upload_size_bytes) == (release_manager, 889_082)
    assert stored_files() == {stored.upload_name}


def test_the_audit_log_tells_who_created_what(build: Build, release_manager: User) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive(), description="New texts")

    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.build, entry.project) == (release_manager, build, build.project)
    assert (entry.deployment_id, entry.after) == (codepush.deployment_id, codepush.describe_settings())


def test_creating_leaves_the_live_codepush_live(build: Build, release_manager: User) -> None:
    *_, live = history(build, 2)

    create_codepush(build.pk, actor=release_manager, upload=small_archive())

    assert [c.label for c in CodePush.objects.filter(build=build).with_is_live() if c.is_live] == [live.label]  # type: ignore[attr-defined]


def test_the_worker_is_told_after_the_commit_only(
    build: Build, release_manager: User, queued: list[int], django_capture_on_commit_callbacks: CommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive())
        assert queued == []

    assert queued == [codepush.pk]


@pytest.mark.django_db(transaction=True)
def test_no_worker_is_told_when_the_transaction_rolls_back(
    build: Build, release_manager: User, queued: list[int]
) -> None:
    with transaction.atomic():
        create_codepush(build.pk, actor=release_manager, upload=small_archive())
        transaction.set_rollback(True)

    assert queued == []
    assert not CodePush.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("refusal", [BrokerUnavailable("no broker"), ConnectionRefusedError("nobody listens")])
def test_without_a_broker_it_is_created_all_the_same(
    build: Build,
    release_manager: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: CommitCallbacks,
    refusal: Exception,
) -> None:
    def refuse(codepush_id: int) -> None:
        raise refusal

    monkeypatch.setattr(tasks.process_codepush, "delay", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive())

    assert CodePush.objects.get().status == "pending"
    assert stored_files() == {codepush.upload_name}


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"description": "x" * 2001}, "description", ["2,001", "2,000"]),
        ({"description": "a\0b"}, "description", ["NUL"]),
        ({"rollout_percent": 0}, "rollout_percent", ["0", "from 1 to 100"]),
        ({"rollout_percent": 101}, "rollout_percent", ["101", "from 1 to 100"]),
        ({"rollout_percent": -5}, "rollout_percent", ["-5"]),
        ({"build_target": "staging"}, "build_target", ["'staging'", "'production'"]),
        ({"platform": "ios"}, "platform", ["'ios'", "'android'"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_value_that_cannot_be_taken_is_refused(
    build: Build, release_manager: User, values: dict[str, Any], field: str, words: list[str]
) -> None:
    with refused(InvalidInput, *words, field=field):
        create_codepush(build.pk, actor=release_manager, upload=small_archive(), **values)


@pytest.mark.parametrize("values", [{"description": "x" * 2000}, {"rollout_percent": 1}, {"rollout_percent": 100}])
def test_values_at_the_limits_are_taken(build: Build, release_manager: User, values: dict[str, Any]) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive(), **values)

    assert values.items() <= codepush.describe_settings().items()


@pytest.mark.parametrize("status", ["pending", "running", "failed", "canceled"])
def test_a_build_that_did_not_succeed_takes_no_codepush(release_manager: User, status: str) -> None:
    build = BuildFactory(status=status)

    with refused(NotAllowedNow, "only a successful build"):
        create_codepush(build.pk, actor=release_manager, upload=small_archive())


def test_a_build_with_force_update_takes_no_codepush(release_manager: User, replaced_build: Build) -> None:
    Build.objects.filter(pk=replaced_build.pk).update(is_force_updated=True)

    with refused(NotAllowedNow, "Force Update", "Lift it first"):
        create_codepush(replaced_build.pk, actor=release_manager, upload=small_archive())


def test_a_force_update_applied_while_the_archive_was_uploading_is_noticed(
    release_manager: User, replaced_build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upload_slowly(deployment_id: str, upload: SimpleUploadedFile) -> str:
        Build.objects.filter(pk=replaced_build.pk).update(is_force_updated=True)
        return save_upload(deployment_id, upload)

    save_upload = bundle_storage.save_upload
    monkeypatch.setattr("deployments.bundle_storage.save_upload", upload_slowly)
    with pytest.raises(NotAllowedNow, match="Force Update"):
        create_codepush(replaced_build.pk, actor=release_manager, upload=small_archive())

    assert (CodePush.objects.count(), AuditEntry.objects.count(), stored_files()) == (0, 0, set())


def test_a_form_opened_under_another_live_label_is_refused(build: Build, release_manager: User) -> None:
    history(build, 2)

    with refused(StaleView, "v2 became Live"):
        create_codepush(build.pk, actor=release_manager, upload=small_archive(), expected_live="v1")
    with refused(StaleView, "v2 became Live"):
        create_codepush(build.pk, actor=release_manager, upload=small_archive(), expected_live="")
    create_codepush(build.pk, actor=release_manager, upload=small_archive(), expected_live="v2")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"not a zip at all", "not a zip archive"),
        (b"PK\x05\x06" + bytes(18), "archive is empty"),
        (small_archive().read()[:-30], "truncated"),
    ],
    ids=["empty", "no-zip", "empty-zip", "truncated"],
)
def test_an_archive_that_cannot_be_opened_is_refused_at_once(
    build: Build, release_manager: User, content: bytes, words: str
) -> None:
    with refused(InvalidInput, words, field="bundle"):
        create_codepush(build.pk, actor=release_manager, upload=SimpleUploadedFile("a.zip", content))


def test_an_android_bundle_for_an_ios_build_is_refused_at_once(project: Any, release_manager: User) -> None:
    build = BuildFactory(project=project, platform="ios")

    with refused(InvalidInput, "an Android bundle", "build for iOS", field="bundle"):
        create_codepush(build.pk, actor=release_manager, upload=sample("android-v1"))


def test_an_archive_larger_than_the_limit_is_refused(build: Build, release_manager: User, settings: Settings) -> None:
    upload = sample("android-v1")
    settings.MAX_BUNDLE_BYTES = 889_082
    create_codepush(build.pk, actor=release_manager, upload=upload)

    settings.MAX_BUNDLE_BYTES = 889_081
    with refused(InvalidInput, "larger than", "limit", field="bundle"):
        create_codepush(build.pk, actor=release_manager, upload=sample("android-v1"))


def test_an_upload_of_somebody_else_or_for_another_build_is_refused(
    build: Build, release_manager: User, owner: User
) -> None:
    upload = stage_upload(build, actor=owner, file=small_archive(), file_name="small.zip")
    other = BuildFactory(project=build.project)

    with refused(InvalidInput, "no longer there", field="bundle"):
        create_codepush(build.pk, actor=release_manager, upload=upload)
    with refused(InvalidInput, "no longer there", field="bundle"):
        create_codepush(other.pk, actor=owner, upload=upload)
    create_codepush(build.pk, actor=owner, upload=upload)


def test_an_archive_is_removed_when_the_row_cannot_be_written(
    build: Build, release_manager: User, monkeypatch: pytest.MonkeyPatch, bundle_folder: Path
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr("builds.audit.record", fail)
    before = revision(build)
    with pytest.raises(RuntimeError):
        create_codepush(build.pk, actor=release_manager, upload=small_archive())

    assert stored_files() == set()
    assert not CodePush.objects.exists()
    assert revision(build) == before
