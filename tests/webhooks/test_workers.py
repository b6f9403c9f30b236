"""Several workers, and workers that die: each message arrives, and twice only when nobody could know that it had."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from tests.deployments.test_concurrency import at_once
from tests.factories import DeliveryFactory
from tests.webhooks.receiver import Receiver
from webhooks.deliveries import attempt_delivery, list_due_ids
from webhooks.models import Attempt, Delivery, Webhook

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delivery(webhook: Webhook) -> Delivery:
    delivery: Delivery = DeliveryFactory(webhook=webhook)
    return delivery


def _start_worker(delivery: Delivery, place: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.webhooks.killed_worker", place, str(delivery.pk)],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "TEST_DATABASE": str(connection.settings_dict["NAME"]),
            "WEBHOOKS_TO_PRIVATE_ADDRESSES": "1",
        },
        stderr=subprocess.PIPE,
        text=True,
    )


def test_of_several_workers_one_sends_it(delivery: Delivery, receiver: Receiver) -> None:
    at_once(*[lambda: attempt_delivery(delivery.pk)] * 5)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count, len(receiver.got)) == ("delivered", 1, 1)


def test_of_two_worker_processes_one_sends_it(delivery: Delivery, receiver: Receiver) -> None:
    for worker in [_start_worker(delivery, "none") for _ in range(2)]:
        _, errors = worker.communicate(timeout=60)
        assert worker.returncode == 0, errors

    assert (len(receiver.got), Attempt.objects.count()) == (1, 1)


@pytest.mark.parametrize(("place", "sent"), [("before sending", 0), ("after", 1)])
def test_what_a_killed_worker_had_is_sent_by_another(
    delivery: Delivery, receiver: Receiver, place: str, sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = _start_worker(delivery, place)
    _, errors = worker.communicate(timeout=60)
    assert worker.returncode == -signal.SIGKILL, errors
    assert (len(receiver.got), list_due_ids()) == (sent, [])

    # As after the lease.
    Delivery.objects.update(next_attempt_at=timezone.now())
    for delivery_id in list_due_ids():
        attempt_delivery(delivery_id)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count, len(receiver.got)) == ("delivered", 2, sent + 1)
    assert {got.headers["webhook-id"] for got in receiver.got} == {delivery.message_id}
