"""A webhook in a browser: made, tried, looked at, paused by the server, resumed."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from builds.models import Build
from deployments.services.republishing import roll_back
from tests.browser.people import sign_in
from tests.browser.screens import look_at
from tests.deployments.stories import history
from tests.factories import WebhookFactory
from tests.webhooks.receiver import Receiver, listening
from webhooks.deliveries import attempt_delivery, list_due_ids
from webhooks.models import Webhook

URL = "/projects/northwind-outdoor/settings/"


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    with listening() as receiver:
        yield receiver


def _work() -> None:
    for delivery_id in list_due_ids():
        attempt_delivery(delivery_id)


def test_from_an_empty_list_to_a_replay(
    page: Page, complaints: list[str], live_server: LiveServer, owner: User, build: Build, receiver: Receiver
) -> None:
    sign_in(page, live_server, owner, at=URL)
    page.get_by_role("link", name="Open webhooks").click()
    look_at(page, "webhooks-none")
    page.get_by_role("link", name="New webhook").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Release channel")
    dialog.get_by_label("URL").fill(receiver.url)
    dialog.get_by_label("Live changed").check()
    dialog.get_by_label("Rolled back").check()
    dialog.get_by_label("Extra headers").fill("Authorization: Bearer secret")
    look_at(page, "webhook-new")
    dialog.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_text("whsec_")).to_be_visible()
    look_at(page, "webhook-secret")
    page.get_by_role("link", name="Send test").first.click()
    dialog.get_by_role("button", name="Send test").click()
    expect(page.get_by_text("Not sent yet.")).to_be_visible()
    _work()
    page.reload()
    expect(page.get_by_text("Attempt 1: answered 200.")).to_be_visible()
    *_, live = history(build, 2)
    receiver.status, receiver.body = 500, b'{"error": "no such channel"}'
    roll_back(live.pk, to_label="v1", actor=owner)
    _work()
    page.get_by_role("link", name="Release channel").click()
    look_at(page, "webhook")
    page.get_by_role("link", name="Live changed").click()
    expect(page.get_by_text("Attempt 1: Answered 500.")).to_be_visible()
    look_at(page, "webhook-delivery")
    assert complaints == []


def test_a_paused_one_is_seen_from_the_settings_on(
    page: Page, complaints: list[str], live_server: LiveServer, owner: User, build: Build
) -> None:
    WebhookFactory(project=build.project, name="Dashboard")
    WebhookFactory(project=build.project, name="Old chat")
    Webhook.objects.filter(name="Old chat").update(
        is_active=False, pause_reason="Nothing was delivered for a day. The last attempt: Answered 404."
    )
    sign_in(page, live_server, owner, at=URL)
    look_at(page, "settings-with-webhooks")
    page.get_by_role("link", name="Open webhooks").click()
    look_at(page, "webhooks")
    page.get_by_role("link", name="Old chat").click()
    look_at(page, "webhook-paused")
    page.get_by_role("link", name="Resume").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume webhook").click()
    expect(page.get_by_text("Old chat is active again.")).to_be_visible()
    assert complaints == []
