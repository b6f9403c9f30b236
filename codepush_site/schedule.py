"""What beat has workers do by itself, and how often."""

from typing import Any

from celery.schedules import crontab


def _every(task: str, seconds: float, *, expires: int = 300) -> dict[str, Any]:
    """`expires`: messages must not pile up for the day a worker comes back. Longer than clocks differ."""
    return {"task": task, "schedule": seconds, "options": {"expires": expires}}


def _nightly(task: str, minute: int) -> dict[str, Any]:
    """At a quiet hour by the clock, not every so many hours: each restart of beat would begin to count anew."""
    return {"task": task, "schedule": crontab(hour="3", minute=str(minute)), "options": {"expires": 12 * 3600}}


SCHEDULE = {
    # What devices report is in the numbers within a few seconds.
    "apply-reports": _every("metrics.apply_reports", 2.0),
    "requeue-unfinished-codepushes": _every("deployments.requeue_unfinished", 5.0),
    "queue-due-deliveries": _every("webhooks.queue_due", 2.0),
    "raise-rollback-alerts": _every("webhooks.raise_alerts", 60.0),
    "expire-change-requests": _every("deployments.expire_change_requests", 60.0),
    "delete-leftover-uploads": _every("deployments.delete_leftover_uploads", 3600.0, expires=3600),
    "forget-old-requests": _every("builds.forget_old_requests", 3600.0, expires=3600),
    "delete-leftover-bundles": _nightly("deployments.delete_leftover_bundles", 7),
    "purge-deleted-projects": _nightly("metrics.purge_deleted_projects", 57),
    "keep-house-of-metrics": _nightly("metrics.keep_house", 17),
    "keep-house-of-webhooks": _nightly("webhooks.keep_house", 37),
    "delete-expired-sessions": _nightly("builds.delete_expired", 27),
    "seal-second-factors": _nightly("sign_in.seal_second_factors", 33),
    "delete-old-audit-entries": _nightly("builds.delete_old_audit_entries", 47),
}
