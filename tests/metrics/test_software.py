"""What devices say of their app: the latest start wins, each combination is counted, and the list is bounded."""

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.contrib.auth.models import User
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import Build
from metrics import retention, services
from metrics.aggregation import apply_batch, apply_waiting_reports, hash_client
from metrics.models import Device as DeviceRow
from metrics.models import ReportLogEntry, Software
from metrics.reports import DeviceReport, ReportEvent
from metrics.selectors import measure_builds
from metrics.software import SoftwareText, find_ids, list_software, read_software
from tests.factories import BuildFactory, CodePushFactory

pytestmark = pytest.mark.django_db

KEYS = ["key-of-build-a", "key-of-build-b"]
STARTED = (ReportEvent.INSTALLED, ReportEvent.BINARY_STARTED)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

reports = st.builds(
    DeviceReport,
    event=st.sampled_from([*ReportEvent, *STARTED]),
    deployment_key=st.sampled_from(KEYS),
    client_unique_id=st.sampled_from(["phone-1", "phone-2", "phone-3", ""]),
    label=st.sampled_from(["v1", "v9"]),
    app_version=st.sampled_from(["3.0.0", "3.0", ""]),
    plugin_version=st.sampled_from(["9.0.1", "8.2.1", ""]),
)


def model(history: list[DeviceReport], key: str) -> dict[str, SoftwareText]:
    """{client: what its latest start said, if anything}. A label that the build never gave starts nothing."""
    started = [
        report
        for report in history
        if report.event == ReportEvent.BINARY_STARTED
        or (report.event == ReportEvent.INSTALLED and report.label == "v1")
    ]
    mine = [report for report in started if report.deployment_key == key and report.client_unique_id]
    said = {report.client_unique_id: read_software(report) for report in mine}
    return {client: text for client, text in said.items() if any(text)}


def listed(key: str) -> dict[SoftwareText, int]:
    return {
        SoftwareText(row.app_version, row.plugin_name, row.plugin_version, row.sdk_version): row.devices
        for row in list_software(Build.objects.get(deployment_key=key))
    }


def known(key: str) -> dict[str, SoftwareText]:
    """{client: what its row says}."""
    texts = {row.pk: read_software(row) for row in Software.objects.all()}  # type: ignore[arg-type]
    ids = dict(DeviceRow.objects.filter(build__deployment_key=key).values_list("client_hash", "software_id"))
    clients = ["phone-1", "phone-2", "phone-3"]
    return {client: texts[pk] for client in clients if (pk := ids.get(hash_client(client))) is not None}


@settings(max_examples=40, deadline=None)
@given(st.lists(reports, max_size=12), st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_latest_start_wins_in_whatever_order_and_batches_reports_are_applied(
    history: list[DeviceReport], batch_size: int, luck: Random
) -> None:
    for key in KEYS:
        build = Build.objects.filter(deployment_key=key).first() or BuildFactory(deployment_key=key)
        build.codepushes.exists() or CodePushFactory(build=build)
        for table in (DeviceRow, Software):
            table.objects.filter(build=build).delete()
    ReportLogEntry.objects.all().delete()
    entries = [
        ReportLogEntry(**asdict(report), received_at=NOON + timedelta(minutes=place))
        for place, report in enumerate(history)
    ]
    luck.shuffle(entries)
    ReportLogEntry.objects.bulk_create(entries)
    while apply_batch(batch_size):
        pass
    for key in KEYS:
        assert known(key) == model(history, key)
        assert listed(key) == Counter(model(history, key).values())


def log_start(build: Build, client: str, app_version: str = "3.0.0", *, at: datetime = NOON) -> None:
    ReportLogEntry.objects.create(
        event=ReportEvent.BINARY_STARTED,
        deployment_key=build.deployment_key,
        client_unique_id=client,
        app_version=app_version,
        plugin_name="react-native-code-push",
        plugin_version="9.0.1",
        received_at=at,
    )


def test_a_hostile_flood_of_versions_fills_no_table_and_loses_no_device(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metrics.software.MAX_SOFTWARE", 3)
    elsewhere = BuildFactory()
    for number in range(50):
        log_start(build, f"hostile-{number}", app_version=f"3.0.{number}")
        log_start(elsewhere, f"honest-{number}")
    for _ in range(10):
        apply_batch(10)
    assert Software.objects.filter(build=build).count() == 3
    assert measure_builds([build.deployment_key])[build.deployment_key].total_devices == 50
    assert [row.devices for row in list_software(elsewhere)] == [50]
    # A device that says what is listed already has it, however full the list is.
    log_start(build, "honest", app_version="3.0.0")
    apply_waiting_reports()
    assert list_software(build)[0].devices == 2


@pytest.mark.parametrize("count", [1, 100])
def test_naming_software_costs_the_same_for_any_number_of_devices(
    build: Build, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    wanted = [(build.pk, SoftwareText(f"3.0.{number}", "", "", "")) for number in range(count)]
    find_ids(wanted[:1])
    # A temporary table (made, emptied, filled, on PostgreSQL analysed) and the join.
    assert len(find_ids(wanted)) == count
    with django_assert_num_queries(4 if connection.vendor == "sqlite" else 5):
        assert len(find_ids(wanted)) == count


def test_what_nobody_runs_any_more_is_not_listed_for_ever(build: Build) -> None:
    log_start(build, "phone-1", app_version="2.9.9")
    apply_waiting_reports()
    log_start(build, "phone-1", app_version="3.0.0", at=NOON + timedelta(hours=1))
    apply_waiting_reports()
    assert Software.objects.count() == 2
    assert retention.forget_unused_software() == 1
    assert [row.app_version for row in list_software(build)] == ["3.0.0"]


def test_a_device_that_fell_silent_is_no_longer_counted(build: Build) -> None:
    log_start(build, "phone-1")
    log_start(build, "phone-2", at=NOON + timedelta(days=100))
    apply_waiting_reports()
    assert [row.devices for row in list_software(build)] == [2]
    retention.retire_silent_devices(NOON + timedelta(days=200))
    assert [row.devices for row in list_software(build)] == [1]


def test_clearing_a_build_clears_what_its_devices_said(build: Build, staff: User) -> None:
    log_start(build, "phone-1")
    apply_waiting_reports()
    services.clear_metrics(build.pk, actor=staff)
    assert list_software(build) == []
    # And it is listed again by whoever reports.
    log_start(build, "phone-1")
    apply_waiting_reports()
    assert [row.devices for row in list_software(build)] == [1]
