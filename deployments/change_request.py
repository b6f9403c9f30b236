"""A change of production that waits for a second person. Read as `deployments.models.ChangeRequest`."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from builds.models import Build


class ChangeRequest(models.Model):
    """What somebody wants devices to get, why, and what became of it. Devices notice nothing of it while it waits."""

    class Kind(models.TextChoices):
        RELEASE = "release", "Release"
        PROMOTE = "promote", "Promote"
        EDIT = "edit", "Edit"
        FORCE_UPDATE = "force_update", "Force Update"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"
        OUTDATED = "outdated", "Outdated"

    build = models.ForeignKey(Build, on_delete=models.PROTECT, related_name="change_requests")
    codepush = models.ForeignKey(
        "deployments.CodePush", null=True, blank=True, on_delete=models.PROTECT, related_name="change_requests"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    # What the service is called with when it is approved, beside reason and actor.
    parameters = models.JSONField(default=dict)
    # What must be the same still: settings of the CodePush, and which label was Live ("": none).
    before = models.JSONField(default=dict)
    live_label = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=280, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(blank=True, help_text="How it ended, in words.")

    class Meta:
        ordering = ("-id",)
        constraints = [
            # Of two changes of one thing, the second would be approved for what the first has changed.
            models.UniqueConstraint(
                fields=["codepush"], condition=Q(status="waiting"), name="one_waiting_change_per_codepush"
            ),
            models.UniqueConstraint(
                fields=["build"],
                condition=Q(status="waiting", codepush__isnull=True),
                name="one_waiting_force_update_per_build",
            ),
            models.CheckConstraint(
                condition=Q(kind="force_update", codepush__isnull=True)
                | (Q(kind__in=["release", "promote", "edit"]) & Q(codepush__isnull=False)),
                name="a_change_is_of_a_codepush_or_force_update",
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", decided_at__isnull=True)
                | (
                    Q(status__in=["approved", "refused", "withdrawn", "expired", "outdated"])
                    & Q(decided_at__isnull=False)
                ),
                name="a_change_waits_or_has_ended",
            ),
            # The point of it all.
            models.CheckConstraint(
                condition=~Q(status="approved") | ~Q(decided_by=F("requested_by")),
                name="nobody_approves_their_own_change",
            ),
        ]
        indexes = [
            # Pages and the sweep look at those that wait, of which there are few.
            models.Index(fields=["expires_at"], condition=Q(status="waiting"), name="waiting_change_by_expiry"),
            # What was asked for on one build, newest first.
            models.Index(fields=["build", "-id"], name="change_by_build_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} request {self.pk}"

    @property
    def is_waiting(self) -> bool:
        return self.status == ChangeRequest.Status.WAITING

    def describe(self) -> dict[str, Any]:
        """What is asked for, as the audit log keeps it."""
        return {"change": self.kind, "request": self.pk, **self.parameters}
