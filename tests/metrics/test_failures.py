"""The failures view: device rollbacks by hour and update, and each update against the one before."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import Build
from deployments.policy.attention import Outcomes
from metrics.aggregation import apply_waiting_reports
from metrics.failures import break_down, compare_releases, read_failures
from metrics.history import HOUR
from metrics.models import ReleaseCounter, ReleaseHour, ReportLogEntry
from metrics.reports import ReportEvent
from tests.deployments.pages import AsUser, build_url, text_of
from tests.factories import CodePushFactory
from tests.metrics.stories import report

pytestmark = pytest.mark.django_db

FALLBACK, INSTALLED = ReportEvent.FALLBACK, ReportEvent.INSTALLED


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def failing(build: Build, now: datetime) -> Build:
    """v1 rolled back on one device 30 hours ago; v2, out for five hours, on two devices an hour ago."""
    Build.objects.filter(pk=build.pk).update(created_at=now - 41 * HOUR)
    CodePushFactory(build=build, finished_at=now - 40 * HOUR)
    CodePushFactory(build=build, finished_at=now - 5 * HOUR)
    report(build, FALLBACK, "phone-1", "v1", now - 30 * HOUR)
    for number in (1, 2):
        report(build, FALLBACK, f"phone-{number}", "v2", now - HOUR)
    for number in range(3, 7):
        report(build, INSTALLED, f"phone-{number}", "v2", now - 2 * HOUR)
    return build


def test_device_rollbacks_stand_in_their_hour_and_add_up_to_the_counters(failing: Build) -> None:
    failures = read_failures(failing, range_name="7d")
    assert {series.name: series.total for series in failures.series} == {"v2": 2, "v1": 1}
    counters = ReleaseCounter.objects.filter(build=failing, rollbacks__gt=0)
    assert sum(failures.totals) == sum(counter.rollbacks for counter in counters)
    assert failures.outcomes == Outcomes(installs=4, rollbacks=3)
    assert failures.totals[-2] == 2
    assert failures.totals[-31] == 1


def test_a_range_and_an_update_leave_the_others_out(failing: Build) -> None:
    assert [series.name for series in read_failures(failing, range_name="24h").series] == ["v2"]
    assert [series.name for series in read_failures(failing, range_name="7d", label="v1").series] == ["v1"]
    assert read_failures(failing, range_name="24h", label="v1").series == ()


def test_the_table_has_hours_of_a_day_and_days_of_more(failing: Build, now: datetime) -> None:
    hour = (now - HOUR).replace(minute=0, second=0, microsecond=0)
    by_hour = read_failures(failing, range_name="24h")
    assert [(row.start, row.total) for row in by_hour.rows] == [(hour, 2)]
    by_day = read_failures(failing, range_name="14d").rows
    assert sum(row.total for row in by_day) == 3
    assert {row.start.hour for row in by_day} == {0}


def test_more_updates_than_colours_share_the_last(build: Build, now: datetime) -> None:
    CodePushFactory.create_batch(6, build=build)
    for number in range(1, 7):
        for phone in range(number):
            report(build, FALLBACK, f"phone-{phone}", f"v{number}", now - HOUR)
    series = read_failures(build, range_name="24h").series
    assert [(one.name, one.total, one.tone) for one in series] == [
        ("v6", 6, 0),
        ("v5", 5, 1),
        ("v4", 4, 2),
        ("Others", 6, 3),
    ]


def test_each_update_is_compared_with_the_one_before_at_the_same_age(build: Build, now: datetime) -> None:
    for number, (age, installs, rollbacks) in enumerate([(50, 1000, 1), (30, 1000, 60), (2, 50, 0)], start=1):
        CodePushFactory(build=build, finished_at=now - age * HOUR)
        hour = (now - age * HOUR).replace(minute=0, second=0, microsecond=0)
        numbers = {"build": build, "label_number": number, "installs": installs, "rollbacks": rollbacks}
        ReleaseHour.objects.create(hour=hour, **numbers)
        ReleaseCounter.objects.create(**numbers)
    compared = compare_releases(build)
    assert [(row.codepush.label, row.is_outlier, row.verdict) for row in compared] == [
        ("v3", False, "Fewer than 100 devices tried it"),
        ("v2", True, "Unusually often"),
        ("v1", False, "Nothing to compare with"),
    ]
    assert compared[1].previous
    assert compared[1].previous.outcomes == Outcomes(1000, 1)


def test_every_number_opens_the_devices_behind_it(as_user: AsUser, viewer: User, failing: Build) -> None:
    page = text_of(as_user(viewer).get(build_url(failing, "failures/")))
    assert f'{build_url(failing, "devices/")}?show=rollbacks&label=v2">2<' in page
    assert "3 device rollbacks in the last 7 days, 75.0% of 4 installs." in page
    at = (timezone.now() - HOUR).replace(minute=0)
    assert f"<title>{at.day} {at:%b, %H:%M}: 2 from v2</title>" in page


def test_one_update_is_broken_down_by_what_devices_are(as_user: AsUser, viewer: User, build: Build) -> None:
    CodePushFactory(build=build)
    for number, library in enumerate(["9.0.1", "9.0.1", "9.0.1", "8.2.1"]):
        said = {"client_unique_id": f"phone-{number}", "deployment_key": build.deployment_key, "app_version": "3.0.0"}
        library_said = {"plugin_name": "code-push", "plugin_version": library}
        ReportLogEntry.objects.create(event="binary_started", **said, **library_said)
        if number > 1:
            ReportLogEntry.objects.create(event="fallback", label="v1", **said, **library_said)
    apply_waiting_reports()
    breakdown = break_down(build, label="v1")
    assert [(part.software.library, part.rollbacks, part.devices) for part in breakdown.parts] == [
        ("code-push 9.0.1", 1, 3),
        ("code-push 8.2.1", 1, 1),
    ]
    assert (breakdown.looked_at, breakdown.devices, breakdown.is_sample) == (2, 4, False)
    client = as_user(viewer)
    assert "show=rollbacks&label=v1&app=3.0.0&library=code-push%208.2.1" in text_of(
        client.get(build_url(build, "failures/?label=v1"))
    )
    assert "Which devices" not in text_of(client.get(build_url(build, "failures/")))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?range=24h&label=v1", "No device went back from v1 in the last 24 hours."),
        ("?label=v2", "No device went back from v2 in the last 24 hours."),
        ("?label=v99&range=3y", "No device went back from an update in the last 24 hours."),
    ],
)
def test_where_there_are_none_it_says_so(
    as_user: AsUser, viewer: User, build: Build, query: str, sentence: str
) -> None:
    CodePushFactory.create_batch(2, build=build)
    page = text_of(as_user(viewer).get(build_url(build, f"failures/{query}")))
    assert sentence in page
    assert ("Show all updates" in page) is ("v99" not in query)


def test_a_build_without_an_update_says_so(as_user: AsUser, viewer: User, build: Build) -> None:
    page = text_of(as_user(viewer).get(build_url(build, "failures/")))
    assert "No update has succeeded on this build yet." in page


@pytest.mark.parametrize("label_count", [2, 12])
def test_the_cost_is_a_fixed_number_of_queries(
    as_user: AsUser, viewer: User, build: Build, label_count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, label_count + 1):
        CodePushFactory(build=build, finished_at=timezone.now() - timedelta(hours=label_count - number))
        report(build, FALLBACK, "phone", f"v{number}", timezone.now())
    client = as_user(viewer)
    # Session, user, membership with project, build; newest label; as of when and hours; updates with their outcomes,
    # releases of those before and their hours; what runs, for the header.
    with django_assert_num_queries(12):
        client.get(build_url(build, "failures/"))
