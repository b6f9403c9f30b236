"""What tests of charts share: reports that came in at some time."""

from dataclasses import asdict
from datetime import datetime

from builds.models import Build
from metrics.aggregation import apply_waiting_reports
from metrics.models import ReportLogEntry
from metrics.reports import DeviceReport, ReportEvent


def report(build: Build, event: ReportEvent, client: str, label: str, at: datetime) -> None:
    """The device said so at that time, and the numbers contain it."""
    said = DeviceReport(event, build.deployment_key, client_unique_id=client, label=label)
    ReportLogEntry.objects.create(**asdict(said), received_at=at)
    apply_waiting_reports()
