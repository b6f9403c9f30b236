"""Work that runs in a Celery worker. Safe to run twice, and to lose."""

from celery import shared_task

from builds import audit_retention, expiry, idempotency
from builds.clock import read_clock


@shared_task(name="builds.delete_old_audit_entries")
def delete_old_audit_entries() -> None:
    """No Celery retry: the next night does it."""
    audit_retention.delete_old_entries(read_clock())


@shared_task(name="builds.delete_expired")
def delete_expired() -> None:
    """No Celery retry: the next night does it."""
    expiry.delete_expired_sessions()
    expiry.delete_old_admin_log(read_clock())


@shared_task(name="builds.forget_old_requests")
def forget_old_requests() -> None:
    """No Celery retry: what is too old is answered by nobody's memory, and the next hour deletes it as well."""
    idempotency.forget_old_requests()
