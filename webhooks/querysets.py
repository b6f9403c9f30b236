"""Filters of deliveries: what "due" means stands here and nowhere else."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import models

if TYPE_CHECKING:
    from webhooks.models import Delivery  # noqa: F401 (named in a string)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, now: datetime) -> Self:
        """Waiting for a worker now. Those of a paused webhook wait until it is resumed."""
        active = apps.get_model("webhooks", "Webhook").objects.filter(is_active=True)
        # Not by a join: the conditions of a claim must be on the row that it locks.
        return self.filter(status="waiting", next_attempt_at__lte=now, webhook_id__in=active.values("pk"))
