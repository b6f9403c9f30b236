"""The message of docs/webhooks.md is the one that is sent."""

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from builds.models import Build
from deployments.services.republishing import roll_back
from tests.deployments.stories import history
from tests.factories import WebhookFactory
from webhooks.events import SUBSCRIBABLE
from webhooks.models import Delivery

DOCS = (settings.BASE_DIR / "docs" / "webhooks.md").read_text()


@pytest.fixture
def message(build: Build, owner: User, settings: Settings) -> dict[str, Any]:
    settings.PUBLIC_URL = "https://codepush.example"
    WebhookFactory(project=build.project, events=["live.changed"])
    *_, live = history(build, 2)
    roll_back(live.pk, to_label="v1", actor=owner, reason="Checkout crashes")
    sent: dict[str, Any] = json.loads(Delivery.objects.get().body)
    return sent


def test_the_example_is_what_is_sent(message: dict[str, Any]) -> None:
    # What differs each time.
    build_id, deployment_id = message["data"]["build"]["id"], message["data"]["codepush"]["deployment_id"]
    sent = json.dumps(message, indent=2, ensure_ascii=False)
    for each, shown in (
        (message["id"], "evt_4f0c9a6be1d24c0b8b0f3a7d5e6c1f20"),
        (message["timestamp"], "2026-11-24T09:30:00.000+00:00"),
        (deployment_id, "dpl_EXAMPLE"),
        (f"#{build_id}", "#12"),
        (f"/builds/{build_id}/", "/builds/12/"),
        (f'"id": {build_id},', '"id": 12,'),
    ):
        sent = sent.replace(each, shown)
    examples = re.findall(r"```json\n(.*?)\n```", DOCS, re.DOTALL)
    assert examples == [sent]


def test_every_event_is_explained() -> None:
    assert [event.value for event in SUBSCRIBABLE if f"`{event.value}`" not in DOCS] == []
