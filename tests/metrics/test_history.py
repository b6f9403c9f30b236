"""Charts: series without gaps that end at the counters, however much of them was rolled up."""

from dataclasses import asdict
from datetime import datetime, timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import Build
from metrics.aggregation import apply_waiting_reports
from metrics.history import DAY, HOUR, ActiveHistory, read_active_history
from metrics.models import BuildTotals, DeviceFact, LogPosition, ReleaseCounter, ReleaseHour, ReportLogEntry
from metrics.models import Device as DeviceRow
from metrics.reports import DeviceReport, ReportEvent
from metrics.rollup import DAYS_KEPT, FIELDS, HOURS_KEPT, OPENING, roll_up
from metrics.selectors import measure_builds
from tests.factories import CodePushFactory
from tests.metrics.stories import report

pytestmark = pytest.mark.django_db

COUNTED = ("downloads", "installs", "rollbacks", "active_devices")
INSTALLED, DOWNLOADED = ReportEvent.INSTALLED, ReportEvent.DOWNLOADED


@pytest.fixture
def build(build: Build) -> Build:
    """A build with v1 and v2."""
    CodePushFactory.create_batch(2, build=build)
    return build


@pytest.fixture
def now() -> datetime:
    """The beginning of this hour: numbers are as of a moment later."""
    return timezone.now().replace(minute=0, second=0, microsecond=0)


def read_sums() -> dict[tuple[int, int], tuple[int, ...]]:
    """{(build id, label number): the sums of its history}, those that are not all zero, in the order of COUNTED."""
    groups = ReleaseHour.objects.order_by().values_list("build_id", "label_number").annotate(*map(Sum, FIELDS))
    return {(build_id, number): tuple(sums) for build_id, number, *sums in groups if any(sums)}


def read_counters() -> dict[tuple[int, int], tuple[int, ...]]:
    rows = ReleaseCounter.objects.values_list("build_id", "label_number", *COUNTED)
    return {(build_id, number): tuple(counts) for build_id, number, *counts in rows if any(counts)}


def read_active(build: Build, now: datetime, *, back: timedelta) -> ActiveHistory:
    return read_active_history(build.pk, since=now - back, until=now + HOUR)


def list_hours(build: Build) -> list[tuple[datetime, int, int, int]]:
    """(hour, downloads, installs, device rollbacks), oldest first."""
    rows = ReleaseHour.objects.filter(build=build).order_by("hour")
    return list(rows.values_list("hour", "downloads", "installs", "rollbacks"))


def test_active_devices_of_each_label_stand_at_every_hour_without_gaps(build: Build, now: datetime) -> None:
    report(build, INSTALLED, "phone-1", "v1", now - 3 * HOUR)
    report(build, INSTALLED, "phone-2", "v1", now - 3 * HOUR)
    report(build, INSTALLED, "phone-1", "v2", now - HOUR)
    history = read_active(build, now, back=4 * HOUR)
    assert history.span.step == HOUR
    assert history.span.starts == tuple(now - hours * HOUR for hours in (4, 3, 2, 1, 0))
    assert history.by_label == {"v1": (0, 2, 2, 1, 1), "v2": (0, 0, 0, 1, 1)}


def test_what_began_before_the_span_is_where_active_starts_from(build: Build, now: datetime) -> None:
    report(build, INSTALLED, "phone-1", "v1", now - 9 * HOUR)
    assert read_active(build, now, back=HOUR).by_label == {"v1": (1, 1)}


def test_devices_on_the_store_bundle_have_a_series_without_a_label(build: Build, now: datetime) -> None:
    report(build, ReportEvent.BINARY_STARTED, "phone-1", "", now)
    assert read_active(build, now, back=HOUR).by_label == {"": (0, 1)}


def test_a_label_that_nobody_ran_within_the_span_has_no_series(build: Build, now: datetime) -> None:
    report(build, INSTALLED, "phone-1", "v1", now - 9 * HOUR)
    report(build, INSTALLED, "phone-1", "v2", now - 8 * HOUR)
    assert read_active(build, now, back=HOUR).by_label == {"v2": (1, 1)}


def test_a_span_that_begins_before_the_last_14_days_is_read_by_the_day(build: Build, now: datetime) -> None:
    report(build, INSTALLED, "phone-1", "v1", now - timedelta(days=2))
    history = read_active(build, now, back=timedelta(days=29))
    assert (history.span.step, len(history.span.starts)) == (DAY, 30)
    assert history.by_label["v1"] == (0,) * 27 + (1, 1, 1)


def test_a_span_longer_than_a_year_begins_where_history_does(build: Build, now: datetime) -> None:
    report(build, INSTALLED, "phone-1", "v1", now - timedelta(days=500))
    history = read_active(build, now, back=timedelta(days=900))
    assert history.by_label == {"v1": (1,) * 366}


def test_points_end_with_the_last_aggregation(build: Build, now: datetime) -> None:
    report(build, INSTALLED, "phone-1", "v1", now - 9 * HOUR)
    LogPosition.objects.update(applied_at=now - 2 * HOUR)
    history = read_active_history(build.pk, since=now - 4 * HOUR, until=now + DAY)
    assert history.span.as_of == now - 2 * HOUR
    assert history.span.starts[-1] == now - 2 * HOUR


def test_the_end_asked_for_is_not_included(build: Build, now: datetime) -> None:
    history = read_active_history(build.pk, since=now - 4 * HOUR, until=now - 2 * HOUR)
    assert history.span.starts == (now - 4 * HOUR, now - 3 * HOUR)


def test_what_happened_after_the_end_asked_for_is_not_in_the_points(build: Build, now: datetime) -> None:
    report(build, INSTALLED, "phone-1", "v1", now - 3 * HOUR)
    report(build, INSTALLED, "phone-1", "v2", now - HOUR)
    history = read_active_history(build.pk, since=now - 4 * HOUR, until=now - 2 * HOUR)
    assert history.by_label == {"v1": (0, 1)}


def test_downloads_installs_and_rollbacks_stand_in_the_hour_in_which_they_came_in(build: Build, now: datetime) -> None:
    for client in ("phone-1", "phone-2"):
        report(build, DOWNLOADED, client, "v1", now - 2 * HOUR)
    report(build, INSTALLED, "phone-1", "v1", now - HOUR)
    report(build, ReportEvent.FALLBACK, "phone-2", "v1", now)
    assert list_hours(build) == [(now - 2 * HOUR, 2, 0, 0), (now - HOUR, 0, 1, 0), (now, 0, 0, 1)]


def test_a_repeated_download_is_in_no_second_hour(build: Build, now: datetime) -> None:
    report(build, DOWNLOADED, "phone-1", "v1", now - 2 * HOUR)
    report(build, DOWNLOADED, "phone-1", "v1", now)
    assert list_hours(build) == [(now - 2 * HOUR, 1, 0, 0)]


def test_a_build_without_reports_has_points_and_no_series(build: Build, now: datetime) -> None:
    assert read_active(build, now, back=HOUR).by_label == {}
    assert len(read_active(build, now, back=HOUR).span.starts) == 2


@pytest.mark.parametrize("reports", [1, 20])
def test_the_cost_is_two_queries_for_any_number_of_rows(
    build: Build, now: datetime, reports: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(reports):
        report(build, INSTALLED, f"phone-{number}", "v1", now - number * HOUR)
    # How far the log is applied; what is active now with the changes since.
    with django_assert_num_queries(2):
        read_active(build, now, back=9 * HOUR)


def test_hours_before_the_last_14_days_become_days_and_the_chart_by_the_day_stays(build: Build, now: datetime) -> None:
    day = now.replace(hour=0) - timedelta(days=20)
    for hour in (1, 5, 23):
        report(build, INSTALLED, f"phone-{hour}", "v1", day + hour * HOUR)
    before = read_active(build, now, back=timedelta(days=30))
    roll_up(now)
    (row,) = ReleaseHour.objects.all()
    assert (row.hour, row.installs, row.active_change) == (day, 3, 3)
    assert read_active(build, now, back=timedelta(days=30)).by_label == before.by_label


def test_hours_of_the_last_14_days_stay(build: Build, now: datetime) -> None:
    report(build, INSTALLED, "phone-1", "v1", now - HOURS_KEPT)
    roll_up(now)
    assert ReleaseHour.objects.get().hour == now - HOURS_KEPT


def test_days_before_the_last_year_go_and_active_still_counts_their_devices(build: Build, now: datetime) -> None:
    for days in (700, 500, 400):
        report(build, INSTALLED, f"phone-{days}", "v1", now - timedelta(days=days))
    roll_up(now)
    assert ReleaseHour.objects.get().hour == OPENING
    assert read_active(build, now, back=HOUR).by_label == {"v1": (3, 3)}


def test_a_report_that_is_late_is_summed_up_the_next_time(build: Build, now: datetime) -> None:
    for client in ("phone-1", "phone-2"):
        report(build, INSTALLED, client, "v1", now - timedelta(days=30))
        report(build, INSTALLED, f"old {client}", "v1", now - timedelta(days=400))
        roll_up(now)
        roll_up(now)
    assert [row.installs for row in ReleaseHour.objects.order_by("hour")] == [2, 2]


KEY = "key-of-the-build"
hours_ago = st.integers(0, 800 * 24)
said = st.builds(
    DeviceReport,
    event=st.sampled_from([INSTALLED, DOWNLOADED, ReportEvent.FALLBACK]),
    deployment_key=st.just(KEY),
    client_unique_id=st.sampled_from(["phone-1", "phone-2", "phone-3"]),
    label=st.sampled_from(["v1", "v2"]),
)


@pytest.fixture
def build_of_key(build: Build) -> None:
    """The build has the deployment key of the reports above."""
    Build.objects.filter(pk=build.pk).update(deployment_key=KEY)


@pytest.mark.usefixtures("build_of_key")
@settings(max_examples=60, deadline=None)
@given(rounds=st.lists(st.tuples(st.lists(st.tuples(said, hours_ago), max_size=6), hours_ago), max_size=4))
def test_history_sums_up_to_the_counters_whenever_it_is_rolled_up(
    rounds: list[tuple[list[tuple[DeviceReport, int]], int]],
) -> None:
    build, today = Build.objects.get(deployment_key=KEY), timezone.now()
    for table in (ReportLogEntry, DeviceRow, DeviceFact, BuildTotals, ReleaseCounter, ReleaseHour):
        table.objects.all().delete()
    for reports, rolled_up in rounds:
        ReportLogEntry.objects.bulk_create(
            ReportLogEntry(**asdict(sent), received_at=today - hours * HOUR) for sent, hours in reports
        )
        apply_waiting_reports()
        now = today - rolled_up * HOUR
        roll_up(now)
        assert read_sums() == read_counters()
        assert not ReleaseHour.objects.filter(hour__lt=now - HOURS_KEPT - DAY, hour__hour__gt=0).exists()
        assert not ReleaseHour.objects.filter(hour__lt=now - DAYS_KEPT - DAY, hour__gt=OPENING).exists()
    ends = {label: points[-1] for label, points in read_active(build, today, back=DAY).by_label.items()}
    numbers = measure_builds([KEY])[KEY].by_label
    assert {label: active for label, active in ends.items() if active} == {
        label: release.active_devices for label, release in numbers.items() if release.active_devices
    }
