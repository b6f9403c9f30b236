"""Database connections outside Django's request cycle: the device plane and the threads of web processes."""

from django.db import connections


def drop_dead_connections() -> None:
    """What Django does between requests: a connection that broke or is too old is closed, and opened anew when used.

    Inside a transaction nothing is closed: that connection is in use (Django's own function would end it).
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
