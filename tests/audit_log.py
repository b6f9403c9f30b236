"""A past that tests need, and that the product does not allow to be made."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet

from builds.models import AuditEntry


def backdate_entries(at: datetime) -> None:
    """Every audit entry was written then. Past the manager, and on PostgreSQL past the trigger."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        QuerySet(AuditEntry).update(created_at=at)
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = origin")
