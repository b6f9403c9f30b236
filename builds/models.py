"""What exists to be updated: projects, who may touch them, their builds, and the record of every change."""

import secrets
import string
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

# Named again for whoever reads entries.
from builds.audit_actions import AuditAction as AuditAction  # noqa: PLC0414 (so that mypy takes it for ours)
from builds.done_request import DoneRequest as DoneRequest  # noqa: PLC0414
from builds.querysets import AuditEntryQuerySet, BuildQuerySet, ProjectQuerySet

_KEY_ALPHABET = string.ascii_letters + string.digits


def new_deployment_key() -> str:
    """36 letters and digits; unguessable, but an address rather than a secret.

    The protocol allows "-" and "_" too. A key that begins with "-" is an option to every command line.
    """
    return "".join(secrets.choice(_KEY_ALPHABET) for _ in range(36))


class Platform(models.TextChoices):
    IOS = "ios", "iOS"
    ANDROID = "android", "Android"
    HUAWEI = "huawei", "Huawei"


class BuildTarget(models.TextChoices):
    PRODUCTION = "production", "Production"
    STAGING = "staging", "Staging"


class StoreStatus(models.TextChoices):
    NONE = "none", "Not in store"
    APPROVED = "approved", "Approved"
    LIVE = "live", "Live"


class Role(models.TextChoices):
    """Ascending: each role may do everything the one before it may."""

    VIEWER = "viewer", "Viewer"
    RELEASE_MANAGER = "release_manager", "Release manager"
    ADMIN = "admin", "Admin"


class Project(models.Model):
    """One mobile app as a product."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60)
    description = models.TextField(max_length=2000, blank=True)
    repository_url = models.CharField(max_length=300, blank=True)
    ios_bundle_id = models.CharField("iOS bundle ID", max_length=155, blank=True)
    android_bundle_id = models.CharField("Android application ID", max_length=155, blank=True)
    huawei_bundle_id = models.CharField("Huawei application ID", max_length=155, blank=True)
    needs_second_factor = models.BooleanField(
        db_default=False, default=False, help_text="Members without one see nothing of it."
    )
    # What must hold before devices get something (`deployments.services.production_rules`).
    needs_second_person = models.BooleanField(
        default=False, db_default=False, help_text="Changes that widen what production devices get wait for approval."
    )
    signing_key = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Public key (PEM): bundles must be signed with its private part.",
    )
    approval_hours = models.PositiveSmallIntegerField(default=24, db_default=24, help_text="So long it waits.")
    created_at = models.DateTimeField(auto_now_add=True)
    # Deleted: hidden, and of no effect, but for its admins' undo. Purged: what is left is for the audit log to name.
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    purged_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ProjectQuerySet] = ProjectQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("name", "id")
        constraints = [
            # Addresses name a project by its slug.
            models.UniqueConstraint(fields=["slug"], name="project_slug_is_unique"),
            # A change that waits for ever would be approved by somebody who does not know what it was for.
            models.CheckConstraint(
                condition=Q(approval_hours__gte=1, approval_hours__lte=168), name="approval_waits_an_hour_to_a_week"
            ),
            # Nobody could have it back, and nobody was told.
            models.CheckConstraint(
                condition=Q(purged_at=None) | Q(deleted_at__isnull=False), name="only_a_deleted_project_is_purged"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def bundle_ids(self) -> dict[str, str]:
        """{platform: bundle ID}, "" where it is not set."""
        return {
            Platform.IOS: self.ios_bundle_id,
            Platform.ANDROID: self.android_bundle_id,
            Platform.HUAWEI: self.huawei_bundle_id,
        }

    @property
    def bundle_id(self) -> str:
        """The first one set: most projects use the same on every platform."""
        return next(filter(None, self.bundle_ids.values()), "")


class Membership(models.Model):
    """What one person may do in one project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    # A member's account is not deleted: removing the member first is audited, and never takes the last admin.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # Two roles for one person would make "may they?" depend on which row is read.
            models.UniqueConstraint(fields=["project", "user"], name="membership_is_unique_per_project"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.get_role_display()} of {self.project}"


class Build(models.Model):
    """One native binary. Its deployment key names exactly this build: devices that send it have it installed."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        RUNNING = "running", "Running"
        SUCCESS = "success", "Successful"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"

    # Matched against what a device sends.
    deployment_key = models.CharField(
        max_length=100,
        default=new_deployment_key,
        validators=[RegexValidator(r"\A[A-Za-z0-9_-]{10,100}\Z", "10–100 letters, digits, hyphens or underscores.")],
    )
    store_version = models.CharField(max_length=64)
    # Decide whether it gets anything.
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    is_force_updated = models.BooleanField(default=False)
    # Part of the answer to devices of *other* builds: where Force Update sends them.
    store_status = models.CharField(max_length=10, choices=StoreStatus, default=StoreStatus.NONE)
    store_live_at = models.DateTimeField(null=True, blank=True, help_text="When it last became store-live.")
    # For people.
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="builds")
    platform = models.CharField(max_length=10, choices=Platform)
    build_target = models.CharField(max_length=10, choices=BuildTarget)
    build_number = models.CharField(max_length=50, blank=True)
    branch = models.CharField(max_length=255, blank=True)
    commit = models.CharField(max_length=64, blank=True)
    hermes_bytecode_version = models.PositiveIntegerField(null=True, blank=True)
    triggered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # The stamp: every change that a device could notice raises both in its own transaction (snapshots poll them).
    revision = models.PositiveBigIntegerField(default=1)
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[BuildQuerySet] = BuildQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        constraints = [
            # A key that named two builds would send one build's bundle to the other's devices.
            models.UniqueConstraint(fields=["deployment_key"], name="deployment_key_is_unique"),
            # "The store version users can download now" must have one answer; Force Update sends devices there.
            models.UniqueConstraint(
                fields=["project", "platform", "build_target"],
                condition=Q(store_status=StoreStatus.LIVE),
                name="one_store_live_build_per_slot",
            ),
            # A binary that did not compile cannot be in a store.
            models.CheckConstraint(
                condition=Q(store_status=StoreStatus.NONE) | Q(status="success"),
                name="only_a_successful_build_is_in_store",
            ),
            models.CheckConstraint(
                condition=~Q(store_status=StoreStatus.LIVE) | Q(store_live_at__isnull=False),
                name="a_store_live_build_knows_since_when",
            ),
            # Sending users of the current store version to the store would leave them nowhere to go.
            models.CheckConstraint(
                condition=Q(is_force_updated=False)
                | (Q(store_live_at__isnull=False) & ~Q(store_status=StoreStatus.LIVE)),
                name="force_update_only_on_a_replaced_build",
            ),
            models.CheckConstraint(condition=Q(platform__in=Platform.values), name="build_platform_is_known"),
            models.CheckConstraint(condition=Q(build_target__in=BuildTarget.values), name="build_target_is_known"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "running", "success", "failed", "canceled"]),
                name="build_status_is_known",
            ),
        ]
        indexes = [
            # Project pages list builds newest first.
            models.Index(fields=["project", "-id"], name="build_by_project_newest"),
            # Every web process asks a few times a second which builds changed lately.
            models.Index(fields=["changed_at"], name="build_by_change"),
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.store_version} #{self.pk}"

    @property
    def was_store_live(self) -> bool:
        return self.store_live_at is not None

    @property
    def is_successful(self) -> bool:
        return self.status == Build.Status.SUCCESS


class AuditEntry(models.Model):
    """Who did what to which object, before → after. Written in the transaction of the change, never altered."""

    # None: of a person's own account.
    project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.PROTECT, related_name="audit_entries")
    build = models.ForeignKey(Build, null=True, blank=True, on_delete=models.PROTECT, related_name="audit_entries")
    # Text, not a key: this app does not know deployments, and the entry outlives what it tells of.
    deployment_id = models.CharField(max_length=32, blank=True)
    action = models.CharField(max_length=40, choices=AuditAction)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField(max_length=200, help_text="As it was then; “worker” for the machinery.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=280, blank=True)
    address = models.CharField(
        max_length=45, blank=True, db_default="", help_text="Where the request came from; none for the machinery."
    )
    created_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[AuditEntryQuerySet] = AuditEntryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "audit entries"
        indexes = [
            # The history of one build and of one CodePush, newest first.
            models.Index(fields=["build", "-id"], name="audit_by_build_newest"),
            models.Index(fields=["deployment_id"], name="audit_by_deployment_id"),
            # The audit log: of a project that was quiet lately, of an action that is rare, of days long ago. Otherwise
            # the newest entries are read backwards until a page is full, which would be all of them.
            models.Index(fields=["project", "-id"], name="audit_by_project_newest"),
            models.Index(fields=["action", "-id"], name="audit_by_action_newest"),
            models.Index(fields=["created_at"], name="audit_by_time"),
            # What happened to one's own account, on its page.
            models.Index(fields=["actor", "-id"], name="audit_of_accounts", condition=Q(project=None)),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} by {self.actor_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("An audit entry is never altered.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("An audit entry is never deleted.")
