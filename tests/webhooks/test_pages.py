"""/projects/<slug>/settings/webhooks/: who sees what, and what the forms do."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from builds.models import Project
from tests.deployments.pages import AsUser, assert_refused, text_of
from tests.factories import DeliveryFactory, WebhookFactory
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.signing import derive_secret

URL = "/projects/northwind-outdoor/settings/webhooks/"
FORM = {
    "name": "Release channel",
    "url": "https://hooks.example.com/T0/secret",
    "format": "json",
    "events": ["live.changed", "codepush.failed"],
    "extra_headers": "Authorization: Bearer a:b\r\n\r\nX-Team: mobile",
}


@pytest.fixture
def webhook(project: Project) -> Webhook:
    webhook: Webhook = WebhookFactory(project=project, extra_headers={"authorization": "Bearer t0ken"})
    return webhook


def _attempt(delivery: Delivery, **values: Any) -> Attempt:
    given = {"url": delivery.webhook.url, "started_at": timezone.now(), "duration_ms": 12, "status_code": 200}
    return Attempt.objects.create(delivery=delivery, **(given | values))


def test_a_webhook_is_made_and_its_secret_shown_once(as_user: AsUser, owner: User, project: Project) -> None:
    client = as_user(owner)
    assert "No webhooks yet." in text_of(client.get(URL))
    answer = client.post(f"{URL}new/", FORM)
    webhook = Webhook.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{URL}{webhook.pk}/")
    assert webhook.extra_headers == {"authorization": "Bearer a:b", "x-team": "mobile"}
    assert webhook.events == ["codepush.failed", "live.changed"]
    secret = derive_secret(webhook.secret_nonce)
    first = client.get(f"{URL}{webhook.pk}/")
    assert secret in text_of(first)
    assert "no-store" in first.headers["Cache-Control"]
    assert "whsec_" not in text_of(client.get(f"{URL}{webhook.pk}/"))
    client.post(f"{URL}{webhook.pk}/secret/")
    webhook.refresh_from_db()
    assert derive_secret(webhook.secret_nonce) != secret
    assert derive_secret(webhook.secret_nonce) in text_of(client.get(f"{URL}{webhook.pk}/"))


def test_input_that_cannot_be_taken_is_kept_and_explained(as_user: AsUser, owner: User) -> None:
    client = as_user(owner)
    answer = client.post(f"{URL}new/", FORM | {"url": "http://localhost:1/ x"})
    assert_refused(answer, 422, "is not an address.")
    page = text_of(answer)
    assert 'value="Release channel"' in page
    assert re.search(r'value="live.changed"[^>]* checked', page)
    assert "X-Team: mobile" in page
    assert_refused(client.post(f"{URL}new/", FORM | {"events": []}), 422, "No event is chosen.")
    assert_refused(client.post(f"{URL}new/", FORM | {"extra_headers": "nonsense"}), 422, "'nonsense' is no header.")
    twice = FORM | {"extra_headers": "X-A: 1\nx-a: 2"}
    assert_refused(client.post(f"{URL}new/", twice), 422, "x-a is there twice.")
    assert not Webhook.objects.exists()


def test_a_webhook_is_edited_paused_resumed_and_deleted(as_user: AsUser, owner: User, webhook: Webhook) -> None:
    client, one = as_user(owner), f"{URL}{webhook.pk}/"
    page = text_of(client.get(f"{one}edit/"))
    assert "authorization: Bearer t0ken" in page
    client.post(f"{one}edit/", FORM)
    assert "Release channel is saved." in text_of(client.get(one))
    DeliveryFactory(webhook=webhook)
    assert "1 waiting message will be sent when it is resumed." in text_of(client.get(f"{one}pause/"))
    client.post(f"{one}pause/")
    assert "Nothing is sent" in text_of(client.get(one))
    assert_refused(client.get(f"{one}test/"), 409, "is paused. Resume it first.")
    client.post(f"{one}resume/")
    assert "Nothing is sent" not in text_of(client.get(one))
    answer = client.post(f"{one}delete/")
    assert answer.headers["Location"] == URL
    assert "Release channel is deleted." in text_of(client.get(URL))
    assert client.get(one).status_code == 404


def test_a_test_is_sent_and_a_delivery_replayed(as_user: AsUser, owner: User, webhook: Webhook) -> None:
    client, one = as_user(owner), f"{URL}{webhook.pk}/"
    answer = client.post(f"{one}test/")
    delivery = Delivery.objects.get()
    address = f"{one}deliveries/{delivery.pk}/"
    assert answer.headers["Location"] == address
    assert json.loads(delivery.body)["data"]["actor"] == "Olga Kaya"
    assert "Not sent yet." in text_of(client.get(address))
    assert_refused(client.post(f"{address}replay/"), 409, "still waits for its next attempt")
    Delivery.objects.update(status="given_up", next_attempt_at=None)
    answer = client.post(f"{address}replay/")
    assert answer.headers["Location"] == f"{one}deliveries/{Delivery.objects.latest('pk').pk}/"
    assert "Replay of" in text_of(client.get(answer.headers["Location"]))


@pytest.mark.parametrize("who", ["viewer", "release_manager"])
def test_members_read_everything_but_secrets(
    as_user: AsUser, viewer: User, release_manager: User, webhook: Webhook, who: str
) -> None:
    client = as_user({"viewer": viewer, "release_manager": release_manager}[who])
    delivery = DeliveryFactory(webhook=webhook)
    _attempt(delivery, request_headers={"authorization": "(hidden)"})
    pages = [
        client.get(address) for address in (URL, f"{URL}{webhook.pk}/", f"{URL}{webhook.pk}/deliveries/{delivery.pk}/")
    ]
    text = "".join(text_of(page) for page in pages)
    assert text.count("hooks.example.com") >= 3
    assert [word for word in ("secret-path", "t0ken", "whsec_", "Replay", "/edit/", "/pause/") if word in text] == []


def test_what_came_back_is_shown_as_text(as_user: AsUser, owner: User, webhook: Webhook) -> None:
    evil = "<script>alert(1)</script>"
    delivery = DeliveryFactory(webhook=webhook, status="delivered", next_attempt_at=None, body=json.dumps({"a": evil}))
    _attempt(delivery, response_body=evil, response_headers={"x-evil": evil}, error=evil)
    for address in (f"{URL}{webhook.pk}/", f"{URL}{webhook.pk}/deliveries/{delivery.pk}/"):
        page = as_user(owner).get(address).content.decode()
        assert evil not in page
        assert "&lt;script&gt;alert(1)" in page


def test_a_pause_by_the_server_is_seen_on_every_page_above(as_user: AsUser, viewer: User, webhook: Webhook) -> None:
    Webhook.objects.update(is_active=False, pause_reason="Nothing was delivered for a day.")
    client = as_user(viewer)
    assert "1 webhook paused by the server" in text_of(client.get("/projects/northwind-outdoor/settings/"))
    assert "Paused after failures" in text_of(client.get(URL))
    assert "Nothing was delivered for a day." in text_of(client.get(f"{URL}{webhook.pk}/"))


def test_deliveries_are_filtered(as_user: AsUser, viewer: User, webhook: Webhook) -> None:
    client, one = as_user(viewer), f"{URL}{webhook.pk}/"
    assert "Nothing was sent yet." in text_of(client.get(one))
    DeliveryFactory(webhook=webhook)
    DeliveryFactory(webhook=webhook, event="build.failed", status="delivered", next_attempt_at=None)

    def rows(query: str) -> int:
        return text_of(client.get(f"{one}?{query}")).count('class="row-link"')

    counts = [rows(query) for query in ("", "status=waiting", "event=build.failed", "status=given_up", "status=odd")]
    assert counts == [2, 1, 1, 0, 2]
    assert "No deliveries match." in text_of(client.get(f"{one}?status=given_up"))


@pytest.mark.parametrize("count", [1, 30])
def test_pages_cost_a_fixed_number_of_queries(
    as_user: AsUser, owner: User, webhook: Webhook, count: int, django_assert_num_queries: Any
) -> None:
    WebhookFactory.create_batch(count, project=webhook.project)
    deliveries = DeliveryFactory.create_batch(count, webhook=webhook)
    for _ in range(count):
        _attempt(deliveries[0], started_at=timezone.now() - timedelta(minutes=1))
    client = as_user(owner)
    # Session, user, membership with project; webhooks with their last delivery; what runs, for the header.
    with django_assert_num_queries(5):
        client.get(URL)
    # Besides: the webhook; how many deliveries, and those of the page.
    with django_assert_num_queries(7):
        client.get(f"{URL}{webhook.pk}/")
    # Besides: the webhook, the delivery, its attempts.
    with django_assert_num_queries(7):
        client.get(f"{URL}{webhook.pk}/deliveries/{deliveries[0].pk}/")
