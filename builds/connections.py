"""Database connections: whether there is one to work with, and those outside Django's request cycle."""

from django.db import InterfaceError, InternalError, OperationalError, connections

# PostgreSQL's name for a write where none is taken.
_READ_ONLY = "25006"


def is_database_away(error: Exception) -> bool:
    """Whether it says that the database cannot be reached, or takes no writes for now, as a standby does."""
    is_read_only = isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", "") == _READ_ONLY
    return is_read_only or isinstance(error, OperationalError | InterfaceError)


def drop_dead_connections() -> None:
    """What Django does between requests: a connection that broke or is too old is closed, and opened anew when used.

    Inside a transaction nothing is closed: that connection is in use (Django's own function would end it).
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
