"""What a worker sends, and what becomes of the delivery: to a real receiver, with the clock moved by hand."""

import hmac
import json
import time
from base64 import b64decode, b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from builds.models import AuditEntry
from tests.factories import DeliveryFactory
from tests.webhooks.receiver import Receiver
from webhooks import deliveries
from webhooks.deliveries import attempt_delivery, delete_old_deliveries, list_due_ids
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.services import resume_webhook
from webhooks.signing import derive_secret


class Clock:
    def __init__(self) -> None:
        self.now_is = timezone.now() + timedelta(seconds=1)

    def now(self) -> datetime:
        return self.now_is


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(deliveries, "read_clock", clock.now)
    return clock


@pytest.fixture
def delivery(webhook: Webhook) -> Delivery:
    delivery: Delivery = DeliveryFactory(webhook=webhook, body=json.dumps({"type": "live.changed", "é": 1}))
    return delivery


def _work(clock: Clock) -> None:
    """What beat and a worker do."""
    for delivery_id in list_due_ids():
        attempt_delivery(delivery_id)


def _work_until_ended(delivery: Delivery, clock: Clock) -> list[datetime]:
    """The times of the attempts."""
    started = []
    while delivery.status == "waiting":
        started.append(clock.now_is)
        _work(clock)
        delivery.refresh_from_db()
        clock.now_is = delivery.next_attempt_at or clock.now_is
    return started


def test_a_message_is_signed_as_documented(
    webhook: Webhook, delivery: Delivery, receiver: Receiver, clock: Clock
) -> None:
    webhook.extra_headers = {"authorization": "Bearer secret-token"}
    webhook.save()
    _work(clock)

    got = receiver.got[0]
    assert got.body == delivery.body.encode()
    assert got.headers["authorization"] == "Bearer secret-token"
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    # The receiver's side, from docs/webhooks.md.
    key = b64decode(derive_secret(webhook.secret_nonce).removeprefix("whsec_"))
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = "v1," + b64encode(hmac.new(key, signed, sha256).digest()).decode()
    assert got.headers["webhook-signature"] == expected
    assert abs(int(got.headers["webhook-timestamp"]) - clock.now_is.timestamp()) < 1


def test_what_was_taken_is_delivered_and_kept_without_secrets(
    webhook: Webhook, delivery: Delivery, receiver: Receiver, clock: Clock
) -> None:
    webhook.extra_headers = {"authorization": "Bearer secret-token"}
    webhook.save()
    receiver.status, receiver.body = 202, b"<b>thanks\0\xff"
    _work(clock)
    _work(clock)

    attempt = Attempt.objects.get()
    assert (attempt.status_code, attempt.error, attempt.response_body) == (202, "", "<b>thanks��")
    assert attempt.request_headers["authorization"] == "(hidden)"
    assert "secret-token" not in str(Attempt.objects.values())
    webhook.refresh_from_db()
    delivery.refresh_from_db()
    assert (delivery.status, webhook.last_success_at, len(receiver.got)) == ("delivered", clock.now_is, 1)


def test_a_failure_is_tried_again_ever_more_seldom_for_a_day(
    delivery: Delivery, receiver: Receiver, clock: Clock
) -> None:
    receiver.status = 500
    started = _work_until_ended(delivery, clock)

    gaps = [(after - before).total_seconds() for before, after in pairwise(started)]
    assert gaps == [10 * 2**n for n in range(13)]
    assert (delivery.status, delivery.attempt_count, len(receiver.got)) == ("given_up", 14, 14)
    assert {got.headers["webhook-id"] for got in receiver.got} == {delivery.message_id}
    assert len({got.headers["webhook-signature"] for got in receiver.got}) == 14


def test_a_webhook_that_takes_nothing_for_a_day_is_paused(
    webhook: Webhook, delivery: Delivery, receiver: Receiver, clock: Clock
) -> None:
    receiver.status = 500
    _work_until_ended(delivery, clock)

    webhook.refresh_from_db()
    reason = "Nothing was delivered for a day. The last attempt: Answered 500."
    assert (webhook.is_active, webhook.pause_reason) == (False, reason)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name, entry.reason) == ("webhook.paused", "worker", reason)


def test_a_webhook_that_takes_others_goes_on(
    webhook: Webhook, delivery: Delivery, receiver: Receiver, clock: Clock
) -> None:
    receiver.status = 500
    _work(clock)
    Webhook.objects.update(last_success_at=clock.now_is + timedelta(hours=1))
    delivery.refresh_from_db()
    clock.now_is += timedelta(days=1)
    _work_until_ended(delivery, clock)

    webhook.refresh_from_db()
    assert (delivery.status, webhook.is_active) == ("given_up", True)


def test_what_waits_for_a_paused_webhook_is_sent_when_it_is_resumed(
    webhook: Webhook, delivery: Delivery, receiver: Receiver, clock: Clock, owner: User
) -> None:
    Webhook.objects.update(is_active=False)
    _work(clock)
    assert receiver.got == []
    resume_webhook(webhook.pk, actor=owner)
    # Not paused anew for what failed before: from its resumption on, it has a day.
    receiver.status = 500
    clock.now_is += timedelta(days=2)
    _work(clock)

    delivery.refresh_from_db()
    webhook.refresh_from_db()
    assert (delivery.status, webhook.is_active, len(receiver.got)) == ("given_up", True, 1)


def test_a_test_message_is_tried_once_and_pauses_nothing(webhook: Webhook, receiver: Receiver, clock: Clock) -> None:
    receiver.status = 500
    DeliveryFactory(webhook=webhook, event="webhook.test")
    _work(clock)

    webhook.refresh_from_db()
    assert (Delivery.objects.get().status, webhook.is_active) == ("given_up", True)


def test_a_claim_is_for_one_and_runs_out(delivery: Delivery, receiver: Receiver, clock: Clock) -> None:
    assert deliveries._claim(delivery.pk) is not None
    assert deliveries._claim(delivery.pk) is None
    assert list_due_ids() == []
    clock.now_is += deliveries.LEASE
    assert list_due_ids() == [delivery.pk]


def test_a_webhook_that_does_not_answer_leaves_workers_to_others(webhook: Webhook, clock: Clock) -> None:
    slow = DeliveryFactory.create_batch(10, webhook=webhook)
    other = DeliveryFactory(webhook__project=webhook.project)
    assert list_due_ids() == [each.pk for each in slow[:4]] + [other.pk]
    for each in slow[:3]:
        deliveries._claim(each.pk)
    assert list_due_ids() == [slow[3].pk, other.pk]
    deliveries._claim(slow[3].pk)
    assert list_due_ids() == [other.pk]


def test_a_worker_that_comes_back_too_late_writes_nothing(delivery: Delivery, receiver: Receiver, clock: Clock) -> None:
    late = deliveries._claim(delivery.pk)
    assert late is not None
    clock.now_is += deliveries.LEASE
    _work(clock)
    deliveries._finish(late, Attempt(delivery=late, error="No answer."), clock.now_is)

    delivery.refresh_from_db()
    assert (delivery.status, Attempt.objects.count()) == ("delivered", 1)


def test_old_deliveries_are_removed(delivery: Delivery, webhook: Webhook) -> None:
    old = DeliveryFactory(webhook=webhook)
    Delivery.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    Attempt.objects.create(delivery=old, url="", started_at=timezone.now(), duration_ms=1)

    assert delete_old_deliveries(timezone.now()) == 1
    assert list(Delivery.objects.all()) == [delivery]
    assert not Attempt.objects.exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="Otherwise the database's clock is this host's.")
@pytest.mark.parametrize("hours", [-25, 25])
def test_a_worker_whose_clock_is_wrong_sends_what_is_due_and_signs_with_the_right_time(
    hours: int, delivery: Delivery, receiver: Receiver
) -> None:
    right = time.time()
    with time_machine.travel(right + hours * 3600):
        for delivery_id in list_due_ids():
            attempt_delivery(delivery_id)
        receiver.status = 500
        other = DeliveryFactory(webhook=delivery.webhook)
        attempt_delivery(other.pk)

    assert abs(int(receiver.got[0].headers["webhook-timestamp"]) - right) < 30
    other.refresh_from_db()
    assert abs(other.next_attempt_at.timestamp() - right) < 30, "It is tried again in ten seconds."
