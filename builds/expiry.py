"""What accounts leave behind, and nobody asks for any more."""

from datetime import datetime, timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.admin.models import LogEntry

# What support staff did is in the audit log; this is Django's own note of which forms they saved.
ADMIN_LOG_KEPT_FOR = timedelta(days=365)


def delete_expired_sessions() -> None:
    """No session is kept that lets nobody in. One DELETE."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


def delete_old_admin_log(now: datetime) -> None:
    """The admin's own history goes back for ADMIN_LOG_KEPT_FOR. One DELETE."""
    LogEntry.objects.filter(action_time__lt=now - ADMIN_LOG_KEPT_FOR).delete()
