"""What the database refuses, whoever writes."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.factories import DeliveryFactory, WebhookFactory
from webhooks.models import Delivery, Webhook

REFUSED: dict[str, tuple[type[Webhook | Delivery], dict[str, Any]]] = {
    "an_active_webhook_has_no_pause_reason": (Webhook, {"pause_reason": "Failed"}),
    "webhook_format_is_known": (Webhook, {"format": "xml"}),
    "exactly_waiting_deliveries_have_a_next_attempt": (Delivery, {"next_attempt_at": None}),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", REFUSED)
def test_a_constraint_refuses(name: str) -> None:
    model, values = REFUSED[name]
    row = WebhookFactory() if model is Webhook else DeliveryFactory()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        model._default_manager.filter(pk=row.pk).update(**values)


def test_every_constraint_is_tried() -> None:
    assert {constraint.name for model in (Webhook, Delivery) for constraint in model._meta.constraints} == set(REFUSED)
