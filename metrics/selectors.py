"""The numbers on cards. Each is computed from the distinct reports in the log, so resends and late reports change none.

Definitions: docs/metrics.md. Cost: a fixed number of queries for any number of builds and releases; time grows with
the number of reports of those builds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils import timezone

from metrics.models import ReportLogEntry
from metrics.reports import ReportEvent

# Stands for "runs the bundle of the store" in the active split.
NO_LABEL = ""
# Say what runs on a device now.
_STARTED = (ReportEvent.INSTALLED, ReportEvent.BINARY_STARTED)


@dataclass(slots=True)
class ReleaseMetrics:
    """One update's numbers. Each count is of distinct devices, with every report that came in beside it."""

    active_devices: int = 0
    downloads: int = 0
    installs: int = 0
    rollbacks: int = 0
    download_reports: int = 0
    install_reports: int = 0
    rollback_reports: int = 0


@dataclass(slots=True)
class BuildMetrics:
    """One build's numbers as of a time. `by_label` has every label that was reported; others are all zero."""

    as_of: datetime
    total_devices: int = 0
    by_label: dict[str, ReleaseMetrics] = field(default_factory=dict)

    def of(self, label: str) -> ReleaseMetrics:
        return self.by_label.get(label, ReleaseMetrics())

    def count_active(self, labels: Iterable[str]) -> int:
        """Devices that run one of these labels now."""
        return sum(self.of(label).active_devices for label in labels)

    @property
    def current_devices(self) -> int:
        """Devices known to run the build now, whatever they run of it; those that moved to another build are not."""
        return sum(release.active_devices for release in self.by_label.values())


def measure_builds(deployment_keys: Iterable[str]) -> dict[str, BuildMetrics]:
    """{deployment key: its numbers}, one entry for each key given. Three queries."""
    keys = list(deployment_keys)
    now = timezone.now()
    metrics = {key: BuildMetrics(now) for key in keys}
    if not keys:
        return metrics
    _add_totals(metrics)
    _add_release_counts(metrics)
    _add_active_devices(metrics)
    return metrics


def _add_totals(metrics: dict[str, BuildMetrics]) -> None:
    """Devices that ever reported to each build."""
    rows = (
        ReportLogEntry.objects.filter(deployment_key__in=metrics)
        .exclude(client_unique_id="")
        .values("deployment_key")
        .order_by()
        .annotate(devices=Count("client_unique_id", distinct=True))
        .values_list("deployment_key", "devices")
    )
    for key, devices in rows:
        metrics[key].total_devices = devices


def _add_release_counts(metrics: dict[str, BuildMetrics]) -> None:
    rows = (
        ReportLogEntry.objects.filter(deployment_key__in=metrics)
        .exclude(label="")
        .values("deployment_key", "label", "event")
        .order_by()
        # A report without a client id came in, but tells of no device that could be told from another.
        .annotate(devices=Count("client_unique_id", distinct=True, filter=~Q(client_unique_id="")), reports=Count("id"))
        .values_list("deployment_key", "label", "event", "devices", "reports")
    )
    for key, label, event, devices, reports in rows:
        release = metrics[key].by_label.setdefault(label, ReleaseMetrics())
        if event == ReportEvent.DOWNLOADED:
            release.downloads, release.download_reports = devices, reports
        elif event == ReportEvent.INSTALLED:
            release.installs, release.install_reports = devices, reports
        elif event == ReportEvent.FALLBACK:
            release.rollbacks, release.rollback_reports = devices, reports


def _add_active_devices(metrics: dict[str, BuildMetrics]) -> None:
    """How many devices run which label now; NO_LABEL for the bundle of the store.

    A device runs what its latest "it started" report says. It has left a build when a later such report, to whichever
    other build, names the build as the one it came from.
    """
    started = ReportLogEntry.objects.filter(event__in=_STARTED).exclude(client_unique_id="").order_by()
    latest = (
        started.filter(deployment_key__in=metrics)
        .values("deployment_key", "client_unique_id")
        .annotate(latest=Max("id"))
        .values("latest")
    )
    moved_on = started.filter(
        previous_deployment_key=OuterRef("deployment_key"),
        client_unique_id=OuterRef("client_unique_id"),
        id__gt=OuterRef("id"),
    ).exclude(deployment_key=OuterRef("deployment_key"))
    rows = (
        ReportLogEntry.objects.filter(~Exists(moved_on), id__in=latest)
        .values("deployment_key", "label")
        .order_by()
        .annotate(devices=Count("id"))
        .values_list("deployment_key", "label", "devices")
    )
    for key, label, devices in rows:
        metrics[key].by_label.setdefault(label, ReleaseMetrics()).active_devices = devices
