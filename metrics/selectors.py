"""The numbers on cards. Each is computed from the distinct reports in the log, so resends and late reports change none.

Definitions: docs/metrics.md. Cost: a fixed number of queries for any number of builds and releases; time grows with
the number of reports of those builds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from metrics.models import ReportEvent, ReportLogEntry

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
