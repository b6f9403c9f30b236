import pytest
from django.contrib.auth.models import User

from builds.errors import NotAllowedNow
from builds.models import AuditEntry, Build
from deployments.bundles.refusal import BundleRefused
from deployments.models import CodePush
from deployments.services import processing
from deployments.services.codepushes import cancel, create_codepush
from deployments.services.processing import list_claimable_ids, process_codepush
from tests.deployments.stories import audited, history, live_label, refused, revision, small_archive
from tests.factories import CodePushFactory


@pytest.fixture
def pending(build: Build, release_manager: User) -> CodePush:
    return create_codepush(build.pk, actor=release_manager, upload=small_archive())


def test_a_pending_one_is_canceled_and_no_worker_takes_it(pending: CodePush, release_manager: User) -> None:
    with audited("codepush.canceled"):
        cancel(pending.pk, actor=release_manager)
    process_codepush(pending.pk)

    canceled = CodePush.objects.get(pk=pending.pk)
    assert (canceled.status, canceled.label, canceled.attempt_count) == ("canceled", "", 0)
    assert canceled.finished_at is not None
    assert list_claimable_ids() == []


def test_the_audit_log_tells_what_it_was(pending: CodePush, release_manager: User) -> None:
    cancel(pending.pk, actor=release_manager)

    entry = AuditEntry.objects.get(action="codepush.canceled")
    assert (entry.before, entry.after) == ({"status": "pending"}, {"status": "canceled"})


@pytest.mark.parametrize("step", ["_check", "_get_or_store_bundle", "_make_diffs", "_publish"])
def test_canceled_while_a_worker_is_at_it_nothing_is_published(
    pending: CodePush, release_manager: User, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    do_step = getattr(processing, step)

    def cancel_first(*args: object) -> object:
        cancel(pending.pk, actor=release_manager)
        return do_step(*args)

    monkeypatch.setattr(processing, step, cancel_first)
    with audited("codepush.canceled"):
        process_codepush(pending.pk)

    canceled = CodePush.objects.get(pk=pending.pk)
    assert (canceled.status, canceled.label, canceled.bundle, canceled.failure_reason) == ("canceled", "", None, "")
    assert live_label(canceled.build) == ""


def test_canceled_while_its_archive_is_found_wrong_it_stays_canceled(
    pending: CodePush, release_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel_and_fail(*args: object) -> None:
        cancel(pending.pk, actor=release_manager)
        raise BundleRefused("Wrong.")

    monkeypatch.setattr(processing, "_check", cancel_and_fail)
    process_codepush(pending.pk)

    assert CodePush.objects.get(pk=pending.pk).status == "canceled"


def test_canceling_leaves_the_live_one_and_the_next_label_alone(
    pending: CodePush, build: Build, release_manager: User
) -> None:
    history(build, 1)
    cancel(pending.pk, actor=release_manager)
    other = create_codepush(build.pk, actor=release_manager, upload=small_archive("other()"))
    assert live_label(build) == "v1"

    process_codepush(other.pk)

    assert live_label(build) == "v2"


@pytest.mark.parametrize("status", ["success", "failed", "canceled"])
def test_a_finished_one_cannot_be_canceled(build: Build, release_manager: User, status: str) -> None:
    codepush = CodePushFactory(build=build, status=status)
    before = revision(build)

    with refused(NotAllowedNow, "only a pending or processing CodePush"):
        cancel(codepush.pk, actor=release_manager)

    assert revision(build) == before
