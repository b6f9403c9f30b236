"""A CodePush made of an archive that was uploaded before: by its owner, on that build, once."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from builds.models import Build
from deployments import tasks
from deployments.models import CodePush, Upload
from deployments.services import leftovers, uploads
from deployments.services.attempt import Attempt
from deployments.services.processing import process_codepush
from tests.deployments.pages import AsUser, assert_led_to, assert_refused, build_url, text_of
from tests.deployments.stories import live_label, release, sample, small_archive, stored_files
from tests.deployments.test_upload_page import read_sample, send
from tests.factories import BuildFactory, CodePushFactory

GONE = "The uploaded file is no longer there: it was used already, or waited for more than a day."


def stage(client: Client, build: Build, content: bytes | None = None) -> str:
    """The id that the page gets for an uploaded file."""
    response = send(client, build, read_sample("android-v1") if content is None else content)
    assert response.status_code == 201
    return str(response.context["upload"].upload_id)


def create(client: Client, build: Build, upload_id: str = "", **values: Any) -> Any:
    fields = {
        "build_target": build.build_target,
        "platform": build.platform,
        "target_binary_range": build.store_version,
        "upload": upload_id,
        "description": "Fixes the basket",
        "rollout_percent": "25",
    }
    return client.post(build_url(build, "codepush/new/"), fields | values)


def test_the_uploaded_archive_becomes_live(as_user: AsUser, release_manager: User, build: Build) -> None:
    client = as_user(release_manager)
    upload_id = stage(client, build)
    (file,) = stored_files()

    response = create(client, build, upload_id)
    codepush = CodePush.objects.get()
    assert_led_to(response, codepush)
    assert (codepush.upload_name, codepush.upload_size_bytes, codepush.rollout_percent) == (file, 889_082, 25)
    assert not Upload.objects.exists()
    process_codepush(codepush.pk)

    assert live_label(build) == "v1"
    assert file not in stored_files()


def test_it_is_used_once(as_user: AsUser, release_manager: User, build: Build) -> None:
    client = as_user(release_manager)
    upload_id = stage(client, build)
    create(client, build, upload_id)

    assert_refused(create(client, build, upload_id), 422, GONE)
    assert CodePush.objects.count() == 1


def test_of_two_forms_that_were_sent_with_it_one_wins(
    as_user: AsUser, release_manager: User, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is sent when this one has looked the upload up, and not yet used it."""
    client = as_user(release_manager)
    upload_id = stage(client, build)
    consume = uploads.consume_upload

    def be_late(*args: Any, **values: Any) -> None:
        Upload.objects.filter(upload_id=upload_id).delete()
        consume(*args, **values)

    monkeypatch.setattr("deployments.services.uploads.consume_upload", be_late)
    assert_refused(create(client, build, upload_id), 422, GONE)
    assert not CodePush.objects.exists()


def test_two_tabs_have_an_upload_each(as_user: AsUser, release_manager: User, build: Build) -> None:
    client = as_user(release_manager)
    first, second = stage(client, build), stage(client, build, small_archive().read())

    assert create(client, build, first).status_code == create(client, build, second).status_code == 303
    assert CodePush.objects.count() == 2


def test_nobody_else_can_use_it(as_user: AsUser, release_manager: User, owner: User, build: Build) -> None:
    upload_id = stage(as_user(release_manager), build)

    assert_refused(create(as_user(owner), build, upload_id), 422, GONE)
    assert create(as_user(release_manager), build, upload_id).status_code == 303


def test_it_is_of_no_use_on_another_build(as_user: AsUser, release_manager: User, build: Build) -> None:
    client = as_user(release_manager)
    other = BuildFactory(project=build.project)

    assert_refused(create(client, other, stage(client, build)), 422, GONE)


@pytest.mark.parametrize("upload_id", ["upl_guessed", "' OR 1=1 --", "x" * 5000])
def test_an_id_that_nobody_was_given_is_refused(
    as_user: AsUser, release_manager: User, build: Build, upload_id: str
) -> None:
    assert_refused(create(as_user(release_manager), build, upload_id), 422, GONE)


def test_an_id_with_a_nul_is_refused(as_user: AsUser, release_manager: User, build: Build) -> None:
    assert create(as_user(release_manager), build, "upl_\0").status_code == 422


def test_after_a_day_it_is_gone(as_user: AsUser, release_manager: User, build: Build) -> None:
    client = as_user(release_manager)
    upload_id = stage(client, build)
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert_refused(create(client, build, upload_id), 422, GONE)


def test_the_sweep_removes_what_waited_for_a_day_and_nothing_younger(
    as_user: AsUser, release_manager: User, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "UPLOAD_GRACE", timedelta(0))
    client = as_user(release_manager)
    used, waiting = stage(client, build), stage(client, build)
    create(client, build, used)
    stage(client, build)
    Upload.objects.exclude(upload_id=waiting).update(expires_at=timezone.now())
    assert len(stored_files()) == 3

    tasks.delete_leftover_uploads()

    assert stored_files() == {f"uploads/{used}.zip", f"uploads/{waiting}.zip"}
    assert create(client, build, waiting).status_code == 303


def test_after_a_refusal_it_is_still_there(as_user: AsUser, release_manager: User, build: Build) -> None:
    client = as_user(release_manager)
    upload_id = stage(client, build)
    CodePushFactory(build=build)

    for refusal in (
        create(client, build, upload_id, rollout_percent="0"),
        create(client, build, upload_id, rollout_percent="half"),
        create(client, build, upload_id, expected_live="v7"),
    ):
        assert refusal.status_code in (409, 422)
        assert f'name="upload" value="{upload_id}"' in text_of(refusal)
    assert create(client, build, upload_id, expected_live="v1").status_code == 303


@pytest.mark.parametrize("values", [{"rollout_percent": "half"}, {"rollout_percent": "0"}, {"expected_live": "v7"}])
def test_a_file_sent_with_a_form_that_is_refused_need_not_be_chosen_again(
    as_user: AsUser, release_manager: User, build: Build, values: dict[str, str]
) -> None:
    client = as_user(release_manager)
    refused = create(client, build, bundle=sample("android-v1"), **values)
    assert "android-v1.zip" in text_of(refused)

    assert create(client, build, refused.context["upload"].upload_id).status_code == 303
    assert Upload.objects.count() == 0


def test_a_file_that_is_refused_with_another_field_is_told_too(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    refused = create(as_user(release_manager), build, bundle=sample("ios-v1"), rollout_percent="half")

    assert_refused(refused, 422, "use a whole number from 1 to 100.")
    assert "an iOS bundle, and this is a build for Android" in text_of(refused)
    assert (Upload.objects.count(), stored_files()) == (0, set())


def test_a_file_that_is_chosen_instead_wins(as_user: AsUser, release_manager: User, build: Build) -> None:
    client = as_user(release_manager)
    create(client, build, stage(client, build), bundle=small_archive())

    assert CodePush.objects.get().upload_size_bytes == small_archive().size


def test_the_content_that_is_live_is_refused_unless_it_is_wanted(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    release(build, release_manager, sample("android-v1"))
    client = as_user(release_manager)
    upload_id = stage(client, build)

    assert_refused(
        create(client, build, upload_id, expected_live="v1"),
        422,
        "identical to v1, which is Live: devices would notice nothing.",
    )
    assert create(client, build, upload_id, expected_live="v1", allows_identical="on").status_code == 303
    process_codepush(CodePush.objects.first().pk)  # type: ignore[union-attr]
    assert live_label(build) == "v2"


def test_the_worker_checks_it_all_the_same(as_user: AsUser, release_manager: User, build: Build) -> None:
    """What was checked early is no pass: the build may be known better meanwhile."""
    client = as_user(release_manager)
    create(client, build, stage(client, build))
    Build.objects.update(hermes_bytecode_version=94)
    codepush = CodePush.objects.get()
    process_codepush(codepush.pk)

    codepush.refresh_from_db()
    assert (codepush.status, "bytecode 94" in codepush.failure_reason) == ("failed", True)


def test_a_worker_that_dies_over_it_is_replaced(as_user: AsUser, release_manager: User, build: Build) -> None:
    client = as_user(release_manager)
    create(client, build, stage(client, build))
    codepush = CodePush.objects.get()
    assert Attempt.claim(codepush.pk) is not None
    CodePush.objects.update(heartbeat_at=timezone.now() - timedelta(hours=2))
    process_codepush(codepush.pk)

    assert live_label(build) == "v1"


def test_a_form_sent_twice_at_once_is_led_to_the_one_that_it_made(
    as_user: AsUser, release_manager: User, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one is done when the second has found no answer yet, and not looked the upload up."""
    client = as_user(release_manager)
    upload_id = stage(client, build)
    get_upload = uploads.get_upload

    def be_late(*args: Any, **wanted: Any) -> Upload:
        monkeypatch.setattr("deployments.services.uploads.get_upload", get_upload)
        assert create(client, build, upload_id, request_key="one").status_code == 303
        return get_upload(*args, **wanted)

    monkeypatch.setattr("deployments.services.uploads.get_upload", be_late)
    response = create(client, build, upload_id, request_key="one")
    assert_led_to(response, CodePush.objects.get())
