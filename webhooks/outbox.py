"""From an audit entry to deliveries, in the transaction of the entry: what is undone is told to nobody, and what is
committed waits in the database, whether or not a worker or the broker is there.

No message goes to the broker from here: a rollback must not wait for one that is away. The sweep, every two seconds,
calls the workers (`tasks.queue_due`).
"""

from collections.abc import Iterable
from typing import Any

from django.dispatch import receiver

from builds.audit import recorded
from builds.models import AuditEntry
from deployments.models import CodePush
from webhooks import payload
from webhooks.events import find_events
from webhooks.models import Delivery, Webhook


@receiver(recorded, dispatch_uid="webhooks.write_deliveries")
def write_deliveries(*, entry: AuditEntry, **_: Any) -> None:
    """A waiting delivery for each active webhook that follows an event of the entry.

    No query for what is no event, one when nobody follows it, three when somebody does.
    """
    events = find_events(entry.action, entry.before, entry.after)
    if not events or entry.project_id is None:
        return
    active = Webhook.objects.filter(project_id=entry.project_id, is_active=True)
    webhooks = list(active.filter(project__deleted_at=None))
    wanted = [(webhook, event) for event in events for webhook in webhooks if event in webhook.events]
    if not wanted:
        return
    codepush = CodePush.objects.filter(deployment_id=entry.deployment_id).first() if entry.deployment_id else None
    messages = {event: payload.make_message(event, entry, codepush) for event in events}
    write([(webhook, messages[event]) for webhook, event in wanted])


def write(messages: Iterable[tuple[Webhook, dict[str, Any]]]) -> list[Delivery]:
    """Each message waits for a worker, for its webhook. One query."""
    return Delivery.objects.bulk_create(
        Delivery(
            webhook=webhook,
            message_id=message["id"],
            event=message["type"],
            body=payload.write_body(message, webhook.format),
        )
        for webhook, message in messages
    )
