"""The numbers on cards, as the aggregation left them. Definitions: docs/metrics.md."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from builds.models import Build
from deployments.policy.label import format_label
from metrics.models import STORE_BUNDLE, BuildTotals, LogPosition, ReleaseCounter

# Numbers older than this are late: a worker makes new ones every two seconds.
LATE_AFTER = timedelta(minutes=2)
_APPLIED_AT = Subquery(LogPosition.objects.values("applied_at")[:1])
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
    """One build's numbers: what was reported by `as_of` is in them. `by_label` has every label with a number."""

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
    """{deployment key: its numbers}, one entry for each key given. Two queries; devices do not add to their cost."""
    keys, now = list(deployment_keys), timezone.now()
    if not keys:
        return {}
    metrics = {key: BuildMetrics(now) for key in keys}
    totals = BuildTotals.objects.filter(build=OuterRef("pk")).values("devices")
    builds = Build.objects.filter(deployment_key__in=keys).order_by()
    key_by_id = {}
    for pk, key, applied_at, devices in builds.values_list("pk", "deployment_key", _APPLIED_AT, Subquery(totals)):
        key_by_id[pk] = key
        metrics[key] = BuildMetrics(applied_at or now, devices or 0)
    # Rows, not objects: a build may have a thousand updates.
    counters = ReleaseCounter.objects.filter(build_id__in=key_by_id)
    for build_id, number, *counts in counters.values_list("build_id", "label_number", *ReleaseMetrics.__slots__):
        label = NO_LABEL if number == STORE_BUNDLE else format_label(number)
        metrics[key_by_id[build_id]].by_label[label] = ReleaseMetrics(*counts)
    return metrics
