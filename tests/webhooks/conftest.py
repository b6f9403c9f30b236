from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from builds.models import Project
from tests.factories import WebhookFactory
from tests.webhooks.receiver import Receiver, listening
from webhooks.models import Webhook


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    with listening() as receiver:
        yield receiver


@pytest.fixture
def webhook(project: Project, receiver: Receiver) -> Webhook:
    """Follows everything, and leads to the receiver."""
    webhook: Webhook = WebhookFactory(project=project, name="Chat", url=receiver.url)
    return webhook
