"""Which Live updates need a look, by their history: at the age of the present one, on any number of builds."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import AuditAction, AuditEntry, Build
from deployments.models import CodePush
from deployments.policy.attention import Outcomes
from metrics.attention import compare_with_previous, find_attention
from metrics.history import DAY, HOUR
from metrics.models import ReleaseCounter, ReleaseHour
from metrics.rollup import roll_up
from tests.factories import BuildFactory, CodePushFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def release(build: Build, at: datetime, **fields: Any) -> CodePush:
    codepush: CodePush = CodePushFactory(build=build, finished_at=at, **fields)
    return codepush


def outcomes(codepush: CodePush, at: datetime, installs: int, rollbacks: int) -> None:
    """So many devices installed it, and went back, in that hour; history and counter say the same."""
    key: dict[str, Any] = {"build": codepush.build, "label_number": codepush.label_number}
    hour = at.replace(minute=0, second=0, microsecond=0)
    ReleaseHour.objects.create(**key, hour=hour, installs=installs, rollbacks=rollbacks)
    counter, _ = ReleaseCounter.objects.get_or_create(**key)
    counter.installs += installs
    counter.rollbacks += rollbacks
    counter.save()


def failing_pair(build: Build, now: datetime) -> CodePush:
    """v1 went well; v2, two hours old, does not: 1 % of installs against 0.1 %."""
    first = release(build, now - 2 * DAY)
    outcomes(first, now - 2 * DAY, 1000, 1)
    second = release(build, now - 2 * HOUR)
    outcomes(second, now - HOUR, 1000, 10)
    return second


def test_an_update_that_fails_more_often_than_the_one_before_at_the_same_age(build: Build, now: datetime) -> None:
    live = failing_pair(build, now)
    attention = find_attention([live])[live.pk]
    assert attention.is_outlier
    assert attention.sentence == (
        "Rolls back 10 times more often than v1 did at the same age (1.0% against 0.10% of installs)."
    )


def test_what_the_previous_one_did_later_in_its_life_is_not_compared(build: Build, now: datetime) -> None:
    live = failing_pair(build, now)
    previous = CodePush.objects.get(label_number=1)
    outcomes(previous, now - DAY, 1000, 900)
    assert compare_with_previous([live], now)[live.pk].outcomes == Outcomes(1000, 1)
    assert find_attention([live])[live.pk].is_outlier


def test_the_hour_of_its_release_and_as_many_as_the_present_one_has_count(build: Build, now: datetime) -> None:
    start = (now - 3 * DAY).replace(minute=59)
    previous = release(build, start)
    live = release(build, now - 2 * HOUR)
    for hour in range(-1, 5):
        outcomes(previous, start + hour * HOUR, 10 ** max(hour, 0), 0)
    # Its own hour and the two after it.
    assert compare_with_previous([live], now)[live.pk].outcomes == Outcomes(111, 0)


@pytest.mark.parametrize("is_rolled_up", [False, True], ids=["not rolled up yet", "rolled up"])
def test_of_an_older_one_whole_days_are_compared(build: Build, now: datetime, *, is_rolled_up: bool) -> None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - 20 * DAY + 9 * HOUR
    previous = release(build, start)
    live = release(build, midnight - DAY + HOUR)
    for hours, installs in ((0, 1), (14, 10), (15, 100), (38, 1000), (39, 10_000)):
        outcomes(previous, start + hours * HOUR, installs, 0)
    if is_rolled_up:
        roll_up(now)
    comparison = compare_with_previous([live], now)[live.pk]
    assert (comparison.step, comparison.outcomes) == (DAY, Outcomes(1111, 0))


def test_without_a_previous_one_or_its_history_there_is_nothing_to_compare_with(build: Build, now: datetime) -> None:
    first = release(build, now - 500 * DAY)
    second = release(build, now - HOUR)
    assert compare_with_previous([first, second], now) == {}
    outcomes(second, now - HOUR, 1000, 60)
    sentence = find_attention([second])[second.pk].sentence
    assert sentence.startswith("60 devices went back from it by themselves: 6.0% of installs.")


@pytest.mark.parametrize(
    ("rollout_percent", "age", "edited", "sentence"),
    [
        (25, timedelta(days=9), None, "Rollout has stood at 25% for 9 days."),
        (25, timedelta(days=19), timedelta(days=8), "Rollout has stood at 25% for 8 days."),
        (25, timedelta(days=19), timedelta(days=6), None),
        (25, timedelta(days=6), None, None),
        (100, timedelta(days=19), None, None),
    ],
    ids=["since its release", "since its last change", "changed lately", "young", "finished"],
)
def test_a_rollout_that_nobody_finishes(
    build: Build, now: datetime, rollout_percent: int, age: timedelta, edited: timedelta | None, sentence: str | None
) -> None:
    live = release(build, now - age, rollout_percent=rollout_percent)
    if edited:
        _edit(live, now - edited, {"rollout_percent": rollout_percent})
    _edit(live, now - HOUR, {"description": "Another word."})
    found = find_attention([live]).get(live.pk)
    assert (found.sentence if found else None) == sentence


def test_failing_devices_come_before_a_stalled_rollout(build: Build, now: datetime) -> None:
    live = release(build, now - 9 * DAY, rollout_percent=10)
    outcomes(live, now - HOUR, 1000, 60)
    assert find_attention([live])[live.pk].is_outlier


@pytest.mark.parametrize("build_count", [1, 12])
def test_the_cost_is_four_queries_for_any_number_of_builds(
    now: datetime, build_count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    failing = [failing_pair(BuildFactory(), now) for _ in range(build_count)]
    stalled = [release(BuildFactory(), now - 9 * DAY, rollout_percent=10) for _ in range(build_count)]
    # Changes of rollouts, counters, releases of the previous ones, their hours.
    with django_assert_num_queries(4):
        found = find_attention([*failing, *stalled])
    assert len(found) == 2 * build_count


def test_the_history_of_one_build_is_not_compared_with_that_of_another(build: Build, now: datetime) -> None:
    healthy = failing_pair(BuildFactory(), now)
    ReleaseCounter.objects.filter(build=healthy.build, label_number=2).update(rollbacks=1)
    live = failing_pair(build, now)
    assert find_attention([healthy, live]).keys() == {live.pk}


def _edit(codepush: CodePush, at: datetime, after: dict[str, Any]) -> None:
    AuditEntry.objects.create(
        project=codepush.build.project,
        build=codepush.build,
        deployment_id=codepush.deployment_id,
        action=AuditAction.CODEPUSH_EDITED,
        actor_name="Elif Kaya",
        after=after,
        created_at=at,
    )
