"""What pages are compared by, to tell those that poll that nothing has changed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection
from django.db.models import F, OuterRef, Subquery, Sum
from django.utils import timezone

from builds.models import Build
from metrics.models import BuildTotals, ReleaseCounter

# By hand and in one go, for open pages ask it all day: Django takes ten times as long to write this as it takes to run.
_BUILD = """
SELECT (SELECT applied_at FROM metrics_logposition LIMIT 1), build.revision,
    (SELECT MAX(id) FROM builds_auditentry WHERE build_id = build.id), totals.devices, totals.rejected_reports,
    counted.active, counted.weighted, counted.downloads, counted.installs, counted.rollbacks,
    unfinished.id, unfinished.status, unfinished.step, unfinished.progress_percent, unfinished.attempt_count
FROM builds_build build
LEFT JOIN metrics_buildtotals totals ON totals.build_id = build.id
LEFT JOIN (
    SELECT build_id, SUM(active_devices) AS active, SUM(active_devices * label_number) AS weighted,
        SUM(download_reports) AS downloads, SUM(install_reports) AS installs, SUM(rollback_reports) AS rollbacks
    FROM metrics_releasecounter WHERE build_id = %s GROUP BY build_id
) counted ON counted.build_id = build.id
LEFT JOIN deployments_codepush unfinished
    ON unfinished.build_id = build.id AND unfinished.status IN ('pending', 'processing')
WHERE build.id = %s ORDER BY unfinished.id
"""


@dataclass(frozen=True, slots=True)
class BuildMark:
    """`values` differ whenever the build, one of its numbers or its history does; reading them is cheap.

    Every start of a label raises the sum of installs, and whatever else changes what devices run (they go back to the
    bundle of the store, move on, fall silent) lowers the weighted sum, or another one: so sums that are equal come
    from numbers that are equal. Clearing them begins all anew, and is an entry of the audit log. How far a CodePush is
    comes apart, for the worker writes that without stamping the build.
    """

    as_of: datetime
    values: tuple[object, ...]


def mark_build(build_id: int) -> BuildMark:
    """One query, however many devices, updates and entries: a row, or one for each CodePush that is under way."""
    with connection.cursor() as cursor:
        cursor.execute(_BUILD, [build_id, build_id])
        rows = cursor.fetchall()
    applied_at = rows[0][0]
    # SQLite keeps times in UTC without saying so, and this is not one of Django's own queries, which would.
    as_of = applied_at.replace(tzinfo=UTC) if applied_at else timezone.now()
    return BuildMark(as_of, tuple(row[1:] for row in rows))


def mark_project(project_id: int) -> tuple[object, ...]:
    """Differs whenever a build of the project, or one of its numbers, does; as `BuildMark`. Two queries."""
    totals = BuildTotals.objects.filter(build=OuterRef("pk")).values("devices")
    builds = Build.objects.filter(project=project_id).order_by("pk")
    counters = ReleaseCounter.objects.filter(build__project=project_id).order_by("build_id").values("build_id")
    sums = {
        "active": Sum("active_devices"),
        "weighted": Sum(F("active_devices") * F("label_number")),
        "downloads": Sum("download_reports"),
        "installs": Sum("install_reports"),
        "rollbacks": Sum("rollback_reports"),
    }
    return (
        list(builds.values_list("pk", "revision", Subquery(totals))),
        list(counters.annotate(**sums).values_list("build_id", *sums)),
    )
