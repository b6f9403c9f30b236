"""A past that tests need, and that the product does not allow to be made."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet

from builds.models import AuditEntry


def backdate_entries(at: datetime) -> None:
    """Every audit entry was written then. Past the manager, and on PostgreSQL past the trigger."""
    with transaction.atomic(), _without_guard():
        QuerySet(AuditEntry).update(created_at=at)


@contextmanager
def _without_guard() -> Iterator[None]:
    """As the owner of the table, who needs no rights over the server. What waits for the commit would be in the way."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE builds_auditentry DISABLE TRIGGER builds_auditentry_is_immutable")
        yield
        cursor.execute("ALTER TABLE builds_auditentry ENABLE TRIGGER builds_auditentry_is_immutable")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
