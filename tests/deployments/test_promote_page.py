from django.contrib.auth.models import User

from builds.models import Build
from deployments.models import CodePush
from tests.deployments.pages import (
    AsUser,
    assert_led_to,
    assert_refused,
    codepush_url,
    report_installed,
    rows_of,
    text_of,
)
from tests.factories import CodePushFactory

FIELDS = {"expected_live": "v2", "rollout_percent": "100"}


def test_promoting_publishes_a_copy_and_says_beforehand_for_whom(
    as_user: AsUser, release_manager: User, build: Build
) -> None:
    older = CodePushFactory(build=build)
    CodePushFactory(build=build)
    report_installed(build, "v1", 2)
    report_installed(build, "v2", 5, first=2)
    client = as_user(release_manager)
    assert rows_of(client.get(codepush_url(older, "promote"))) == [
        "5 devices move from v2 to v3 at their next check, 1.0 kB each, about 5.0 kB in all",
        "2 devices already run the v1 bundle, so they download nothing",
    ]
    response = client.post(codepush_url(older, "promote"), FIELDS)
    copy = CodePush.objects.get(label_number=3)
    assert_led_to(response, copy)
    assert copy.source == older


def test_the_live_one_cannot_be_promoted(as_user: AsUser, release_manager: User, build: Build) -> None:
    live = CodePushFactory(build=build)
    assert_refused(as_user(release_manager).get(codepush_url(live, "promote")), 409, "v1 is Live already.")


def test_a_stale_promote_is_a_409_with_a_fresh_preview(as_user: AsUser, release_manager: User, build: Build) -> None:
    older = CodePushFactory(build=build)
    CodePushFactory.create_batch(2, build=build)
    response = as_user(release_manager).post(codepush_url(older, "promote"), FIELDS)
    assert_refused(response, 409, "v3 became Live while this was open. Review again.")
    assert '<input type="hidden" name="expected_live" value="v3">' in text_of(response)
    assert CodePush.objects.count() == 3


def test_rollout_must_be_a_whole_number(as_user: AsUser, release_manager: User, build: Build) -> None:
    older = CodePushFactory(build=build)
    CodePushFactory(build=build)
    response = as_user(release_manager).post(codepush_url(older, "promote"), {**FIELDS, "rollout_percent": "1e2"})
    assert_refused(response, 422, "Rollout is '1e2'; use a whole number from 1 to 100.")
