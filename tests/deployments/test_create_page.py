"""+ CodePush: a real archive through the form, and every refusal in words."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.fixtures import Settings

from builds.models import Build, StoreStatus
from deployments.models import CodePush
from deployments.services.processing import process_codepush
from tests.conftest import SAMPLES
from tests.deployments.pages import AsUser, assert_led_to, assert_refused, build_url, text_of
from tests.factories import CodePushFactory


def _upload(sample: str = "android-v1.zip") -> SimpleUploadedFile:
    return SimpleUploadedFile(sample, (SAMPLES / sample).read_bytes(), "application/zip")


def _fields(**changes: Any) -> dict[str, Any]:
    fields = {
        "build_target": "production",
        "platform": "android",
        "bundle": _upload(),
        "description": "First line\r\nsecond line",
        "rollout_percent": "25",
        "is_mandatory": "on",
        "expected_live": "",
    }
    return {**fields, **changes}


def test_an_uploaded_bundle_becomes_a_codepush_that_processing_makes_live(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    client = as_user(release_manager)
    response = client.post(build_url(build, "codepush/new/"), _fields())
    codepush = CodePush.objects.get()
    assert_led_to(response, codepush)
    assert (codepush.rollout_percent, codepush.is_mandatory, codepush.created_by) == (25, True, release_manager)
    assert codepush.description == "First line\nsecond line"
    process_codepush(codepush.pk)
    page = client.get(build_url(build)).context["page"]
    assert (page.live.codepush.label, page.cards[0].state) == ("v1", "live")


def test_target_platform_and_range_are_shown_locked(as_user: AsUser, release_manager: User, build: Build) -> None:
    page = text_of(as_user(release_manager).get(build_url(build, "codepush/new/")))
    assert '<input type="hidden" name="platform" value="android">' in page
    assert '<input type="hidden" name="target_binary_range" value="3.0.0">' in page
    assert "They can't be changed." in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rollout_percent": "50%"}, "Rollout is '50%'; use a whole number from 1 to 100."),
        ({"rollout_percent": "12.5"}, "Rollout is '12.5'; use a whole number from 1 to 100."),
        ({"rollout_percent": "٥٠"}, "Rollout is '٥٠'; use a whole number from 1 to 100."),
        ({"rollout_percent": "-5"}, "Rollout is '-5'; use a whole number from 1 to 100."),
        ({"rollout_percent": ""}, "Rollout is ''; use a whole number from 1 to 100."),
        ({"rollout_percent": "0"}, "Rollout is 0; use a whole number from 1 to 100."),
        ({"rollout_percent": "101"}, "Rollout is 101; use a whole number from 1 to 100."),
        ({"description": "x" * 2001}, "The description has 2,001 characters; at most 2,000 fit."),
        ({"platform": "ios"}, "The platform is 'ios', but Android 3.0.0"),
        ({"build_target": "staging"}, "The build target is 'staging', but Android 3.0.0"),
        ({"target_binary_range": "3.1.0"}, "The target binary range is '3.1.0', but Android 3.0.0"),
        ({"description": "Fixes \x07 it"}, "The description holds a control character (U+0007) at position 7."),
        ({"bundle": ""}, "Choose the bundle, a ZIP archive."),
        ({"bundle": SimpleUploadedFile("a.zip", b"")}, "The file is empty."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_value_is_refused_with_a_sentence_and_input_is_kept(
    as_user: AsUser, release_manager: User, build: Build, changes: dict[str, Any], sentence: str
) -> None:
    response = as_user(release_manager).post(build_url(build, "codepush/new/"), _fields(**changes))
    assert_refused(response, 422, sentence)
    assert ("Uploaded and checked." in text_of(response)) == ("bundle" not in changes)
    if "description" not in changes:
        assert "second line" in text_of(response)
    assert not CodePush.objects.exists()


def test_a_description_of_2000_characters_fits_however_its_lines_end(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    description = "x" * 1998 + "\r\n" + "y"
    response = as_user(release_manager).post(build_url(build, "codepush/new/"), _fields(description=description))
    assert_led_to(response, CodePush.objects.get())


def test_what_is_no_archive_is_refused_under_the_bundle(as_user: AsUser, release_manager: User, build: Build) -> None:
    response = as_user(release_manager).post(
        build_url(build, "codepush/new/"), _fields(bundle=SimpleUploadedFile("a.zip", b"no archive"))
    )
    assert response.status_code == 422
    assert text_of(response).count("is not a zip archive.") == 2, "in the summary and under the field"
    assert "bundle" in response.context["form"].errors


def test_a_bundle_over_the_limit_is_a_413(
    as_user: AsUser, release_manager: User, build: Build, settings: Settings, bundle_folder: Path
) -> None:
    settings.MAX_BUNDLE_BYTES = 1000
    response = as_user(release_manager).post(build_url(build, "codepush/new/"), _fields())
    assert response.status_code == 413
    assert not list(bundle_folder.rglob("*.zip"))


def test_one_that_is_refused_before_it_is_read_leads_back_to_the_form(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    path = build_url(build, "codepush/new/")
    response = as_user(release_manager).generic("POST", path, b"", CONTENT_LENGTH="999000111")
    assert response.status_code == 413
    assert f'href="{path}">Go back to the form</a>' in text_of(response)


def test_a_form_opened_before_another_became_live_is_a_409_with_a_fresh_preview(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    CodePushFactory(build=build)
    response = as_user(release_manager).post(build_url(build, "codepush/new/"), _fields(expected_live=""))
    assert_refused(response, 409, "v1 became Live while this was open. Review again.")
    assert '<input type="hidden" name="expected_live" value="v1">' in text_of(response)
    assert "Replaces v1 as Live when it succeeds" in text_of(response)
    assert "second line" in text_of(response)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"status": "failed"}, "is failed; only a successful build can receive CodePushes."),
        ({"is_force_updated": True, "store_status": StoreStatus.APPROVED}, "Force Update is applied to Android 3.0.0"),
    ],
    ids=["failed build", "force updated"],
)
def test_a_build_that_takes_no_codepush_has_no_form(
    as_user: AsUser, release_manager: User, replaced_build: Build, fields: dict[str, Any], sentence: str
) -> None:
    Build.objects.filter(pk=replaced_build.pk).update(**{"store_status": StoreStatus.NONE, **fields})
    client = as_user(release_manager)
    for response in (
        client.get(build_url(replaced_build, "codepush/new/")),
        client.post(build_url(replaced_build, "codepush/new/"), _fields()),
    ):
        assert_refused(response, 409, sentence)
        assert "<textarea" not in text_of(response)
