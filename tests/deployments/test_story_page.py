"""The story of one CodePush: what was done to it, how it was processed, and when it was Live."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.audit import record
from builds.models import AuditAction, Build
from deployments.models import CodePush
from deployments.services.codepushes import edit_codepush
from deployments.services.republishing import roll_back
from deployments.views.story import Event
from tests.deployments.pages import AsUser, codepush_url, text_of
from tests.deployments.stories import history, release, sample
from tests.factories import CodePushFactory


def events_of(as_user: AsUser, viewer: User, codepush: CodePush) -> list[Event]:
    events: list[Event] = as_user(viewer).get(codepush_url(codepush, "log")).context["events"]
    return events


def test_an_upload_from_its_creation_to_its_end(
    as_user: AsUser, viewer: User, release_manager: User, build: Build
) -> None:
    first = release(build, release_manager, sample("android-v1"), rollout_percent=25)
    edit_codepush(first.pk, actor=release_manager, rollout_percent=75)
    release(build, release_manager, sample("android-v2"))
    events = events_of(as_user, viewer, first)
    assert [(event.name, event.actor_name) for event in events] == [
        ("CodePush created", "Elif Kaya"),
        ("CodePush succeeded", "worker"),
        ("CodePush edited", "Elif Kaya"),
        ("No longer Live", ""),
    ]
    assert [(change.field, change.before, change.after) for change in events[2].changes] == [("Rollout", "25%", "75%")]
    assert "v2 is Live from then on." in events[3].detail
    page = text_of(as_user(viewer).get(codepush_url(first, "log")))
    assert "History of v1" in page
    assert "Superseded" in page


def test_one_that_was_disabled_and_came_back(
    as_user: AsUser, viewer: User, release_manager: User, build: Build
) -> None:
    only = CodePushFactory(build=build, finished_at=timezone.now() - timedelta(hours=3, seconds=30))
    for is_enabled in (False, True):
        edit_codepush(only.pk, actor=release_manager, is_enabled=is_enabled)
    events = events_of(as_user, viewer, only)
    assert [event.name for event in events] == [
        "CodePush created",
        "CodePush edited",
        "No longer Live",
        "CodePush edited",
        "Became Live again",
    ]
    assert "It was Live for 3 h. No update is Live." in [event.detail for event in events]


def test_a_rollback_was_instant_and_says_why(
    as_user: AsUser, viewer: User, release_manager: User, build: Build
) -> None:
    _, second = history(build, 2)
    copy = roll_back(second.pk, to_label="v1", actor=release_manager, reason="Crashes.")
    page = text_of(as_user(viewer).get(codepush_url(copy, "log")))
    for words in ("Rolled back", "Crashes.", "Instant: it has the bundle of v1", "still is"):
        assert words in page


def test_a_failure_says_why_and_where(as_user: AsUser, viewer: User, build: Build) -> None:
    failed = CodePushFactory(build=build, status="failed", step="checking", failure_reason="No JavaScript bundle.")
    page = text_of(as_user(viewer).get(codepush_url(failed, "log")))
    for words in ("Log of an update", "Why it failed", "No JavaScript bundle.", "Devices were not affected."):
        assert words in page
    assert 'Check<span class="vh"> (failed)</span>' in page


@pytest.mark.parametrize("entry_count", [1, 250])
def test_the_cost_is_a_fixed_number_of_queries_and_of_entries(
    as_user: AsUser,
    viewer: User,
    release_manager: User,
    build: Build,
    entry_count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    codepush = CodePushFactory(build=build)
    for number in range(entry_count):
        record(
            AuditAction.CODEPUSH_EDITED,
            project=build.project,
            build=build,
            deployment_id=codepush.deployment_id,
            actor=release_manager,
            after={"rollout_percent": number % 100 + 1},
        )
    client = as_user(viewer)
    # Session, user, membership with project, build, CodePush; its entries; successes and switches, the Live one; what
    # runs, for the header.
    with django_assert_num_queries(9):
        response = client.get(codepush_url(codepush, "log"))
    assert len(response.context["events"]) <= 201
    assert ("The audit log has all" in text_of(response)) is (entry_count > 200)
