"""Work that runs in a Celery worker. Safe to run twice, and to lose."""

from celery import shared_task
from django.utils import timezone

from builds import audit_retention


@shared_task(name="builds.delete_old_audit_entries")
def delete_old_audit_entries() -> None:
    """No Celery retry: the next night does it."""
    audit_retention.delete_old_entries(timezone.now())
