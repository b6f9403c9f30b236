"""The one way in which audit entries go: by age, where the operator wants that."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, models, transaction

from builds.models import AuditEntry

logger = logging.getLogger(__name__)

_ENTRIES_PER_BATCH = 5000


def delete_old_entries(now: datetime) -> int:
    """No entry is older than AUDIT_RETENTION_DAYS, if set. Returns how many went. In short transactions."""
    if not settings.AUDIT_RETENTION_DAYS:
        return 0
    # The plain query set: that of the model refuses.
    old: models.QuerySet[AuditEntry] = models.QuerySet(AuditEntry).filter(
        created_at__lt=now - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    )
    deleted = 0
    while entry_ids := list(old.order_by("created_at").values_list("pk", flat=True)[:_ENTRIES_PER_BATCH]):
        with transaction.atomic():
            _tell_trigger()
            deleted += models.QuerySet(AuditEntry).filter(pk__in=entry_ids).delete()[0]
    logger.info("audit entries older than %s days deleted: %s", settings.AUDIT_RETENTION_DAYS, deleted)
    return deleted


def _tell_trigger() -> None:
    """Until this transaction ends, entries of before the retention may be deleted (migration 0010)."""
    if connection.vendor == "postgresql":
        days = str(settings.AUDIT_RETENTION_DAYS)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('codepush.audit_retention_days', %s, true)", [days])
