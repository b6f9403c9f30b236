import factory
from factory.django import DjangoModelFactory

from tests.factories.builds import ProjectFactory
from webhooks.events import SUBSCRIBABLE
from webhooks.models import Delivery, Webhook


class WebhookFactory(DjangoModelFactory[Webhook]):
    """Follows everything."""

    class Meta:
        model = Webhook

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"Chat {n}")
    url = "https://hooks.example.com/services/secret-path"
    events = [event.value for event in SUBSCRIBABLE]


class DeliveryFactory(DjangoModelFactory[Delivery]):
    """Waits."""

    class Meta:
        model = Delivery

    webhook = factory.SubFactory(WebhookFactory)
    message_id = factory.Sequence(lambda n: f"evt_{n}")
    event = "live.changed"
    body = '{"type": "live.changed"}'
