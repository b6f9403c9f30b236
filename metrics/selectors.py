"""The numbers on cards. Each is computed from the distinct reports in the log, so resends and late reports change none.

Definitions: docs/metrics.md. Cost: a fixed number of queries for any number of builds and releases; time grows with
the number of reports of those builds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from metrics.models import ReportLogEntry
from metrics.reports import ReportEvent

# Stands for "runs the bundle of the store" in the active split.
NO_LABEL = ""


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


# A device runs what its latest "it started" report says. It has left a build when its latest such report, wherever
# that went, names the build as the one it came from.
_ACTIVE_SQL = """
SELECT deployment_key, label, COUNT(*)
FROM (
    SELECT report.deployment_key, report.label, report.client_unique_id, report.id,
           ROW_NUMBER() OVER (
               PARTITION BY report.deployment_key, report.client_unique_id ORDER BY report.id DESC
           ) AS recency
    FROM metrics_reportlogentry report
    WHERE report.deployment_key IN ({keys})
      AND report.event IN ('installed', 'binary_started')
      AND report.client_unique_id <> ''
) latest
WHERE recency = 1
  AND NOT EXISTS (
    SELECT 1 FROM metrics_reportlogentry moved
    WHERE moved.previous_deployment_key = latest.deployment_key
      AND moved.client_unique_id = latest.client_unique_id
      AND moved.deployment_key <> latest.deployment_key
      AND moved.event IN ('installed', 'binary_started')
      AND moved.id > latest.id
  )
GROUP BY deployment_key, label
"""


def _add_active_devices(metrics: dict[str, BuildMetrics]) -> None:
    """How many devices run which label now; NO_LABEL for the bundle of the store."""
    placeholders = ", ".join(["%s"] * len(metrics))
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVE_SQL.format(keys=placeholders), list(metrics))
        for key, label, devices in cursor.fetchall():
            metrics[key].by_label.setdefault(label, ReleaseMetrics()).active_devices = devices
