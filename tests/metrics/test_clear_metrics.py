"""Clearing a build's numbers: what goes, what stays, and what counts afterwards."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from builds.errors import InvalidInput
from builds.models import AuditAction, AuditEntry, Build
from metrics import services
from metrics.aggregation import apply_waiting_reports
from metrics.history import read_active_history
from metrics.models import BuildTotals, DeviceFact, ReleaseCounter, ReleaseHour, ReportLogEntry
from metrics.models import Device as DeviceRow
from metrics.selectors import BuildMetrics, ReleaseMetrics, measure_builds
from metrics.services import clear_metrics
from tests.admin import act
from tests.devices import Device
from tests.factories import BuildFactory, CodePushFactory

pytestmark = pytest.mark.django_db

BUILDS = "/admin/builds/build/"
TABLES = (DeviceRow, DeviceFact, BuildTotals, ReleaseCounter, ReleaseHour)


@pytest.fixture
def device(build: Build) -> Device:
    """A device that downloaded v1 of the build, started it, and said so; nothing is applied yet."""
    CodePushFactory(build=build)
    return _run_v1(build)


def _run_v1(build: Build) -> Device:
    device = Device(build.deployment_key, label="v1")
    device.report_download("v1")
    device.report_deploy()
    return device


def measure(build: Build) -> BuildMetrics:
    apply_waiting_reports()
    return measure_builds([build.deployment_key])[build.deployment_key]


def test_a_cleared_build_has_no_numbers(build: Build, owner: User, device: Device) -> None:
    assert measure(build).total_devices == 1
    clear_metrics(build.pk, actor=owner, reason="")
    metrics = measure(build)
    assert (metrics.total_devices, metrics.by_label) == (0, {})
    assert not any(table.objects.exists() for table in TABLES)


def test_a_cleared_build_has_an_empty_chart(build: Build, owner: User, device: Device) -> None:
    as_of = measure(build).as_of
    clear_metrics(build.pk, actor=owner, reason="")
    day: dict[str, Any] = {"since": as_of.replace(hour=0), "until": as_of}
    assert read_active_history(build.pk, **day).by_label == {}


def test_reports_that_waited_in_the_log_are_not_counted_afterwards(build: Build, owner: User, device: Device) -> None:
    clear_metrics(build.pk, actor=owner, reason="")
    assert measure(build).total_devices == 0


def test_reports_that_came_in_while_it_was_being_cleared_are_not_applied_later(
    build: Build, owner: User, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if they had come in after the log was applied, and before the lock.
    monkeypatch.setattr(services, "apply_waiting_reports", lambda: 0)
    ReportLogEntry.objects.create(event="installed", deployment_key=build.deployment_key, client_unique_id="phone-1")
    clear_metrics(build.pk, actor=owner, reason="")
    assert not ReportLogEntry.objects.filter(is_applied=False, deployment_key=build.deployment_key).exists()


def test_reports_that_come_later_count_anew(build: Build, owner: User, device: Device) -> None:
    clear_metrics(build.pk, actor=owner, reason="")
    device.report_download("v1")
    device.report_deploy()
    metrics = measure(build)
    assert (metrics.total_devices, metrics.of("v1")) == (1, ReleaseMetrics(1, 1, 1, 0, 1, 1, 0))


def test_numbers_of_other_builds_stay(build: Build, owner: User, device: Device) -> None:
    other = BuildFactory(project=build.project, store_version="3.1.0")
    CodePushFactory(build=other)
    _run_v1(other)
    clear_metrics(build.pk, actor=owner, reason="")
    assert measure(other).of("v1") == ReleaseMetrics(1, 1, 1, 0, 1, 1, 0)


def test_the_reports_themselves_stay_for_support_staff(build: Build, owner: User, device: Device) -> None:
    measure(build)
    clear_metrics(build.pk, actor=owner, reason="")
    assert ReportLogEntry.objects.filter(deployment_key=build.deployment_key).count() == 2


def test_it_is_audited_with_the_numbers_that_went(build: Build, owner: User, device: Device) -> None:
    clear_metrics(build.pk, actor=owner, reason="A load test reported to it.")
    entry = AuditEntry.objects.get(action=AuditAction.BUILD_METRICS_CLEARED)
    assert (entry.actor, entry.build, entry.reason) == (owner, build, "A load test reported to it.")
    assert entry.before == {"devices": 1, "downloads": 1, "installs": 1, "rollbacks": 0}
    assert entry.after == {"devices": 0, "downloads": 0, "installs": 0, "rollbacks": 0}


def test_without_its_audit_entry_nothing_is_cleared(
    build: Build, owner: User, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(services.audit, "record", fail)  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError):
        clear_metrics(build.pk, actor=owner, reason="")
    assert measure(build).total_devices == 1


def test_a_reason_that_is_too_long_is_refused_and_nothing_is_cleared(build: Build, owner: User, device: Device) -> None:
    with pytest.raises(InvalidInput):
        clear_metrics(build.pk, actor=owner, reason="x" * 281)
    assert measure(build).total_devices == 1


def test_support_staff_clear_a_build_after_a_confirmation(
    support: Client, staff: User, build: Build, device: Device
) -> None:
    assert "cannot be taken back" in act(support, BUILDS, "clear_build_metrics", build)
    assert measure(build).total_devices == 1

    done = act(support, BUILDS, "clear_build_metrics", build, confirmed=True)

    assert f"The metrics of {build} are cleared." in done
    assert measure(build).total_devices == 0
    assert AuditEntry.objects.get(action=AuditAction.BUILD_METRICS_CLEARED).actor == staff
