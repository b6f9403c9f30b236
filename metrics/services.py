"""What a person may change about numbers: begin them anew."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Sum

from builds import audit
from builds.models import AuditAction, Build
from deployments.services import checks
from metrics.aggregation import apply_waiting_reports
from metrics.models import BuildTotals, Device, DeviceFact, ReleaseCounter, ReleaseHour, ReportLogEntry, Software
from metrics.position import lock_position

_COUNTS = ("downloads", "installs", "rollbacks")


def clear_metrics(build_id: int, *, actor: User, reason: str = "") -> Build:
    """The build's numbers are as if nobody had ever reported to it. Reports that come in from now on count anew.

    What came in before, resends aside, is never counted again: it is applied first, then all that follows from it is
    deleted, in one transaction with the audit entry, under the aggregation's lock. Clearing twice changes nothing, and
    is audited twice. The reports themselves stay in the log for support staff, and numbers of other builds as they are.

    A fixed number of queries, which take time by the devices of the build; reports of others wait in the log for that
    long. While Redis does not answer, those that wait there count when it is back. Not to be called inside a
    transaction: the reports that are applied first are removed from the stream. Raises InvalidInput for a reason too
    long.
    """
    checks.check_reason(reason)
    apply_waiting_reports()
    with transaction.atomic():
        lock_position()
        build = Build.objects.select_related("project").get(pk=build_id)
        before = _describe(build_id)
        for table in (Device, DeviceFact, BuildTotals, ReleaseCounter, ReleaseHour, Software):
            table.objects.filter(build_id=build_id).delete()
        # Those that came in since the log was applied.
        waiting = ReportLogEntry.objects.filter(deployment_key=build.deployment_key, is_applied=False)
        waiting.update(is_applied=True)
        audit.record(
            AuditAction.BUILD_METRICS_CLEARED,
            actor=actor,
            project=build.project,
            build=build,
            before=before,
            after=dict.fromkeys(before, 0),
            reason=reason,
        )
    return build


def _describe(build_id: int) -> dict[str, Any]:
    """The numbers of the build, over all its labels."""
    devices = BuildTotals.objects.filter(build_id=build_id).values_list("devices", flat=True).first()
    sums = ReleaseCounter.objects.filter(build_id=build_id).aggregate(**{name: Sum(name) for name in _COUNTS})
    return {"devices": devices or 0, **{name: sums[name] or 0 for name in _COUNTS}}
