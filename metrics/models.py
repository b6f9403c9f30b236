"""What devices told us, and what follows from it.

`ReportLogEntry` holds the reports as they came in. Everything else is made from it by `aggregation`, and by nobody
else: one row per distinct fact, so that a repeated report finds its row and changes nothing.
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from builds.models import Build
from metrics.reports import ReportEvent

# What people read for each event.
EVENT_NAMES = {
    ReportEvent.DOWNLOADED: "Downloaded",
    ReportEvent.INSTALLED: "Installed",
    ReportEvent.FALLBACK: "Rolled back by itself",
    ReportEvent.BINARY_STARTED: "Started the store bundle",
}

# As many combinations of app version and client library are told apart for one build; an honest build has a handful.
MAX_SOFTWARE = 200

# In place of a label's number: the device runs the bundle of the store.
STORE_BUNDLE = 0


class ReportLogEntry(models.Model):
    """One report, as it came in. Append-only: a resend is a further row. Kept for support staff once applied."""

    event = models.CharField(max_length=15, choices=EVENT_NAMES)
    deployment_key = models.CharField(max_length=100)
    client_unique_id = models.CharField(max_length=128, blank=True)
    label = models.CharField(max_length=64, blank=True)
    app_version = models.CharField(max_length=64, blank=True)
    previous_deployment_key = models.CharField(max_length=100, blank=True)
    previous_label_or_app_version = models.CharField(max_length=64, blank=True)
    sdk_version = models.CharField(max_length=64, blank=True)
    plugin_name = models.CharField(max_length=64, blank=True, db_default="")
    plugin_version = models.CharField(max_length=64, blank=True, db_default="")
    received_at = models.DateTimeField(db_default=Now())
    is_applied = models.BooleanField(db_default=False, help_text="Whether the numbers contain it.")

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "report log entries"
        indexes = [
            # The aggregation reads what is not applied yet, in order.
            models.Index(fields=["id"], condition=Q(is_applied=False), name="report_to_apply"),
            # Support staff look up one device.
            models.Index(fields=["client_unique_id", "-id"], name="report_by_client"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.label or self.app_version}"


class LogPosition(models.Model):
    """How far the log is applied. Its one row is the lock that lets one aggregation run at a time."""

    name = models.CharField(max_length=20, primary_key=True)
    stream_id = models.CharField(max_length=40, default="0-0", help_text="Last entry of the Redis stream applied.")
    applied_at = models.DateTimeField(null=True)
    unknown_key_reports = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.stream_id}"


class Device(models.Model):
    """One installation of the app, seen from one build. `client_hash`: 128 bits of the client id's BLAKE2b."""

    pk = models.CompositePrimaryKey("build_id", "client_hash")
    build = models.ForeignKey(Build, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    client_hash = models.UUIDField()
    # Null: a report of another build says that it came from here, but it never reported itself (yet).
    seen_at = models.DateTimeField(null=True)
    # What it said it runs, and when; null: it never said. STORE_BUNDLE, or the number of a label.
    label_number = models.IntegerField(null=True)
    started_at = models.DateTimeField(null=True)
    # When a report of another build last said that it came from here.
    left_at = models.DateTimeField(null=True)
    # What its latest start said of the app: the id of a `Software`; null: nothing, or more than is kept of it.
    software_id = models.IntegerField(null=True)

    class Meta:
        indexes = [
            # The devices behind "active on v2", where few are (`devices`). Equal entries are kept once: 7 bytes a row.
            models.Index(fields=["build", "label_number"], name="device_by_release"),
            # The devices with one app version or client library, where few are (`devices`). 7 bytes a row as well.
            models.Index(fields=["build", "software_id"], name="device_by_software"),
        ]

    def __str__(self) -> str:
        return f"{self.client_hash} on build {self.build_id}"


class Software(models.Model):
    """What devices of a build say of their app: its version, and the client library in it. Each combination once.

    Anybody may send anything, so a build has MAX_SOFTWARE of them at most; what nobody runs any more is deleted daily.
    """

    id = models.AutoField(primary_key=True)
    build = models.ForeignKey(Build, on_delete=models.CASCADE, related_name="+")
    app_version = models.CharField(max_length=64, blank=True)
    plugin_name = models.CharField(max_length=64, blank=True)
    plugin_version = models.CharField(max_length=64, blank=True)
    sdk_version = models.CharField(max_length=64, blank=True)
    devices = models.BigIntegerField(default=0, help_text="Whose latest start said so; those that moved on included.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["build", "app_version", "plugin_name", "plugin_version", "sdk_version"],
                name="software_is_listed_once",
            ),
            models.CheckConstraint(condition=Q(devices__gte=0), name="software_devices_are_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.app_version} with {self.library} on build {self.build_id}"

    @property
    def library(self) -> str:
        """The client library as people name it; "" when it did not say."""
        return f"{self.plugin_name} {self.plugin_version}".strip()


class DeviceFact(models.Model):
    """A device downloaded, installed, or fell back from an update: once, however often it says so."""

    pk = models.CompositePrimaryKey("build_id", "label_number", "event", "client_hash")
    build = models.ForeignKey(Build, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    label_number = models.IntegerField()
    event = models.CharField(max_length=15, choices=EVENT_NAMES)
    client_hash = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.event} v{self.label_number} on build {self.build_id}"


class BuildTotals(models.Model):
    """How many devices ever reported to the build, and reports that named a label it does not have."""

    build = models.OneToOneField(Build, on_delete=models.CASCADE, primary_key=True, related_name="+")
    devices = models.BigIntegerField(default=0)
    rejected_reports = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(devices__gte=0, rejected_reports__gte=0), name="build_totals_are_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.devices} devices"


class ReleaseCounter(models.Model):
    """The numbers of one label of one build; STORE_BUNDLE has active devices only."""

    pk = models.CompositePrimaryKey("build_id", "label_number")
    build = models.ForeignKey(Build, on_delete=models.CASCADE, related_name="+", db_index=False)
    label_number = models.IntegerField()
    active_devices = models.BigIntegerField(default=0)
    downloads = models.BigIntegerField(default=0)
    installs = models.BigIntegerField(default=0)
    rollbacks = models.BigIntegerField(default=0)
    download_reports = models.BigIntegerField(default=0)
    install_reports = models.BigIntegerField(default=0)
    rollback_reports = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            # A number below zero would be a report counted off that was never counted on.
            models.CheckConstraint(
                condition=Q(active_devices__gte=0, downloads__gte=0, installs__gte=0, rollbacks__gte=0),
                name="release_counts_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.label_number} of build {self.build_id}"


class ReleaseHour(models.Model):
    """What happened to one label within one hour. Summed over all hours it gives the counter."""

    pk = models.CompositePrimaryKey("build_id", "hour", "label_number")
    build = models.ForeignKey(Build, on_delete=models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField(help_text="Its beginning, in UTC.")
    label_number = models.IntegerField()
    downloads = models.IntegerField(default=0)
    installs = models.IntegerField(default=0)
    rollbacks = models.IntegerField(default=0)
    active_change = models.IntegerField(default=0, help_text="Devices that began to run it, less those that ended.")

    def __str__(self) -> str:
        return f"v{self.label_number} of build {self.build_id} at {self.hour:%Y-%m-%d %H}h"
