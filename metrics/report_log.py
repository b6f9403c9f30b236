"""The append-only log of what devices reported. A report that `append` took is durable."""

from dataclasses import asdict

from django.db import Error as DatabaseFailure

from builds.connections import drop_dead_connections
from metrics.models import ReportLogEntry
from metrics.reports import DeviceReport


class LogUnavailable(Exception):
    """The report is not durable anywhere; the device should send it again."""


def append(report: DeviceReport) -> None:
    """The report is in the log, committed. Raises LogUnavailable."""
    drop_dead_connections()
    try:
        ReportLogEntry.objects.create(**asdict(report))
    except DatabaseFailure as error:
        raise LogUnavailable from error
