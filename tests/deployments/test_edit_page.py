"""Editing: what the page foretells, and what then happens."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from builds.models import Build
from deployments.models import CodePush
from deployments.policy.previews import NOTHING_IS_LIVE
from deployments.selectors import find_live_codepush
from tests.deployments.pages import (
    AsUser,
    assert_led_to,
    assert_refused,
    codepush_url,
    preview,
    report_installed,
    rows_of,
    text_of,
)
from tests.factories import CodePushFactory


def _fields(live: str, **changes: str) -> dict[str, str]:
    fields = {"expected_live": live, "description": "Better", "rollout_percent": "40", "is_enabled": "on", **changes}
    return {name: value for name, value in fields.items() if value or name != "is_enabled"}


@pytest.fixture
def older(build: Build) -> CodePush:
    codepush: CodePush = CodePushFactory(build=build)
    return codepush


@pytest.fixture
def live(older: CodePush) -> CodePush:
    codepush: CodePush = CodePushFactory(build=older.build, is_mandatory=True)
    return codepush


def test_all_four_settings_are_saved(as_user: AsUser, release_manager: User, live: CodePush) -> None:
    response = as_user(release_manager).post(codepush_url(live, "edit"), _fields("v2"), follow=False)
    assert_led_to(response, live)
    live.refresh_from_db()
    assert live.describe_settings() == {
        "description": "Better",
        "is_enabled": True,
        "is_mandatory": False,
        "rollout_percent": 40,
    }


def test_a_form_that_was_not_touched_foretells_nothing(as_user: AsUser, release_manager: User, live: CodePush) -> None:
    response = as_user(release_manager).get(codepush_url(live, "edit"))
    assert rows_of(response) == ["Nothing changes for devices."]
    assert "If you disable v2, v1 becomes Live again." in text_of(response)


def test_disabling_the_live_one_does_what_the_page_said(as_user: AsUser, release_manager: User, live: CodePush) -> None:
    report_installed(live.build, "v2", 3)
    client = as_user(release_manager)
    fields = _fields("v2", is_enabled="", rollout_percent="100", is_mandatory="on")
    assert preview(client, codepush_url(live, "edit"), **fields) == [
        "3 devices move from v2 to v1 at their next check, 1.0 kB each, about 3.0 kB in all",
        "v1 becomes Live again.",
    ]
    live.refresh_from_db()
    assert live.is_enabled
    response = client.post(codepush_url(live, "edit"), fields, follow=True)
    assert "v2 saved. v1 is Live." in text_of(response)


def test_devices_that_nobody_has_are_not_counted(as_user: AsUser, release_manager: User, live: CodePush) -> None:
    told = preview(as_user(release_manager), codepush_url(live, "edit"), **_fields("v2", is_enabled=""))
    assert told == ["v1 becomes Live again.", "No device runs v2."]


def test_disabling_the_last_one_says_that_devices_keep_it(
    as_user: AsUser, release_manager: User, older: CodePush
) -> None:
    report_installed(older.build, "v1", 2)
    client, address = as_user(release_manager), codepush_url(older, "edit")
    response = client.post(address, {**_fields("v1", is_enabled=""), "preview": "1"})
    assert response.status_code == 200
    assert rows_of(response) == ["2 devices run v1 and will keep it", NOTHING_IS_LIVE]
    assert '<button class="btn btn-danger" type="submit" data-submit><span data-submit-words>Disable v1</span>' in (
        text_of(response)
    )
    client.post(address, _fields("v1", is_enabled=""))
    assert find_live_codepush(older.build) is None
    # Nothing is Live now, and the form was opened against nothing.
    assert_led_to(client.post(address, _fields("")), older)


def test_enabling_a_higher_label_makes_it_live_again(as_user: AsUser, release_manager: User, live: CodePush) -> None:
    CodePush.objects.filter(pk=live.pk).update(is_enabled=False, is_mandatory=False)
    report_installed(live.build, "v1", 3)
    client, address = as_user(release_manager), codepush_url(live, "edit")
    assert "If you enable v2, it becomes Live." in text_of(client.get(address))
    assert preview(client, address, **_fields("v1", rollout_percent="100")) == [
        "3 devices move from v1 to v2 at their next check, 1.0 kB each, about 3.0 kB in all"
    ]
    assert "v2 saved. v2 is Live." in text_of(client.post(address, _fields("v1"), follow=True))


def test_enabling_a_lower_label_leaves_live_as_it_is(as_user: AsUser, release_manager: User, live: CodePush) -> None:
    older = live.build.codepushes.get(label_number=1)
    CodePush.objects.filter(pk=older.pk).update(is_enabled=False)
    client, address = as_user(release_manager), codepush_url(older, "edit")
    assert "v2 stays Live either way." in text_of(client.get(address))
    assert preview(client, address, **_fields("v2", rollout_percent="100")) == ["v2 stays Live."]


def test_a_rollout_is_told_in_devices(as_user: AsUser, release_manager: User, live: CodePush) -> None:
    CodePush.objects.filter(pk=live.pk).update(rollout_percent=50)
    report_installed(live.build, "v1", 40)
    client, address = as_user(release_manager), codepush_url(live, "edit")
    raised = preview(client, address, **_fields("v2", rollout_percent="75", is_mandatory="on"))
    assert raised[0] == "10 more devices are meant to get v2: about 30 instead of 20"
    lowered = preview(client, address, **_fields("v2", rollout_percent="25", is_mandatory="on"))
    assert lowered[0] == "10 fewer devices are meant to get v2: about 10 instead of 20"
    assert "Nothing is taken back from those that have." in lowered[-1]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rollout_percent": "50%"}, "Rollout is '50%'; use a whole number from 1 to 100."),
        (
            {"rollout_percent": "0"},
            "Rollout is 0; use a whole number from 1 to 100. To offer it to nobody, disable it.",
        ),
        ({"description": "x" * 2001}, "The description has 2,001 characters"),
        ({"description": "a\0b"}, "Null characters are not allowed."),
    ],
    ids=["percent sign", "zero", "long description", "NUL"],
)
def test_a_bad_value_changes_nothing(
    as_user: AsUser, release_manager: User, live: CodePush, changes: dict[str, Any], sentence: str
) -> None:
    response = as_user(release_manager).post(codepush_url(live, "edit"), _fields("v2", **changes))
    assert_refused(response, 422, sentence)
    live.refresh_from_db()
    assert live.rollout_percent == 100


def test_a_stale_form_is_a_409_with_a_fresh_preview_and_the_input(
    as_user: AsUser, release_manager: User, live: CodePush
) -> None:
    CodePushFactory(build=live.build)
    response = as_user(release_manager).post(codepush_url(live, "edit"), _fields("v2", description="Typed"))
    assert_refused(response, 409, "v3 became Live while this was open. Review again.")
    page = text_of(response)
    assert '<input type="hidden" name="expected_live" value="v3">' in page
    assert rows_of(response)[0] == "v3 stays Live."
    assert "Typed" in page


def test_a_failed_one_cannot_be_edited(as_user: AsUser, release_manager: User, build: Build) -> None:
    failed = CodePushFactory(build=build, status="failed")
    assert_refused(
        as_user(release_manager).get(codepush_url(failed, "edit")), 409, "only a CodePush that succeeded can be edited."
    )
