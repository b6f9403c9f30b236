"""What a worker does with a waiting delivery: claim, send, and write what came of it.

A worker may die at any instruction. Claiming moves the time of the next attempt on by a lease: the delivery of a dead
worker is due again then. So a message may arrive twice, never not at all; its id is the same each time.

All by the database's clock: one that is set must neither hold back what is due, nor have two workers send it.
"""

import logging
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from builds import audit
from builds.clock import read_clock
from builds.models import AuditAction
from webhooks import guarded_http
from webhooks.events import Event
from webhooks.guarded_http import Answer
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.schedule import find_next_attempt
from webhooks.signing import sign

logger = logging.getLogger(__name__)

# Longer than a request takes, with the time that a resolver may need before it.
LEASE = timedelta(minutes=2)
# The sweep calls workers for so many at a time; the next one for the rest.
MAX_QUEUED = 100
# Of one webhook: half of the workers (Procfile, `hooks`).
MAX_IN_FLIGHT = 4
KEPT_FOR = timedelta(days=30)
_DELETED_AT_ONCE = 1000
# In place of what only admins may see.
HIDDEN = "(hidden)"


def list_due_ids() -> list[int]:
    """Deliveries that a worker should take now, the longest waiting first, and of each webhook a few. Three queries.

    Otherwise one receiver that does not answer would hold every worker.
    """
    now = read_clock()
    place = Window(RowNumber(), partition_by="webhook_id", order_by=("next_attempt_at", "id"))
    due = (
        Delivery.objects.due(now)
        .filter(webhook__project__deleted_at=None)
        .annotate(place=place)
        .filter(place__lte=MAX_IN_FLIGHT)
    )
    rows = due.order_by("next_attempt_at", "id").values_list("pk", "webhook_id", "place")[:MAX_QUEUED]
    claimed = Delivery.objects.filter(status=Delivery.Status.WAITING, claim_id__isnull=False, next_attempt_at__gt=now)
    in_flight = Counter(claimed.values_list("webhook_id", flat=True))
    return [pk for pk, webhook_id, number in rows if number + in_flight[webhook_id] <= MAX_IN_FLIGHT]


def attempt_delivery(delivery_id: int) -> None:
    """It was sent once and is delivered, waits for its next attempt, or is given up; or another worker has it.

    No transaction is open while the receiver takes its time.
    """
    delivery = _claim(delivery_id)
    if delivery is None:
        return
    started_at, started = read_clock(), time.monotonic()
    headers = _write_headers(delivery, started_at)
    answer = _judge(
        guarded_http.post(
            delivery.webhook.url,
            headers | delivery.webhook.extra_headers,
            delivery.body.encode(),
            allows_private=settings.WEBHOOKS_TO_PRIVATE_ADDRESSES,
        )
    )
    attempt = Attempt(
        delivery=delivery,
        url=delivery.webhook.url,
        request_headers=headers | dict.fromkeys(delivery.webhook.extra_headers, HIDDEN),
        started_at=started_at,
        duration_ms=round((time.monotonic() - started) * 1000),
        status_code=answer.status_code,
        error=answer.error,
        response_headers=answer.headers,
        response_body=answer.body,
    )
    with transaction.atomic():
        _finish(delivery, attempt, read_clock())


def delete_old_deliveries(now: datetime) -> int:
    """No delivery is older than KEPT_FOR. Returns how many went, a batch in each transaction."""
    deleted = 0
    while batch := list(
        Delivery.objects.filter(created_at__lt=now - KEPT_FOR).values_list("pk", flat=True)[:_DELETED_AT_ONCE]
    ):
        Delivery.objects.filter(pk__in=batch).delete()
        deleted += len(batch)
    return deleted


def _claim(delivery_id: int) -> Delivery | None:
    """The delivery, with its webhook, for this worker alone: of any number, one sees the row count of the UPDATE."""
    now, claim_id = read_clock(), uuid4()
    due = Delivery.objects.due(now).filter(pk=delivery_id)
    if not due.update(claim_id=claim_id, next_attempt_at=now + LEASE, attempt_count=F("attempt_count") + 1):
        return None
    claimed = Delivery.objects.select_related("webhook__project").filter(pk=delivery_id, claim_id=claim_id)
    # Of a project that was deleted since it was queued: nothing is sent.
    return claimed.filter(webhook__project__deleted_at=None).first()


def _write_headers(delivery: Delivery, now: datetime) -> dict[str, str]:
    timestamp = int(now.timestamp())
    signature = sign(
        delivery.webhook.secret_nonce, message_id=delivery.message_id, timestamp=timestamp, body=delivery.body
    )
    return {
        "content-type": "application/json",
        # Unpacked here, a kilobyte could be a gigabyte.
        "accept-encoding": "identity",
        "user-agent": "CodePush-Console",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }


def _judge(answer: Answer) -> Answer:
    """With the reason for which the answer counts as a failure: any status but 2xx."""
    status = answer.status_code
    if status is None or 200 <= status < 300:
        return answer
    if 300 <= status < 400:
        return replace(
            answer, error=f"Answered {status}, a redirect, which is not followed. Enter the address that it leads to."
        )
    return replace(answer, error=f"Answered {status}.")


def _finish(delivery: Delivery, attempt: Attempt, now: datetime) -> None:
    is_test = delivery.event == Event.TEST
    following = (
        find_next_attempt(delivery.attempt_count, created_at=delivery.created_at, now=now)
        if attempt.error and not is_test
        else None
    )
    ended: dict[str, Any] = {"next_attempt_at": following, "claim_id": None}
    if following is None:
        status = Delivery.Status.GIVEN_UP if attempt.error else Delivery.Status.DELIVERED
        ended |= {"status": status, "finished_at": now}
    # Only while the claim is ours: somebody else goes on with it when the lease ran out.
    if not Delivery.objects.filter(pk=delivery.pk, claim_id=delivery.claim_id).update(**ended):
        logger.info("delivery=%s was taken over, or is gone", delivery.pk)
        return
    attempt.save()
    if not attempt.error:
        Webhook.objects.filter(pk=delivery.webhook_id).update(last_success_at=now)
    elif following is None and not is_test:
        _pause_if_dead(delivery, attempt.error)


def _pause_if_dead(given_up: Delivery, error: str) -> None:
    """The webhook is paused when nothing at all was taken while this delivery was tried, for a day.

    One that was resumed meanwhile gets its day anew.
    """
    since = given_up.created_at
    dead = Webhook.objects.filter(pk=given_up.webhook_id, is_active=True, active_since__lte=since)
    dead = dead.filter(Q(last_success_at=None) | Q(last_success_at__lt=since))
    reason = f"Nothing was delivered for a day. The last attempt: {error}"[:280]
    if dead.update(is_active=False, pause_reason=reason):
        webhook = given_up.webhook
        audit.record(
            AuditAction.WEBHOOK_PAUSED,
            actor=None,
            project=webhook.project,
            after={"webhook": webhook.name},
            reason=reason,
        )
