"""Rolling back from the Live card."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from builds.models import Build
from deployments.models import CodePush
from tests.deployments.pages import AsUser, assert_led_to, assert_refused, codepush_url, report_installed, text_of
from tests.factories import CodePushFactory


@pytest.fixture
def live(build: Build) -> CodePush:
    """v3; before it v1, and v2, which is disabled."""
    CodePushFactory(build=build)
    CodePushFactory(build=build, is_enabled=False)
    codepush: CodePush = CodePushFactory(build=build)
    return codepush


def _fields(**changes: str) -> dict[str, str]:
    return {"expected_live": "v3", "to": "v1", "rollout_percent": "100", **changes}


def test_the_newest_enabled_source_is_preselected_and_disabled_ones_are_marked(
    as_user: AsUser, release_manager: User, live: CodePush
) -> None:
    report_installed(live.build, "v1", 2)
    report_installed(live.build, "v3", 3, first=2)
    response = as_user(release_manager).get(codepush_url(live, "rollback"))
    page = text_of(response)
    assert [source.codepush.label for source in response.context["sources"]] == ["v2", "v1"]
    assert [(source.same_devices, source.other_devices) for source in response.context["sources"]] == [(0, 5), (2, 3)]
    assert 'value="v1" checked' in page
    assert "Disabled" in page
    assert "<b>v4</b> Live, same bundle as the one you choose" in page


def test_a_rollback_publishes_a_copy_that_is_live_at_once(
    as_user: AsUser, release_manager: User, live: CodePush
) -> None:
    client = as_user(release_manager)
    response = client.post(
        codepush_url(live, "rollback"), _fields(reason="Crashes at start", is_mandatory="yes", rollout_percent="30")
    )
    copy = CodePush.objects.get(label_number=4)
    assert_led_to(response, copy)
    assert (copy.source, copy.is_mandatory, copy.rollout_percent) == (
        live.build.codepushes.get(label_number=1),
        True,
        30,
    )
    page = text_of(client.get(response.headers["Location"]))
    for shown in ("Rolled back to v1. v4 is Live.", "Same bundle as v1", "Crashes at start"):
        assert shown in page


@pytest.mark.parametrize(("choice", "is_mandatory"), [("", True), ("no", False), ("yes", True)])
def test_mandatory_is_the_sources_unless_chosen(
    as_user: AsUser, release_manager: User, live: CodePush, choice: str, is_mandatory: bool
) -> None:
    live.build.codepushes.filter(label_number=1).update(is_mandatory=True)
    as_user(release_manager).post(codepush_url(live, "rollback"), _fields(is_mandatory=choice))
    assert CodePush.objects.get(label_number=4).is_mandatory is is_mandatory


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"to": ""}, "Choose which update to go back to."),
        ({"to": "v9"}, "has no CodePush 'v9'."),
        ({"to": "v3"}, "v3 is not earlier than v3, which is Live."),
        ({"to": "latest"}, "has no CodePush 'latest'."),
        ({"rollout_percent": "12.5"}, "Rollout is '12.5'; use a whole number from 1 to 100."),
        ({"rollout_percent": "101"}, "Rollout is 101; use a whole number from 1 to 100."),
        ({"reason": "x" * 281}, "The reason has 281 characters; at most 280 fit."),
        ({"is_mandatory": "maybe"}, "Select a valid choice."),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_value_is_refused_and_nothing_is_published(
    as_user: AsUser, release_manager: User, live: CodePush, changes: dict[str, Any], sentence: str
) -> None:
    response = as_user(release_manager).post(codepush_url(live, "rollback"), _fields(**changes))
    assert_refused(response, 422, sentence)
    assert CodePush.objects.count() == 3


def test_a_second_click_rolls_back_once(as_user: AsUser, release_manager: User, live: CodePush) -> None:
    client = as_user(release_manager)
    client.post(codepush_url(live, "rollback"), _fields())
    response = client.post(codepush_url(live, "rollback"), _fields())
    assert_refused(response, 409, "v4 became Live while this was open. Review again.")
    assert CodePush.objects.count() == 4


def test_what_is_not_live_has_no_rollback_form(as_user: AsUser, release_manager: User, live: CodePush) -> None:
    older = live.build.codepushes.get(label_number=1)
    response = as_user(release_manager).get(codepush_url(older, "rollback"))
    assert_refused(response, 409, "v1 is not Live (Live: v3). Roll back from the Live CodePush.")


def test_the_first_update_has_nothing_to_roll_back_to(as_user: AsUser, release_manager: User, build: Build) -> None:
    only = CodePushFactory(build=build)
    response = as_user(release_manager).get(codepush_url(only, "rollback"))
    assert_refused(response, 409, "Nothing came before v1. To take it back, disable it.")
