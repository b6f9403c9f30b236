"""The numbers on cards, against a model that computes each from the list of reports as docs/metrics.md defines it."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import DjangoAssertNumQueries

from metrics import report_log
from metrics.models import ReportLogEntry
from metrics.reports import DeviceReport, ReportEvent
from metrics.selectors import ReleaseMetrics, measure_builds
from tests.devices import Device
from tests.factories import BuildFactory

pytestmark = pytest.mark.django_db

KEYS = ["key-of-build-a", "key-of-build-b"]
STARTED = (ReportEvent.INSTALLED, ReportEvent.BINARY_STARTED)


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


@settings(max_examples=100, deadline=None)
@given(st.lists(reports, max_size=14))
def test_every_number_is_that_of_its_definition(history: list[DeviceReport]) -> None:
    ReportLogEntry.objects.all().delete()
    for report in history:
        report_log.append(report)
    for key in KEYS:
        assert measured(key) == model(history, key)


# The same in words, for what release managers ask about.


def test_a_repeated_report_changes_the_times_and_no_device_count(device: Device) -> None:
    device.label = "v1"
    for _ in range(3):
        device.report_download("v1")
        device.report_deploy()
    device.report_deploy("DeploymentFailed")
    assert measure_builds([device.key])[device.key].of("v1") == ReleaseMetrics(1, 1, 1, 1, 3, 3, 1)


def test_a_device_counts_as_active_for_what_it_started_last(device: Device) -> None:
    for device.label in ("v1", "v2", "v1"):
        device.report_deploy()
    metrics = measure_builds([device.key])[device.key]
    assert (metrics.of("v1").active_devices, metrics.of("v2").active_devices) == (1, 0)


def test_a_device_that_rolled_back_by_itself_is_active_for_what_it_ran_before(device: Device) -> None:
    device.label = "v1"
    device.report_deploy()
    device.label = "v2"
    device.report_deploy("DeploymentFailed")
    metrics = measure_builds([device.key])[device.key]
    assert (metrics.of("v1").active_devices, metrics.of("v2").active_devices, metrics.of("v2").rollbacks) == (1, 0, 1)


def test_a_device_on_the_store_bundle_is_active_for_no_label(device: Device) -> None:
    device.report_deploy()
    metrics = measure_builds([device.key])[device.key]
    assert (metrics.total_devices, metrics.of("").active_devices) == (1, 1)


def test_a_device_that_moves_to_another_build_is_active_there_only_and_still_counted_here(device: Device) -> None:
    device.label = "v3"
    device.report_deploy()
    moved = replace(device, key=BuildFactory().deployment_key, label=None)
    moved.report_deploy(previous_deployment_key=device.key, previous_label_or_app_version="v3")
    metrics = measure_builds([device.key, moved.key])
    assert (metrics[device.key].of("v3").active_devices, metrics[device.key].total_devices) == (0, 1)
    assert (metrics[moved.key].of("").active_devices, metrics[moved.key].total_devices) == (1, 1)


def test_a_device_that_comes_back_is_active_again(device: Device) -> None:
    device.label = "v3"
    device.report_deploy()
    moved = replace(device, key=BuildFactory().deployment_key, label=None)
    moved.report_deploy(previous_deployment_key=device.key)
    device.report_deploy(previous_deployment_key=moved.key)
    metrics = measure_builds([device.key, moved.key])
    assert (metrics[device.key].of("v3").active_devices, metrics[moved.key].of("").active_devices) == (1, 0)


def test_a_build_that_nobody_reported_to_has_zeros(device: Device) -> None:
    metrics = measure_builds([device.key])[device.key]
    assert (metrics.total_devices, metrics.by_label, metrics.of("v1")) == (0, {}, ReleaseMetrics())


@pytest.mark.parametrize("builds", [1, 10])
def test_the_cost_is_three_queries_for_any_number_of_builds(
    builds: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keys = [f"key-of-build-{number}" for number in range(builds)]
    for key in keys:
        for label in ("v1", "v2"):
            report_log.append(DeviceReport(ReportEvent.INSTALLED, key, "phone-1", label))
    # Devices of each build; counts of each release; what each device runs.
    with django_assert_num_queries(3):
        assert set(measure_builds(keys)) == set(keys)


def test_no_builds_cost_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert measure_builds([]) == {}
