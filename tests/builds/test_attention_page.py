"""/projects/, "Needs attention": what is named there, in which order, and what is not."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from builds.models import Build, Project, StoreStatus
from deployments.models import CodePush
from metrics.history import DAY, HOUR
from tests.deployments.pages import AsUser, build_url, text_of
from tests.factories import BuildFactory, CodePushFactory, MembershipFactory
from tests.metrics.test_attention import failing_pair


def _sentences(as_user: AsUser, user: User) -> list[str]:
    return [item.sentence for item in as_user(user).get("/projects/").context["items"]]


def _fail(build: Build, **fields: Any) -> CodePush:
    failed: CodePush = CodePushFactory(build=build, status="failed", failure_reason="Not a zip.", **fields)
    return failed


def _forget_rollout(build: Build) -> CodePush:
    stalled: CodePush = CodePushFactory(build=build, rollout_percent=25, finished_at=timezone.now() - 9 * DAY)
    return stalled


def test_most_urgent_first_each_with_the_address_of_its_card(as_user: AsUser, viewer: User, project: Project) -> None:
    stalled = _forget_rollout(BuildFactory(project=project))
    failed = _fail(BuildFactory(project=project))
    outlier = failing_pair(BuildFactory(project=project), timezone.now())
    response = as_user(viewer).get("/projects/")
    assert [(item.sentence, item.url.split("#")[1]) for item in response.context["items"]] == [
        (
            "v2 rolls back 10 times more often than v1 did at the same age (1.0% against 0.10% of installs).",
            outlier.deployment_id,
        ),
        ("CodePush failed: Not a zip.", failed.deployment_id),
        ("Rollout of v1 has stood at 25% for 9 days.", stalled.deployment_id),
    ]
    address = f"{build_url(failed.build)}?deployment={failed.deployment_id}#{failed.deployment_id}"
    assert f'href="{address}"' in text_of(response)
    assert 'class="spark bad"' in text_of(response)


def test_nothing_to_say_is_nothing_said(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory(build=build)
    assert "Needs attention" not in text_of(as_user(viewer).get("/projects/"))


@pytest.mark.parametrize("answer", ["success", "pending", "processing", "failed"])
def test_a_failure_that_was_followed_by_another_try_is_done_with(
    as_user: AsUser, viewer: User, build: Build, answer: str
) -> None:
    failed = _fail(build)
    later = CodePushFactory(build=build, status=answer)
    named = [item.url.split("#")[1] for item in as_user(viewer).get("/projects/").context["items"]]
    assert failed.deployment_id not in named
    assert named == ([later.deployment_id] if answer == "failed" else [])


def test_a_canceled_try_or_one_on_another_build_answers_no_failure(as_user: AsUser, viewer: User, build: Build) -> None:
    _fail(build)
    CodePushFactory(build=build, status="canceled")
    CodePushFactory(build=BuildFactory(project=build.project))
    assert _sentences(as_user, viewer) == ["CodePush failed: Not a zip."]


def test_an_old_failure_was_left_on_purpose(as_user: AsUser, viewer: User, build: Build) -> None:
    _fail(build, finished_at=timezone.now() - timedelta(days=15))
    assert _sentences(as_user, viewer) == []


def test_what_is_not_live_or_sent_to_the_store_needs_none(as_user: AsUser, viewer: User, project: Project) -> None:
    replaced = _forget_rollout(BuildFactory(project=project))
    CodePushFactory(build=replaced.build)
    forced = BuildFactory(
        project=project, store_status=StoreStatus.APPROVED, store_live_at=timezone.now(), is_force_updated=True
    )
    _forget_rollout(forced)
    assert _sentences(as_user, viewer) == []


def test_projects_of_others_are_not_told_of(as_user: AsUser, outsider: User, viewer: User, build: Build) -> None:
    _fail(build)
    assert _sentences(as_user, outsider) == []
    assert _sentences(as_user, viewer) != []


def test_a_long_list_shows_the_most_urgent_and_says_so(as_user: AsUser, viewer: User, project: Project) -> None:
    for _ in range(11):
        _fail(BuildFactory(project=project))
    page = text_of(as_user(viewer).get("/projects/"))
    assert page.count("CodePush failed: Not a zip.") == 10
    assert "The 10 most urgent of 11 are shown." in page


@pytest.mark.parametrize("count", [1, 20])
def test_it_costs_a_fixed_number_of_queries(
    as_user: AsUser, viewer: User, count: int, django_assert_num_queries: Any
) -> None:
    now = timezone.now()
    for _ in range(count):
        build = BuildFactory(store_status=StoreStatus.LIVE, store_live_at=now)
        MembershipFactory(project=build.project, user=viewer)
        failing_pair(build, now)
        _forget_rollout(BuildFactory(project=build.project))
        _fail(BuildFactory(project=build.project))
    client = as_user(viewer)
    # Session, user; what is Live, four of attention, failures, what waits for a second person, who turned that off;
    # count and page of projects, their store-live builds
    # and what is Live there, two of metrics, last CodePushes; all devices; projects that ask for a second factor; what
    # runs, for the header.
    with django_assert_num_queries(21):
        client.get("/projects/")


def test_more_live_updates_than_a_query_has_room_for_one_by_one(as_user: AsUser, viewer: User, build: Build) -> None:
    builds = Build.objects.bulk_create(
        Build(project=build.project, platform="ios", build_target="staging", store_version="1.0.0", status="success")
        for _ in range(1200)
    )
    bundle = CodePushFactory(build=build).bundle
    CodePush.objects.bulk_create(
        CodePush(
            build=each,
            bundle=bundle,
            status="success",
            label_number=1,
            rollout_percent=50,
            finished_at=timezone.now() - 8 * DAY - HOUR,
        )
        for each in builds
    )
    assert "The 10 most urgent of 1,200 are shown." in text_of(as_user(viewer).get("/projects/"))
