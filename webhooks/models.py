"""Who is told what, and what was told. A delivery is written in the transaction of the change it tells of."""

from typing import ClassVar
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from builds.models import Project
from webhooks.events import EVENT_LABELS, SUBSCRIBABLE, Event
from webhooks.querysets import DeliveryQuerySet
from webhooks.signing import new_nonce


class Webhook(models.Model):
    """An address outside that is told of events of one project."""

    class Format(models.TextChoices):
        JSON = "json", "JSON"
        SLACK = "slack", "Slack"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="webhooks")
    name = models.CharField(max_length=100)
    # Who knows the address of a Slack channel may write there: only admins see more than its host.
    url = models.CharField(max_length=2000)
    format = models.CharField(max_length=10, choices=Format, default=Format.JSON)
    events = models.JSONField(default=list, help_text="Names of events.")
    extra_headers = models.JSONField(default=dict, help_text="{name: value}. Values are for admins only.")
    secret_nonce = models.CharField(max_length=32, default=new_nonce, help_text="See `signing`.")
    is_active = models.BooleanField(default=True)
    pause_reason = models.CharField(max_length=280, blank=True, help_text="Empty: a person paused it.")
    active_since = models.DateTimeField(db_default=Now(), help_text="When it was made or last resumed.")
    last_success_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "id")
        constraints = [
            # A reason without a pause would be shown as a failure that is none.
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(pause_reason=""), name="an_active_webhook_has_no_pause_reason"
            ),
            models.CheckConstraint(condition=Q(format__in=["json", "slack"]), name="webhook_format_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def host(self) -> str:
        """As much of the address as every member may see."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def is_paused_for_failure(self) -> bool:
        return bool(self.pause_reason)

    @property
    def event_labels(self) -> list[str]:
        return [label for event, label in EVENT_LABELS.items() if event in self.events]

    @property
    def followed(self) -> str:
        """The events, for people."""
        return "All events" if len(self.events) == len(SUBSCRIBABLE) else ", ".join(self.event_labels)


class Delivery(models.Model):
    """One message to one webhook, until it is taken or given up. Claimed by moving `next_attempt_at` on."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        GIVEN_UP = "given_up", "Given up"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    # Not unique: a replay repeats the message, and receivers know it by this.
    message_id = models.CharField(max_length=40)
    event = models.CharField(max_length=40)
    body = models.TextField(help_text="Exactly what is sent, each time.")
    replay_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="replays")
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    claim_id = models.UUIDField(null=True, blank=True, help_text="Of the worker that sends it; another replaces it.")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[DeliveryQuerySet] = DeliveryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "deliveries"
        constraints = [
            # One that waits without a time would wait for ever; one that is done must not be sent again.
            models.CheckConstraint(
                condition=Q(status="waiting", next_attempt_at__isnull=False)
                | (Q(status__in=["delivered", "given_up"]) & Q(next_attempt_at__isnull=True)),
                name="exactly_waiting_deliveries_have_a_next_attempt",
            ),
        ]
        indexes = [
            # The sweep looks every few seconds for what is due.
            models.Index(fields=["next_attempt_at"], condition=Q(status="waiting"), name="delivery_by_due_time"),
            # The list of a webhook.
            models.Index(fields=["webhook", "-id"], name="delivery_by_webhook_newest"),
            # What is old enough to be removed.
            models.Index(fields=["created_at"], name="delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.event_label} to {self.webhook_id}"

    @property
    def event_label(self) -> str:
        return EVENT_LABELS[Event(self.event)]


class Attempt(models.Model):
    """What was sent once, and what came back. Values of the webhook's extra headers are not kept."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    url = models.CharField(max_length=2000)
    request_headers = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, help_text="Why it counts as failed; empty: it was taken.")
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True, help_text="Its beginning.")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.started_at}: {self.status_code or self.error}"
