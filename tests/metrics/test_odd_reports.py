"""Reports that no honest device sends: answered shortly, and the numbers stay those of the honest ones."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from builds.models import Build
from metrics.aggregation import apply_batch, apply_waiting_reports
from metrics.device_api import report_deploy, report_download
from metrics.models import BuildTotals, DeviceFact, LogPosition, ReportLogEntry
from metrics.selectors import BuildMetrics, ReleaseMetrics, measure_builds
from tests.devices import V01, Device, Reply, send
from tests.factories import BuildFactory, CodePushFactory

pytestmark = pytest.mark.django_db

# One device that downloaded v1 and runs it.
HONEST = ReleaseMetrics(1, 1, 1, 0, 1, 1, 0)


@pytest.fixture
def device(build: Build) -> Device:
    """A device that runs v1 of a build with v1 and v2, as it has told."""
    CodePushFactory.create_batch(2, build=build)
    device = Device(build.deployment_key, label="v1")
    assert [device.report_download("v1").status, device.report_deploy().status] == [200, 200]
    return device


def measure(device: Device) -> BuildMetrics:
    apply_waiting_reports()
    return measure_builds([device.key])[device.key]


def assert_only_honest_numbers(device: Device) -> None:
    metrics = measure(device)
    assert (metrics.total_devices, metrics.by_label) == (1, {"v1": HONEST})


def post(kind: str, body: dict[str, Any]) -> Reply:
    return send("POST", f"{V01}/report_status/{kind}", body=json.dumps(body).encode())


@pytest.mark.parametrize("length", [129, 9_000, 10_000, 1_000_000])
@pytest.mark.parametrize("kind", ["deploy", "download"])
def test_a_client_id_of_any_length_is_refused_shortly_and_counted_nowhere(
    device: Device, kind: str, length: int
) -> None:
    body = {"deployment_key": device.key, "app_version": "3.0.0", "label": "v1", "status": "DeploymentSucceeded"}
    reply = post(kind, body | {"client_unique_id": "c" * length})
    assert reply.status == (400 if length < 9_500 else 413)
    assert len(reply.text) < 100
    assert_only_honest_numbers(device)


class _UnreadBody:
    def read(self, size: int = -1) -> bytes:
        raise AssertionError(f"{size} bytes of a body that is too large were read.")


@pytest.mark.parametrize("endpoint", [report_deploy, report_download])
@pytest.mark.parametrize("length", ["10001", "1000000", "9" * 30, "-1", "1e3", "many"])
def test_a_body_of_1_mb_is_refused_before_a_byte_of_it_is_read(endpoint: Any, length: str) -> None:
    answers = []
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": length, "wsgi.input": _UnreadBody()}
    endpoint(environ, lambda status, headers: answers.append(status))
    assert answers == ["413 Request Entity Too Large"]


def test_a_client_id_with_nul_is_the_one_without(device: Device) -> None:
    device.client_unique_id = "device\0-1\0"
    device.report_deploy()
    metrics = measure(device)
    assert (metrics.total_devices, metrics.of("v1")) == (1, ReleaseMetrics(1, 1, 1, 0, 1, 2, 0))


def test_a_previous_label_that_is_the_current_one_changes_nothing(device: Device) -> None:
    device.report_deploy(previous_label_or_app_version="v1", previous_deployment_key=device.key)
    metrics = measure(device)
    assert (metrics.total_devices, metrics.of("v1")) == (1, ReleaseMetrics(1, 1, 1, 0, 1, 2, 0))


def test_a_label_that_only_another_build_has_is_rejected_and_on_no_card(device: Device) -> None:
    other = BuildFactory()
    CodePushFactory.create_batch(3, build=other)
    device.label = "v3"
    assert [device.report_deploy().status, device.report_download("v3").status] == [200, 200]
    assert_only_honest_numbers(device)
    assert BuildTotals.objects.get(build__deployment_key=device.key).rejected_reports == 2
    assert measure_builds([other.deployment_key])[other.deployment_key].by_label == {}


@pytest.mark.parametrize("label", ["v0", "v-1", "v1 ", "V1", "v01", "v²", "v99999999999999999999", "1", "v1v2", "💥"])
def test_a_label_that_no_build_could_have_is_rejected_and_on_no_card(device: Device, label: str) -> None:
    device.label = label
    assert device.report_deploy().status == 200
    assert_only_honest_numbers(device)


def test_a_previous_key_of_no_build_moves_nobody(device: Device) -> None:
    device.report_deploy(previous_deployment_key="a-key-of-no-build", previous_label_or_app_version="v7")
    assert measure(device).of("v1").active_devices == 1


def test_a_key_of_no_build_is_counted_as_such_and_nowhere_else(device: Device) -> None:
    stranger = Device("a-key-of-no-build", label="v1")
    assert stranger.report_deploy(previous_deployment_key=device.key).status == 200
    assert_only_honest_numbers(device)
    assert LogPosition.objects.get().unknown_key_reports == 1


def _log(build: Build, clients: list[str]) -> None:
    ReportLogEntry.objects.bulk_create(
        ReportLogEntry(event="installed", deployment_key=build.deployment_key, client_unique_id=client, label="v1")
        for client in clients
    )


def test_one_client_id_that_reports_all_the_time_costs_a_batch_no_more_than_many_do(build: Build) -> None:
    CodePushFactory(build=build)
    queries = []
    for clients in ([f"phone-{number}" for number in range(10_000)], ["noisy"] * 9_999 + ["quiet"]):
        _log(build, clients)
        with CaptureQueriesContext(connection) as captured:
            assert apply_batch() == 10_000
        queries.append(len(captured))

    assert queries[1] <= queries[0]
    assert DeviceFact.objects.count() == 10_002
    metrics = measure_builds([build.deployment_key])[build.deployment_key]
    assert (metrics.total_devices, metrics.of("v1")) == (10_002, ReleaseMetrics(10_002, 0, 10_002, 0, 0, 20_000, 0))
