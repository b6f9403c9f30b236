"""What is forgotten with time, and which numbers that changes."""

from dataclasses import asdict
from datetime import datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.db.models import Sum
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from builds.models import Build
from metrics import retention
from metrics.aggregation import apply_waiting_reports
from metrics.history import HOUR, read_active_history
from metrics.models import BuildTotals, Device, DeviceFact, LogPosition, ReleaseCounter, ReleaseHour, ReportLogEntry
from metrics.position import lock_position
from metrics.reports import DeviceReport, ReportEvent
from metrics.rollup import FIELDS, roll_up
from metrics.selectors import BuildMetrics, ReleaseMetrics, measure_builds
from metrics.tasks import keep_house
from tests.factories import BuildFactory, CodePushFactory

pytestmark = pytest.mark.django_db

INSTALLED, DOWNLOADED = ReportEvent.INSTALLED, ReportEvent.DOWNLOADED
KEYS = ["key-of-build-a", "key-of-build-b"]


@pytest.fixture
def two_builds(db: None) -> None:
    """Builds with the two keys, each with v1 and v2."""
    for key in KEYS:
        CodePushFactory.create_batch(2, build=BuildFactory(deployment_key=key))


@pytest.fixture
def build(two_builds: None) -> Build:
    return Build.objects.get(deployment_key=KEYS[0])


def report(event: ReportEvent, client: str, *, days_ago: int, key: str = KEYS[0], came_from: str = "") -> None:
    """The device said so of v1 that long ago, and the numbers contain it."""
    said = DeviceReport(event, key, client_unique_id=client, label="v1", previous_deployment_key=came_from)
    ReportLogEntry.objects.create(**asdict(said), received_at=timezone.now() - timedelta(days=days_ago))
    apply_waiting_reports()


def measure(key: str = KEYS[0]) -> BuildMetrics:
    return measure_builds([key])[key]


@pytest.mark.usefixtures("two_builds")
def test_applied_entries_are_deleted_after_their_days_and_the_numbers_stay() -> None:
    report(INSTALLED, "phone-1", days_ago=91)
    report(INSTALLED, "phone-2", days_ago=89)
    before = measure().by_label
    keep_house()
    assert ReportLogEntry.objects.get().client_unique_id == "phone-2"
    assert measure().by_label == before


def test_entries_that_are_not_applied_are_never_deleted() -> None:
    ReportLogEntry.objects.create(event=INSTALLED, received_at=timezone.now() - timedelta(days=900))
    retention.delete_old_entries(timezone.now())
    assert ReportLogEntry.objects.exists()


def test_all_old_entries_are_deleted_however_many_batches_that_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_ENTRIES_PER_BATCH", 2)
    long_ago = timezone.now() - timedelta(days=900)
    for is_applied in (True, True, True, False, True, True):
        ReportLogEntry.objects.create(event=INSTALLED, received_at=long_ago, is_applied=is_applied)
    assert retention.delete_old_entries(timezone.now()) == 5
    assert [entry.is_applied for entry in ReportLogEntry.objects.all()] == [False]


def test_the_days_are_settings(settings: Settings) -> None:
    settings.REPORT_RETENTION_DAYS, settings.DEVICE_RETENTION_DAYS = 7, 30
    ReportLogEntry.objects.create(
        event=INSTALLED, received_at=timezone.now() - timedelta(days=8), is_applied=True, deployment_key="gone"
    )
    assert retention.delete_old_entries(timezone.now()) == 1


@pytest.mark.usefixtures("two_builds")
def test_a_silent_device_leaves_devices_and_active_and_what_it_did_stays_counted() -> None:
    for client, days_ago in (("silent", 181), ("phone-1", 179)):
        report(DOWNLOADED, client, days_ago=days_ago)
        report(INSTALLED, client, days_ago=days_ago)
    keep_house()
    assert measure().total_devices == 1
    assert measure().of("v1") == ReleaseMetrics(1, 2, 2, 0, 2, 2, 0)


@pytest.mark.usefixtures("two_builds")
def test_a_silent_device_that_comes_back_is_a_device_again_and_no_second_download() -> None:
    report(DOWNLOADED, "silent", days_ago=200)
    report(INSTALLED, "silent", days_ago=200)
    keep_house()
    report(DOWNLOADED, "silent", days_ago=0)
    report(INSTALLED, "silent", days_ago=0)
    assert measure().total_devices == 1
    assert measure().of("v1") == ReleaseMetrics(1, 1, 1, 0, 2, 2, 0)


def test_the_chart_shows_a_silent_device_until_it_left(build: Build) -> None:
    report(INSTALLED, "silent", days_ago=200)
    now = timezone.now()
    retention.retire_silent_devices(now)
    history = read_active_history(build.pk, since=now - HOUR, until=now + HOUR)
    assert history.by_label["v1"] == (1, 0)


@pytest.mark.usefixtures("two_builds")
def test_a_device_that_reported_after_it_was_found_silent_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    report(INSTALLED, "phone-1", days_ago=200)

    def report_first() -> LogPosition:
        report(INSTALLED, "phone-1", days_ago=0)
        return lock_position()

    monkeypatch.setattr(retention, "lock_position", report_first)
    assert retention.retire_silent_devices(timezone.now()) == 0
    assert (measure().total_devices, measure().of("v1").active_devices) == (1, 1)


@pytest.mark.usefixtures("two_builds")
def test_a_device_that_moved_to_another_build_long_ago_leaves_the_devices_of_the_old_one_only() -> None:
    here, there = KEYS
    report(INSTALLED, "phone-1", days_ago=300, key=here)
    report(INSTALLED, "phone-1", days_ago=200, key=there, came_from=here)
    report(INSTALLED, "phone-1", days_ago=1, key=there)
    keep_house()
    assert (measure(here).total_devices, measure(there).total_devices) == (0, 1)
    assert measure(there).of("v1").active_devices == 1


@pytest.mark.usefixtures("two_builds")
def test_all_silent_devices_leave_however_many_batches_that_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_DEVICES_PER_BATCH", 2)
    for number in range(5):
        report(INSTALLED, f"silent-{number}", days_ago=200)
    report(INSTALLED, "phone-1", days_ago=1)
    assert retention.retire_silent_devices(timezone.now()) == 5
    assert (measure().total_devices, measure().of("v1").active_devices) == (1, 1)


reports = st.builds(
    DeviceReport,
    event=st.sampled_from([INSTALLED, DOWNLOADED, ReportEvent.FALLBACK]),
    deployment_key=st.sampled_from(KEYS),
    client_unique_id=st.sampled_from(["phone-1", "phone-2", "phone-3"]),
    label=st.sampled_from(["v1", "v2"]),
    previous_deployment_key=st.sampled_from(["", *KEYS]),
)
days = st.integers(0, 800)


@pytest.mark.usefixtures("two_builds")
@settings(max_examples=60, deadline=None)
@given(rounds=st.lists(st.tuples(st.lists(st.tuples(reports, days), max_size=6), days), max_size=4))
def test_counters_are_those_of_the_devices_that_are_left_and_history_sums_up_to_them(
    rounds: list[tuple[list[tuple[DeviceReport, int]], int]],
) -> None:
    for table in (ReportLogEntry, Device, DeviceFact, BuildTotals, ReleaseCounter, ReleaseHour):
        table.objects.all().delete()
    today = timezone.now()
    for said, kept_days_ago in rounds:
        ReportLogEntry.objects.bulk_create(
            ReportLogEntry(**asdict(sent), received_at=today - timedelta(days=days_ago)) for sent, days_ago in said
        )
        apply_waiting_reports()
        now = today - timedelta(days=kept_days_ago)
        retention.retire_silent_devices(now)
        roll_up(now)
        retention.delete_old_entries(now)
        _assert_consistent(now)


def _assert_consistent(now: datetime) -> None:
    silent = now - timedelta(days=django_settings.DEVICE_RETENTION_DAYS)
    assert not Device.objects.filter(seen_at__lt=silent, left_at=None).exists()
    for totals in BuildTotals.objects.all():
        assert totals.devices == Device.objects.filter(build_id=totals.build_id, seen_at__isnull=False).count()
    groups = ReleaseHour.objects.order_by().values_list("build_id", "label_number").annotate(*map(Sum, FIELDS))
    rows = ReleaseCounter.objects.values_list(
        "build_id", "label_number", "downloads", "installs", "rollbacks", "active_devices"
    )
    assert {row for row in groups if any(row[2:])} == {row for row in rows if any(row[2:])}
    for build_id, number, *facts, _ in rows:
        events = (DOWNLOADED, INSTALLED, ReportEvent.FALLBACK)
        stored = DeviceFact.objects.filter(build_id=build_id, label_number=number)
        assert facts == [stored.filter(event=event).count() for event in events]
