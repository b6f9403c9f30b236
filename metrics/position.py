"""The lock that numbers are changed under: one change at a time, be it an aggregation, a retention or a reset."""

from metrics.models import LogPosition

REPORTS = "reports"


def lock_position() -> LogPosition:
    """How far the log is applied. Nobody else changes a number until the transaction that the caller is in ends."""
    LogPosition.objects.get_or_create(name=REPORTS)
    return LogPosition.objects.select_for_update().get(name=REPORTS)
