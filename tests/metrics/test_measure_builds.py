"""The numbers on cards, against a model that computes each from the set of reports as docs/metrics.md defines it."""

from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db.models import Sum
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import DjangoAssertNumQueries

from builds.models import Build
from metrics.aggregation import apply_batch, apply_waiting_reports
from metrics.models import BuildTotals, DeviceFact, ReleaseCounter, ReleaseHour, ReportLogEntry
from metrics.models import Device as DeviceRow
from metrics.reports import DeviceReport, ReportEvent
from metrics.selectors import BuildMetrics, ReleaseMetrics, measure_builds
from tests.devices import Device
from tests.factories import BuildFactory, CodePushFactory

pytestmark = pytest.mark.django_db

KEYS = ["key-of-build-a", "key-of-build-b"]
STARTED = (ReportEvent.INSTALLED, ReportEvent.BINARY_STARTED)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def model(reports: list[DeviceReport], key: str) -> tuple[int, dict[str, ReleaseMetrics]]:
    """All devices of the build, and the numbers of each label that is not all zero. `reports`: oldest first."""
    mine = [report for report in reports if report.deployment_key == key]
    seen = Counter((report.label, report.event) for report in mine)
    devices = Counter(
        (label, event) for label, event, client in {(r.label, r.event, r.client_unique_id) for r in mine} if client
    )
    active = Counter(label for client in clients_of(mine) if (label := find_current(reports, key, client)) is not None)
    by_label = {
        label: ReleaseMetrics(
            active_devices=active[label],
            downloads=devices[label, ReportEvent.DOWNLOADED],
            installs=devices[label, ReportEvent.INSTALLED],
            rollbacks=devices[label, ReportEvent.FALLBACK],
            download_reports=seen[label, ReportEvent.DOWNLOADED],
            install_reports=seen[label, ReportEvent.INSTALLED],
            rollback_reports=seen[label, ReportEvent.FALLBACK],
        )
        for label in {report.label for report in mine}
    }
    return len(clients_of(mine)), {label: numbers for label, numbers in by_label.items() if numbers != ReleaseMetrics()}


def clients_of(reports: list[DeviceReport]) -> set[str]:
    return {report.client_unique_id for report in reports} - {""}


def find_current(reports: list[DeviceReport], key: str, client: str) -> str | None:
    """What the device runs of this build: by its latest report that something started; None once it left."""
    current = None
    for report in reports:
        if report.client_unique_id == client and report.event in STARTED:
            if report.deployment_key == key:
                current = report.label
            elif report.previous_deployment_key == key:
                current = None
    return current


def measured(key: str) -> tuple[int, dict[str, ReleaseMetrics]]:
    metrics = measure_builds(KEYS)[key]
    by_label = {label: numbers for label, numbers in metrics.by_label.items() if numbers != ReleaseMetrics()}
    return metrics.total_devices, by_label


def as_sent(event: ReportEvent, report: DeviceReport) -> DeviceReport:
    """A new binary has no label; everything else has one."""
    return replace(report, event=event, label="" if event == ReportEvent.BINARY_STARTED else report.label)


reports = st.builds(
    as_sent,
    st.sampled_from([*ReportEvent, *STARTED]),
    st.builds(
        DeviceReport,
        event=st.just(ReportEvent.INSTALLED),
        deployment_key=st.sampled_from(KEYS),
        client_unique_id=st.sampled_from(["phone-1", "phone-2", "phone-3", ""]),
        label=st.sampled_from(["v1", "v2"]),
        app_version=st.just("3.0.0"),
        previous_deployment_key=st.sampled_from(["", *KEYS]),
    ),
)


@pytest.fixture
def two_builds(db: None) -> None:
    """Builds with the two keys, each with v1 and v2."""
    for key in KEYS:
        build = BuildFactory(deployment_key=key)
        CodePushFactory.create_batch(2, build=build)


def forget_everything() -> None:
    for table in (ReportLogEntry, DeviceRow, DeviceFact, BuildTotals, ReleaseCounter, ReleaseHour):
        table.objects.all().delete()


@pytest.mark.usefixtures("two_builds")
@settings(max_examples=60, deadline=None)
@given(st.lists(reports, max_size=14), st.integers(1, 5), st.randoms(use_true_random=False))
def test_every_number_is_that_of_its_definition_in_whatever_order_and_batches_reports_are_applied(
    history: list[DeviceReport], batch_size: int, luck: Random
) -> None:
    forget_everything()
    entries = [
        ReportLogEntry(**asdict(report), received_at=NOON + timedelta(minutes=17 * place))
        for place, report in enumerate(history)
    ]
    luck.shuffle(entries)
    ReportLogEntry.objects.bulk_create(entries)
    while apply_batch(batch_size):
        pass
    for key in KEYS:
        assert measured(key) == model(history, key)
    hours = ReleaseHour.objects.values_list("build_id", "label_number").order_by("build_id", "label_number")
    sums = hours.annotate(*(Sum(name) for name in ("downloads", "installs", "rollbacks", "active_change")))
    counters = ReleaseCounter.objects.order_by("build_id", "label_number").values_list(
        "build_id", "label_number", "downloads", "installs", "rollbacks", "active_devices"
    )
    assert [row for row in sums if any(row[2:])] == [row for row in counters if any(row[2:])]


@pytest.fixture
def device(build: Build) -> Device:
    """A device on a build with v1 and v2."""
    CodePushFactory.create_batch(2, build=build)
    return Device(build.deployment_key)


def measure(device: Device) -> BuildMetrics:
    apply_waiting_reports()
    return measure_builds([device.key])[device.key]


# The same in words, for what release managers ask about.


def test_a_repeated_report_changes_the_times_and_no_device_count(device: Device) -> None:
    device.label = "v1"
    for _ in range(3):
        device.report_download("v1")
        device.report_deploy()
    device.report_deploy("DeploymentFailed")
    assert measure(device).of("v1") == ReleaseMetrics(1, 1, 1, 1, 3, 3, 1)


def test_a_device_counts_as_active_for_what_it_started_last(device: Device) -> None:
    for device.label in ("v1", "v2", "v1"):
        device.report_deploy()
    metrics = measure(device)
    assert (metrics.of("v1").active_devices, metrics.of("v2").active_devices) == (1, 0)


def test_a_device_that_rolled_back_by_itself_is_active_for_what_it_ran_before(device: Device) -> None:
    device.label = "v1"
    device.report_deploy()
    device.label = "v2"
    device.report_deploy("DeploymentFailed")
    metrics = measure(device)
    assert (metrics.of("v1").active_devices, metrics.of("v2").active_devices, metrics.of("v2").rollbacks) == (1, 0, 1)


def test_a_device_on_the_store_bundle_is_active_for_no_label(device: Device) -> None:
    device.report_deploy()
    metrics = measure(device)
    assert (metrics.total_devices, metrics.of("").active_devices) == (1, 1)


def log_starts(*starts: tuple[str, str, str]) -> None:
    """One device starts (key, label), coming from (key), a minute apart."""
    ReportLogEntry.objects.bulk_create(
        ReportLogEntry(
            event=ReportEvent.INSTALLED if label else ReportEvent.BINARY_STARTED,
            deployment_key=key,
            label=label,
            previous_deployment_key=previous,
            client_unique_id="phone-1",
            received_at=NOON + timedelta(minutes=place),
        )
        for place, (key, label, previous) in enumerate(starts)
    )
    apply_waiting_reports()


@pytest.mark.usefixtures("two_builds")
def test_a_device_that_moves_to_another_build_is_active_there_only_and_still_counted_here() -> None:
    here, there = KEYS
    log_starts((here, "v2", ""), (there, "", here))
    metrics = measure_builds(KEYS)
    assert (metrics[here].of("v2").active_devices, metrics[here].total_devices) == (0, 1)
    assert (metrics[there].of("").active_devices, metrics[there].total_devices) == (1, 1)


@pytest.mark.usefixtures("two_builds")
def test_a_device_that_comes_back_is_active_again() -> None:
    here, there = KEYS
    log_starts((here, "v2", ""), (there, "", here), (here, "v2", there))
    metrics = measure_builds(KEYS)
    assert (metrics[here].of("v2").active_devices, metrics[there].of("").active_devices) == (1, 0)


def test_a_build_that_nobody_reported_to_has_zeros(device: Device) -> None:
    metrics = measure(device)
    assert (metrics.total_devices, metrics.by_label, metrics.of("v1")) == (0, {}, ReleaseMetrics())


def test_a_label_that_the_build_never_gave_counts_a_device_and_a_rejected_report(device: Device) -> None:
    device.label = "v99"
    device.report_deploy()
    metrics = measure(device)
    assert (metrics.total_devices, metrics.by_label) == (1, {})
    assert BuildTotals.objects.get().rejected_reports == 1


@pytest.mark.parametrize("builds", [1, 10])
def test_the_cost_is_four_queries_for_any_number_of_builds(
    builds: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keys = [CodePushFactory().build.deployment_key for _ in range(builds)]
    ReportLogEntry.objects.bulk_create(
        [ReportLogEntry(event="installed", deployment_key=key, client_unique_id="phone-1", label="v1") for key in keys]
    )
    apply_waiting_reports()
    # How far the log is applied; builds of the keys; devices of each build; counters of each release.
    with django_assert_num_queries(2):
        metrics = measure_builds(keys)
    assert [metrics[key].of("v1").installs for key in keys] == [1] * builds


def test_no_builds_cost_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert measure_builds([]) == {}
