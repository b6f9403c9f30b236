"""What devices are offered: CodePushes, the bundles they carry, and the diffs between bundles."""

import secrets
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from builds.models import Build
from deployments.change_request import ChangeRequest as ChangeRequest  # noqa: PLC0414 (so that mypy takes it for ours)
from deployments.checked_archive import CheckedArchive
from deployments.policy.label import format_label
from deployments.querysets import CodePushQuerySet

# Crockford's base 32: no letter that can be mistaken for a digit when somebody reads an ID out.
_ID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_deployment_id() -> str:
    """`dpl_` and 12 characters (60 random bits): never reused, short enough to read out."""
    return "dpl_" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(12))


def new_upload_id() -> str:
    return "upl_" + secrets.token_urlsafe(16)


class Upload(CheckedArchive):
    """An archive that waits for its CodePush: used once, by who uploaded it, on that build; or deleted after a day.

    What it says is for people, before they create the CodePush. A worker checks the archive again.
    """

    upload_id = models.CharField(max_length=32, unique=True, default=new_upload_id)
    build = models.ForeignKey(Build, on_delete=models.CASCADE, related_name="uploads")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=255, help_text="On the computer that it came from.")
    file_count = models.PositiveIntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(size_bytes__gt=0), name="upload_size_is_positive")]

    def __str__(self) -> str:
        return self.upload_id


class Bundle(CheckedArchive):
    """What an update puts on a device, stored once per content however often it is released."""

    manifest = models.JSONField(help_text="{path: SHA-256 of the file}, without entries that clients ignore.")
    unpacked_bytes = models.BigIntegerField()
    signature = models.TextField(blank=True, default="", db_default="", help_text="The token in its signature file.")
    unused_since = models.DateTimeField(null=True, blank=True)  # When housekeeping first found no CodePush with it.

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["content_hash"], name="bundle_content_is_unique"),
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="bundle_size_is_positive"),
        ]
        indexes = [models.Index(fields=["storage_name"], name="bundle_by_storage_name")]

    def __str__(self) -> str:
        return self.package_hash[:12]

    @property
    def is_signed(self) -> bool:
        return bool(self.signature)


class BundleFileSizes(models.Model):
    """How large each file of a bundle is, unpacked. Bundles stored before this was kept have no such row.

    Kept, and not read from the archive when somebody compares: that would fetch all of it from an object storage.
    In a table of its own: pages join bundles all the time, and must not load a megabyte with each.
    """

    bundle = models.OneToOneField(Bundle, primary_key=True, on_delete=models.CASCADE, related_name="file_sizes")
    bytes_by_path = models.JSONField(help_text="{path: bytes}, for the paths of the manifest.")

    class Meta:
        verbose_name_plural = "file sizes of bundles"

    def __str__(self) -> str:
        return f"File sizes of {self.bundle_id}"


# As `bundle_storage.save_published` calls what it stores.
_HASH_NAME = r"^[0-9a-f]{64}\.zip$"


class BundleDiff(models.Model):
    """The archive that turns one bundle into another: changed files, and the names of those to delete."""

    from_bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="outgoing_diffs")
    to_bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="incoming_diffs")
    storage_name = models.CharField(max_length=100)
    size_bytes = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["from_bundle", "to_bundle"], name="diff_is_unique"),
            models.CheckConstraint(condition=~Q(from_bundle=F("to_bundle")), name="diff_joins_two_bundles"),
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="diff_size_is_positive"),
            # Snapshots keep the hash only (`hash_map`).
            models.CheckConstraint(condition=Q(storage_name__regex=_HASH_NAME), name="diff_is_named_by_its_hash"),
        ]
        indexes = [models.Index(fields=["storage_name"], name="diff_by_storage_name")]

    def __str__(self) -> str:
        return f"{self.from_bundle} → {self.to_bundle}"


class BundlePatch(models.Model):
    """As a diff, with binary deltas of changed files: for clients that ask for them (docs/protocol.md)."""

    # In a table of its own: code that does not know of patches must never take one for a diff.

    from_bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="outgoing_patches")
    to_bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="incoming_patches")
    storage_name = models.CharField(max_length=100)
    size_bytes = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "bundle patches"
        constraints = [
            models.UniqueConstraint(fields=["from_bundle", "to_bundle"], name="patch_is_unique"),
            models.CheckConstraint(condition=~Q(from_bundle=F("to_bundle")), name="patch_joins_two_bundles"),
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="patch_size_is_positive"),
            models.CheckConstraint(condition=Q(storage_name__regex=_HASH_NAME), name="patch_is_named_by_its_hash"),
        ]
        indexes = [models.Index(fields=["storage_name"], name="patch_by_storage_name")]

    def __str__(self) -> str:
        return f"{self.from_bundle} → {self.to_bundle}"


class CodePush(models.Model):
    """One over-the-air update of one build."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        PROCESSING = "processing", "Processing"
        # Processed, and not offered to anybody before a second person approves it (`ChangeRequest`).
        WAITING = "waiting", "Waiting for approval"
        SUCCESS = "success", "Success"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"

    class Origin(models.TextChoices):
        UPLOAD = "upload", "Upload"
        ROLLBACK = "rollback", "Rollback"
        PROMOTE = "promote", "Promote"

    class Step(models.TextChoices):
        """What the worker is doing, in order."""

        QUEUED = "queued", "Uploaded"
        CHECKING = "checking", "Checking"
        STORING = "storing", "Storing"
        DIFFING = "diffing", "Making diffs"
        PUBLISHING = "publishing", "Publishing"

    # Decide which devices are offered it.
    build = models.ForeignKey(Build, on_delete=models.PROTECT, related_name="codepushes")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    is_enabled = models.BooleanField(default=True)
    rollout_percent = models.PositiveSmallIntegerField(default=100)
    label_number = models.PositiveIntegerField(null=True, blank=True)
    deployment_id = models.CharField("deployment ID", max_length=32, unique=True, default=new_deployment_id)
    # What the answer carries.
    bundle = models.ForeignKey(Bundle, null=True, blank=True, on_delete=models.PROTECT, related_name="codepushes")
    is_mandatory = models.BooleanField(default=False)
    description = models.TextField(max_length=2000, blank=True)
    # For people.
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.UPLOAD)
    source = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="copies")
    reason = models.CharField(max_length=280, blank=True, help_text="Why somebody wanted it.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.IntegerField(null=True, blank=True)
    failure_reason = models.TextField(blank=True)
    fails_again = models.BooleanField(
        default=False, db_default=False, help_text="The reason lies in the bundle: a retry would fail the same way."
    )
    # What the worker needs and tells.
    upload_name = models.CharField(max_length=100, blank=True, help_text="Where the uploaded archive waits.")
    upload_size_bytes = models.BigIntegerField(null=True, blank=True)
    allows_identical = models.BooleanField(default=False, help_text="Publish even if identical to the Live bundle.")
    step = models.CharField(max_length=12, choices=Step, default=Step.QUEUED)
    progress_percent = models.PositiveSmallIntegerField(default=0)
    attempt_id = models.UUIDField(null=True, blank=True, help_text="The worker's claim; another claim replaces it.")
    attempt_count = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[CodePushQuerySet] = CodePushQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        verbose_name = "CodePush"
        verbose_name_plural = "CodePushes"
        constraints = [
            # Devices report by label: a label that meant two updates would make every metric a lie.
            models.UniqueConstraint(fields=["build", "label_number"], name="label_is_unique_per_build"),
            # Only a success is ever named, and every success is.
            models.CheckConstraint(
                condition=Q(status="success", label_number__isnull=False)
                | (~Q(status="success") & Q(label_number__isnull=True)),
                name="label_iff_success",
            ),
            models.CheckConstraint(
                condition=Q(label_number__isnull=True) | Q(label_number__gte=1), name="labels_start_at_v1"
            ),
            # 0 % would be a second way to say "disabled".
            models.CheckConstraint(
                condition=Q(rollout_percent__gte=1, rollout_percent__lte=100), name="rollout_is_1_to_100"
            ),
            models.CheckConstraint(
                condition=Q(duration_ms__isnull=True) | Q(duration_ms__gte=0), name="duration_is_not_negative"
            ),
            # A success without a bundle would be offered with nothing to download.
            models.CheckConstraint(
                condition=~Q(status="success") | Q(bundle__isnull=False), name="a_success_has_a_bundle"
            ),
            models.CheckConstraint(
                condition=Q(origin="upload", source__isnull=True) | (~Q(origin="upload") & Q(source__isnull=False)),
                name="source_iff_a_copy",
            ),
            # A failure that says nothing helps nobody.
            models.CheckConstraint(condition=~Q(status="failed") | ~Q(failure_reason=""), name="a_failure_says_why"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "processing", "waiting", "success", "failed", "canceled"]),
                name="codepush_status_is_known",
            ),
            models.CheckConstraint(condition=Q(origin__in=["upload", "rollback", "promote"]), name="origin_is_known"),
        ]
        indexes = [
            # Snapshots and "what is Live" read servable updates from the highest label down.
            models.Index(
                fields=["build", "-label_number"],
                condition=Q(status="success", is_enabled=True),
                name="servable_by_label",
            ),
            # The sweep looks for work that nobody finished.
            models.Index(
                fields=["created_at"], condition=Q(status__in=["pending", "processing"]), name="unfinished_by_age"
            ),
            # "Needs attention" looks for what failed of late.
            models.Index(fields=["finished_at"], condition=Q(status="failed"), name="failed_by_finish"),
            # Build Detail lists cards newest first.
            models.Index(fields=["build", "-id"], name="codepush_by_build_newest"),
            models.Index(fields=["upload_name"], condition=~Q(upload_name=""), name="codepush_by_upload_name"),
        ]

    def __str__(self) -> str:
        return self.label or self.deployment_id

    @property
    def label(self) -> str:
        """`v3`, or "" before it succeeded."""
        return format_label(self.label_number) if self.label_number else ""

    @property
    def is_successful(self) -> bool:
        return self.status == CodePush.Status.SUCCESS

    @property
    def is_unfinished(self) -> bool:
        return self.status in (CodePush.Status.PENDING, CodePush.Status.PROCESSING)

    def describe_settings(self) -> dict[str, Any]:
        """The values a person can edit, as the audit log keeps them."""
        return {
            "description": self.description,
            "is_enabled": self.is_enabled,
            "is_mandatory": self.is_mandatory,
            "rollout_percent": self.rollout_percent,
        }
