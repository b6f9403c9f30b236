"""Faults and outages while a worker is at it: they end in a sentence, or with another worker."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import InternalError, OperationalError
from django.utils import timezone
from psycopg.errors import ReadOnlySqlTransaction

from builds.models import Build
from deployments import bundle_storage
from deployments.models import CodePush
from deployments.services import processing
from deployments.services.attempt import Attempt
from deployments.services.codepushes import create_codepush
from deployments.services.processing import MAX_ATTEMPTS, list_claimable_ids, process_codepush
from tests.deployments.stories import audited, live_label, release, small_archive


@pytest.mark.parametrize("step", ["_check", "_get_or_store_bundle", "_make_diffs", "_publish"])
def test_an_unexpected_fault_fails_with_a_sentence(
    build: Build, release_manager: User, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*args: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(processing, step, fail)
    codepush = release(build, release_manager, small_archive())

    assert codepush.status == "failed"
    assert "inside the server (KeyError)" in codepush.failure_reason
    assert bundle_storage.exists(codepush.upload_name)


def test_a_fault_in_the_last_transaction_takes_the_label_back(
    build: Build, release_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = Attempt.finish

    def fail_once(attempt: Attempt) -> None:
        finish(attempt)
        if attempt.codepush.status == "success":
            raise KeyError("surprise")

    monkeypatch.setattr(Attempt, "finish", fail_once)
    codepush = release(build, release_manager, small_archive())

    assert (codepush.status, codepush.label, codepush.bundle, live_label(build)) == ("failed", "", None, "")
    assert bundle_storage.exists(codepush.upload_name)


def _read_only() -> Exception:
    """As Django hands on what PostgreSQL says of a write."""
    error = InternalError("cannot execute UPDATE in a read-only transaction")
    error.__cause__ = ReadOnlySqlTransaction()
    return error


@pytest.mark.parametrize(
    "outage", [OperationalError("gone"), _read_only(), bundle_storage.StorageUnavailable("full")], ids=repr
)
def test_an_outage_leaves_the_work_to_the_sweep(
    build: Build, release_manager: User, monkeypatch: pytest.MonkeyPatch, outage: Exception
) -> None:
    def fail(*args: object) -> None:
        raise outage

    with monkeypatch.context() as patch:
        patch.setattr(bundle_storage, "save_published", fail)
        codepush = release(build, release_manager, small_archive())
    # However long the outage lasts, it does not use up the attempts.
    assert (codepush.status, codepush.attempt_count) == ("pending", 0)
    assert list_claimable_ids() == [codepush.pk]
    process_codepush(codepush.pk)
    assert CodePush.objects.get().label == "v1"


def test_a_missing_archive_fails_at_once(build: Build, release_manager: User) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive())
    bundle_storage.delete(codepush.upload_name)
    process_codepush(codepush.pk)

    codepush.refresh_from_db()
    assert (codepush.status, "Upload it again" in codepush.failure_reason) == ("failed", True)


def test_an_archive_that_kills_every_worker_is_given_up(build: Build, release_manager: User) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive())
    for _ in range(MAX_ATTEMPTS):
        assert Attempt.claim(codepush.pk) is not None
        _let_the_lease_run_out(codepush)
    process_codepush(codepush.pk)

    codepush.refresh_from_db()
    assert codepush.status == "failed"
    assert f"stopped {MAX_ATTEMPTS} times" in codepush.failure_reason


def test_the_last_attempt_may_still_succeed(build: Build, release_manager: User) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive())
    for _ in range(MAX_ATTEMPTS - 1):
        assert Attempt.claim(codepush.pk) is not None
        _let_the_lease_run_out(codepush)
    process_codepush(codepush.pk)

    assert CodePush.objects.get().status == "success"


def test_what_a_living_worker_has_is_not_given_to_another(build: Build, release_manager: User) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive())
    first = Attempt.claim(codepush.pk)

    assert (first is None, Attempt.claim(codepush.pk), list_claimable_ids()) == (False, None, [])


def test_a_worker_that_was_taken_over_publishes_nothing(
    build: Build, release_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    codepush = create_codepush(build.pk, actor=release_manager, upload=small_archive())
    make_diffs = processing._make_diffs

    def be_slow(*args: object) -> None:
        monkeypatch.setattr(processing, "_make_diffs", make_diffs)
        _let_the_lease_run_out(codepush)
        process_codepush(codepush.pk)

    monkeypatch.setattr(processing, "_make_diffs", be_slow)
    with audited("codepush.succeeded"):
        process_codepush(codepush.pk)

    assert list(CodePush.objects.values_list("status", "label_number", "attempt_count")) == [("success", 1, 2)]


def _let_the_lease_run_out(codepush: CodePush) -> None:
    CodePush.objects.filter(pk=codepush.pk).update(heartbeat_at=timezone.now() - timedelta(hours=2))
