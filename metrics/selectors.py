"""The numbers on cards, as the aggregation left them. Definitions: docs/metrics.md."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, OuterRef, Subquery, Sum
from django.utils import timezone

from builds.models import AuditEntry, Build
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


_SUMS = {
    "active": Sum("active_devices"),
    "weighted": Sum(F("active_devices") * F("label_number")),
    "downloads": Sum("download_reports"),
    "installs": Sum("install_reports"),
    "rollbacks": Sum("rollback_reports"),
}


@dataclass(frozen=True, slots=True)
class BuildMark:
    """`values` differ whenever the build, one of its numbers or its history does; reading them is cheap.

    Every start of a label raises the sum of installs, and whatever else changes what devices run (they go back to the
    bundle of the store, move on, fall silent) lowers the weighted sum, or another one: so sums that are equal come
    from numbers that are equal. Clearing them begins all anew, and is an entry of the audit log.
    """

    as_of: datetime
    values: tuple[object, ...]


def mark_build(build_id: int) -> BuildMark:
    """Two queries, however many devices, updates and entries."""
    newest_entry = AuditEntry.objects.filter(build=OuterRef("pk")).order_by("-id").values("pk")[:1]
    totals = BuildTotals.objects.filter(build=OuterRef("pk"))
    row = Build.objects.values_list(
        _APPLIED_AT,
        "revision",
        Subquery(newest_entry),
        Subquery(totals.values("devices")),
        Subquery(totals.values("rejected_reports")),
    ).get(pk=build_id)
    sums = ReleaseCounter.objects.filter(build_id=build_id).aggregate(**_SUMS)
    return BuildMark(row[0] or timezone.now(), (*row[1:], *sums.values()))


def mark_project(project_id: int) -> tuple[object, ...]:
    """Differs whenever a build of the project, or one of its numbers, does; as `BuildMark`. Two queries."""
    totals = BuildTotals.objects.filter(build=OuterRef("pk")).values("devices")
    builds = Build.objects.filter(project=project_id).order_by("pk")
    counters = ReleaseCounter.objects.filter(build__project=project_id).order_by("build_id").values("build_id")
    return (
        list(builds.values_list("pk", "revision", Subquery(totals))),
        list(counters.annotate(**_SUMS).values_list("build_id", *_SUMS)),
    )
