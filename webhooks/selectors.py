"""Reads for pages. Each says what it costs."""

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from builds.models import Project
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.querysets import DeliveryQuerySet


def list_webhooks(project: Project) -> QuerySet[Webhook]:
    """By name, with `last_at`, `last_status`, `last_event` of their newest delivery, and `waiting_count`. One query."""
    newest = Delivery.objects.filter(webhook=OuterRef("pk")).order_by("-id")
    return Webhook.objects.filter(project=project).annotate(
        last_at=Subquery(newest.values("created_at")[:1]),
        last_status=Subquery(newest.values("status")[:1]),
        last_event=Subquery(newest.values("event")[:1]),
        waiting_count=Count("deliveries", filter=Q(deliveries__status=Delivery.Status.WAITING)),
    )


def list_deliveries(webhook: Webhook, *, status: str = "", event: str = "") -> DeliveryQuerySet:
    """Newest first, each with the status code (`last_code`) and `last_error` of its last attempt."""
    deliveries = Delivery.objects.filter(webhook=webhook)
    if status:
        deliveries = deliveries.filter(status=status)
    if event:
        deliveries = deliveries.filter(event=event)
    last = Attempt.objects.filter(delivery=OuterRef("pk")).order_by("-id")
    # The message is read where it is shown.
    return deliveries.defer("body").annotate(
        last_code=Subquery(last.values("status_code")[:1]), last_error=Subquery(last.values("error")[:1])
    )


def count_webhooks(project: Project) -> dict[str, int]:
    """`total`, `paused`, and `failed`: those that were paused because nothing was delivered. One query."""
    return Webhook.objects.filter(project=project).aggregate(
        total=Count("pk"),
        paused=Count("pk", filter=Q(is_active=False)),
        failed=Count("pk", filter=~Q(pause_reason="")),
    )


def count_waiting(webhook: Webhook) -> int:
    return Delivery.objects.filter(webhook=webhook, status=Delivery.Status.WAITING).count()
