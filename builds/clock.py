"""One clock for what processes of several hosts decide together: the database's."""

from datetime import datetime

from django.db import connection
from django.utils import timezone


def read_clock() -> datetime:
    """The time by the database's clock, whatever that of this host says. One query.

    For what has an effect that nobody takes back: work that is due or not, and what is old enough to be deleted.
    """
    if connection.vendor != "postgresql":
        # A file of this host.
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    moment: datetime = now
    return moment
