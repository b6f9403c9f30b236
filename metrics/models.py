"""What devices told us."""

from django.db import models
from django.db.models.functions import Now

from metrics.reports import ReportEvent

# What people read for each event.
EVENT_NAMES = {
    ReportEvent.DOWNLOADED: "Downloaded",
    ReportEvent.INSTALLED: "Installed",
    ReportEvent.FALLBACK: "Rolled back by itself",
    ReportEvent.BINARY_STARTED: "Started the store bundle",
}


class ReportLogEntry(models.Model):
    """One report, as it came in. Append-only: a resend is a further row, and every count is distinct."""

    event = models.CharField(max_length=15, choices=EVENT_NAMES)
    deployment_key = models.CharField(max_length=100)
    client_unique_id = models.CharField(max_length=128, blank=True)
    label = models.CharField(max_length=64, blank=True)
    app_version = models.CharField(max_length=64, blank=True)
    previous_deployment_key = models.CharField(max_length=100, blank=True)
    previous_label_or_app_version = models.CharField(max_length=64, blank=True)
    sdk_version = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "report log entries"
        indexes = [
            # Counts of a build's cards: everything reported to one key, by release and kind.
            models.Index(fields=["deployment_key", "event", "label", "client_unique_id"], name="report_by_release"),
            # Support staff look up one device; moves between builds are found by where a device came from.
            models.Index(fields=["client_unique_id", "-id"], name="report_by_client"),
            models.Index(fields=["previous_deployment_key", "client_unique_id"], name="report_by_previous_key"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.label or self.app_version}"
