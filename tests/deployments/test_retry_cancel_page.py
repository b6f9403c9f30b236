from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from builds.models import Build
from deployments import bundle_storage
from deployments.models import CodePush
from tests.deployments.pages import AsUser, assert_led_to, assert_refused, codepush_url, text_of
from tests.factories import CodePushFactory


def test_a_failed_one_runs_again(as_user: AsUser, release_manager: User, build: Build) -> None:
    failed = CodePushFactory(
        build=build, status="failed", upload_name=bundle_storage.save_upload("dpl_1", ContentFile(b"zip", "a.zip"))
    )
    client = as_user(release_manager)
    assert "It runs again with the same bundle" in text_of(client.get(codepush_url(failed, "retry")))
    assert_led_to(client.post(codepush_url(failed, "retry")), failed)
    failed.refresh_from_db()
    assert failed.status == CodePush.Status.PENDING


def test_one_whose_archive_is_gone_says_so(as_user: AsUser, release_manager: User, build: Build) -> None:
    failed = CodePushFactory(build=build, status="failed")
    response = as_user(release_manager).post(codepush_url(failed, "retry"))
    assert_refused(response, 409, "is no longer stored. Upload it again.")


def test_a_success_cannot_be_retried_or_canceled(as_user: AsUser, release_manager: User, build: Build) -> None:
    codepush = CodePushFactory(build=build)
    client = as_user(release_manager)
    assert_refused(client.get(codepush_url(codepush, "retry")), 409, "only a failed CodePush can be retried.")
    assert_refused(
        client.post(codepush_url(codepush, "cancel")), 409, "only a pending or processing CodePush can be canceled."
    )


def test_a_pending_one_is_canceled(as_user: AsUser, release_manager: User, build: Build) -> None:
    pending = CodePushFactory(build=build, status="pending", finished_at=None, duration_ms=None)
    client = as_user(release_manager)
    page = text_of(client.get(codepush_url(pending, "cancel")))
    assert "Nothing has changed for devices" in page
    # Two buttons named Cancel would be a riddle.
    assert ">Keep it running</a>" in page
    assert_led_to(client.post(codepush_url(pending, "cancel")), pending)
    pending.refresh_from_db()
    assert pending.status == CodePush.Status.CANCELED
