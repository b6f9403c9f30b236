"""Rolling back from the Live card."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from builds.models import Build
from deployments.models import BundleDiff, CodePush
from tests.deployments.pages import (
    AsUser,
    assert_led_to,
    assert_refused,
    codepush_url,
    preview,
    report_installed,
    report_outcomes,
    rows_of,
    text_of,
)
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
    assert 'value="v1" checked' in page
    assert "Disabled" in page
    assert '<b class="num">v4</b> Live, same bundle as v1' in page
    assert rows_of(response) == [
        "3 devices move from v3 to v4 at their next check, 1.0 kB each, about 3.0 kB in all",
        "2 devices already run the v1 bundle, so they download nothing",
    ]


def test_the_preview_is_of_the_source_that_is_chosen(as_user: AsUser, release_manager: User, live: CodePush) -> None:
    second = live.build.codepushes.get(label_number=2)
    assert live.bundle
    assert second.bundle
    BundleDiff.objects.create(
        from_bundle=live.bundle, to_bundle=second.bundle, storage_name=f"{'d' * 64}.zip", size_bytes=200
    )
    report_installed(live.build, "", 1)
    report_installed(live.build, "v1", 2, first=1)
    report_installed(live.build, "v3", 4, first=3)
    told = preview(as_user(release_manager), codepush_url(live, "rollback"), **_fields(to="v2", is_mandatory="on"))
    assert told == [
        "4 devices move from v3 to v4 at their next check, 200 B each, about 800 B in all",
        "3 devices move from other versions to v4 at their next check, 1.0 kB each, about 3.0 kB in all",
        "7 of these must install it during the Splash Screen: it is mandatory",
        "v2 is disabled and stays so; v4 is an enabled copy of it.",
    ]
    assert CodePush.objects.count() == 3


def test_one_that_went_back_on_devices_often_is_not_preselected(
    as_user: AsUser, release_manager: User, live: CodePush
) -> None:
    live.build.codepushes.filter(label_number=2).update(is_enabled=True)
    for label, rollbacks in (("v1", 0), ("v2", 20)):
        report_outcomes(live.build, label, installs=100, rollbacks=rollbacks)
    sources = as_user(release_manager).get(codepush_url(live, "rollback")).context["sources"]
    told = [(s.codepush.label, s.rate, s.is_conspicuous, s.is_last_stable) for s in sources]
    assert told == [("v2", "20.0%", True, False), ("v1", "0%", False, True)]


def test_pages_of_long_histories_cost_no_more_queries(
    as_user: AsUser, release_manager: User, live: CodePush, django_assert_num_queries: Any
) -> None:
    client = as_user(release_manager)
    with CaptureQueriesContext(connection) as few:
        client.get(codepush_url(live, "rollback"))
    CodePushFactory.create_batch(30, build=live.build)
    newest = CodePushFactory(build=live.build)
    with django_assert_num_queries(len(few)):
        response = client.get(codepush_url(newest, "rollback"))
    assert len(response.context["sources"]) == 25


def test_a_rollback_publishes_a_copy_that_is_live_at_once(
    as_user: AsUser, release_manager: User, live: CodePush
) -> None:
    client = as_user(release_manager)
    response = client.post(
        codepush_url(live, "rollback"), _fields(reason="Crashes at start", is_mandatory="on", rollout_percent="30")
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


def test_mandatory_is_proposed_as_the_source_had_it(as_user: AsUser, release_manager: User, live: CodePush) -> None:
    live.build.codepushes.filter(label_number=1).update(is_mandatory=True)
    client = as_user(release_manager)
    assert client.get(codepush_url(live, "rollback")).context["form"].initial["is_mandatory"] is True
    client.post(codepush_url(live, "rollback"), _fields())
    assert CodePush.objects.get(label_number=4).is_mandatory is False


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
    assert f'href="{codepush_url(live, "rollback")}" data-dialog>Review a rollback of v3</a>' in text_of(response)


def test_the_first_update_has_nothing_to_roll_back_to(as_user: AsUser, release_manager: User, build: Build) -> None:
    only = CodePushFactory(build=build)
    response = as_user(release_manager).get(codepush_url(only, "rollback"))
    assert_refused(response, 409, "Nothing came before v1. To take it back, disable it.")
