"""The numbers of whole projects: devices now, and device rollbacks of late; and the order by them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, timedelta

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, TruncDay
from django.utils import timezone

from builds.formats import format_share
from builds.models import Project
from builds.querysets import BuildQuerySet, ProjectQuerySet
from metrics.models import ReleaseCounter, ReleaseHour
from metrics.rollup import start_of_day

# Today and the days before it. As long as history is kept by the hour, so that no day is cut.
DAYS = 14


@dataclass(slots=True)
class ProjectMetrics:
    """One project's numbers. `devices` run one of its builds now; the others are of the last DAYS days.

    `rollbacks_by_day`: devices that went back from an update, oldest day first, no gaps.
    """

    devices: int
    installs: int
    rollbacks_by_day: list[int]

    @property
    def rollbacks(self) -> int:
        return sum(self.rollbacks_by_day)

    @property
    def rollback_rate(self) -> str:
        """Of installs; "–" without any."""
        return format_share(self.rollbacks, self.installs)

    @property
    def has_outcomes(self) -> bool:
        return bool(self.installs or self.rollbacks)


def measure_projects(projects: Iterable[Project]) -> dict[int, ProjectMetrics]:
    """{project id: its numbers}, one entry for each project. Two queries; devices do not add to their cost."""
    metrics = {project.pk: ProjectMetrics(0, 0, [0] * DAYS) for project in projects}
    counters = ReleaseCounter.objects.filter(build__project__in=metrics).order_by()
    for project_id, devices in counters.values_list("build__project").annotate(Sum("active_devices")):
        metrics[project_id].devices = devices
    first_day = start_of_day(timezone.now()) - timedelta(days=DAYS - 1)
    hours = ReleaseHour.objects.filter(build__project__in=metrics, hour__gte=first_day).order_by()
    days = hours.annotate(day=TruncDay("hour", tzinfo=UTC)).values_list("build__project", "day")
    for project_id, day, installs, rollbacks in days.annotate(Sum("installs"), Sum("rollbacks")):
        metrics[project_id].installs += installs
        metrics[project_id].rollbacks_by_day[min((day - first_day).days, DAYS - 1)] += rollbacks
    return metrics


def count_devices(projects: ProjectQuerySet) -> int:
    """Devices that run a build of any of these projects now. One query."""
    counters = ReleaseCounter.objects.filter(build__project__in=projects.order_by().values("pk")).order_by()
    return int(counters.aggregate(devices=Coalesce(Sum("active_devices"), 0))["devices"])


def order_builds_by_devices(builds: BuildQuerySet) -> BuildQuerySet:
    """Those with the most devices first, the newest where they have equally many."""
    counters = ReleaseCounter.objects.filter(build=OuterRef("pk")).order_by()
    devices = counters.values("build").annotate(sum=Sum("active_devices")).values("sum")
    return builds.order_by(Coalesce(Subquery(devices), 0).desc(), "-id")


def order_by_devices(projects: ProjectQuerySet) -> ProjectQuerySet:
    """Those with the most devices first; by name where they have equally many."""
    counters = ReleaseCounter.objects.filter(build__project=OuterRef("pk")).order_by()
    devices = counters.values("build__project").annotate(sum=Sum("active_devices")).values("sum")
    return projects.order_by(Coalesce(Subquery(devices), 0).desc(), "name", "id")
