"""What admins may enter, and what the log says of it."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditEntry, Project
from tests.factories import DeliveryFactory, WebhookFactory
from webhooks import services
from webhooks.models import Delivery, Webhook
from webhooks.signing import derive_secret

GOOD: dict[str, Any] = {"name": "Chat", "url": "https://hooks.example.com/T0/secret", "events": ["live.changed"]}


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"name": "  "}, "name", "The name is empty"),
        ({"name": "x" * 101}, "name", "at most 100"),
        ({"url": "hooks.example.com"}, "url", "is not an address"),
        ({"url": "ftp://hooks.example.com/"}, "url", "is not an address"),
        ({"url": "https:///path"}, "url", "is not an address"),
        ({"url": "https://host:99999/"}, "url", "is not an address"),
        ({"url": "https://[::1/"}, "url", "is not an address"),
        ({"url": "https://host/\r\nX: 1"}, "url", "is not an address"),
        ({"url": "https://bücher.example/"}, "url", "is not an address"),
        ({"url": "https://me:pw@host/"}, "url", "holds a user name or password"),
        ({"url": "http://127.0.0.1/"}, "url", "127.0.0.1 is not a public address"),
        ({"url": "http://[::ffff:10.0.0.1]/"}, "url", "is not a public address"),
        ({"url": "http://169.254.169.254/latest/meta-data/"}, "url", "is not a public address"),
        ({"events": []}, "events", "No event is chosen"),
        ({"events": ["live.changed", "all"]}, "events", "'all' is not an event"),
        ({"events": ["webhook.test"]}, "events", "is not an event"),
        ({"format": "xml"}, "format", "xml"),
        ({"extra_headers": {"X-A": "1\r\nX-B: 2"}}, "extra_headers", "plain text"),
        ({"extra_headers": {"X-A": "1\n"}}, "extra_headers", "plain text"),
        ({"extra_headers": {"X-A\r\nX-B": "1"}}, "extra_headers", "is not the name of a header"),
        ({"extra_headers": {"X A": "1"}}, "extra_headers", "is not the name of a header"),
        ({"extra_headers": {"": "1"}}, "extra_headers", "is not the name of a header"),
        ({"extra_headers": {"X-A": "é"}}, "extra_headers", "plain text"),
        ({"extra_headers": {"Host": "inside"}}, "extra_headers", "is set by this server"),
        ({"extra_headers": {"transfer-encoding": "chunked"}}, "extra_headers", "is set by this server"),
        ({"extra_headers": {"Webhook-Signature": "v1,x"}}, "extra_headers", "is set by this server"),
        ({"extra_headers": {f"X-{n}": "" for n in range(21)}}, "extra_headers", "21 headers"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name(
    project: Project, owner: User, values: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        services.create_webhook(project, actor=owner, **(GOOD | values))
    assert (refusal.value.field, words in refusal.value.message) == (field, True), refusal.value.message
    assert (Webhook.objects.count(), AuditEntry.objects.count()) == (0, 0)


def test_private_addresses_may_be_allowed(project: Project, owner: User, settings: Settings) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    webhook = services.create_webhook(project, actor=owner, **(GOOD | {"url": "http://10.0.0.7/hook"}))
    assert webhook.is_active


def test_the_log_tells_every_change_and_no_secret(project: Project, owner: User) -> None:
    webhook = services.create_webhook(project, actor=owner, **GOOD, extra_headers={"Authorization": "Bearer s3cret"})
    values = GOOD | {"url": "https://other.example.com/T0/secret", "extra_headers": {"Authorization": "Bearer s3cret2"}}
    services.edit_webhook(webhook.pk, actor=owner, **values)
    services.edit_webhook(webhook.pk, actor=owner, **values)
    services.pause_webhook(webhook.pk, actor=owner)
    services.pause_webhook(webhook.pk, actor=owner)
    services.resume_webhook(webhook.pk, actor=owner)
    secret = services.replace_secret(webhook.pk, actor=owner)
    services.delete_webhook(webhook.pk, actor=owner)

    entries = AuditEntry.objects.order_by("pk")
    assert [entry.action.removeprefix("webhook.") for entry in entries] == [
        *("created", "edited", "paused", "resumed", "secret_replaced", "deleted")
    ]
    log = json.dumps([[entry.before, entry.after, entry.reason] for entry in entries])
    assert [word for word in ("s3cret", "T0", secret) if word in log] == []
    edited = entries[1]
    assert (edited.before["url"], edited.after["url"]) == ("hooks.example.com", "other.example.com")


def test_another_secret_is_another_secret(project: Project, owner: User) -> None:
    webhook = services.create_webhook(project, actor=owner, **GOOD)
    first = derive_secret(webhook.secret_nonce)
    assert first != derive_secret(WebhookFactory().secret_nonce)
    assert services.replace_secret(webhook.pk, actor=owner) != first


def test_a_replay_is_the_same_message(project: Project) -> None:
    done = DeliveryFactory(webhook__project=project, status="given_up", next_attempt_at=None, attempt_count=14)
    again = services.replay(done.pk)
    assert (again.message_id, again.body, again.event) == (done.message_id, done.body, done.event)
    assert (again.replay_of, again.status, again.attempt_count) == (done, "waiting", 0)


def test_what_waits_and_what_is_paused_is_not_replayed_or_tested(project: Project, owner: User) -> None:
    waiting = DeliveryFactory(webhook__project=project)
    with pytest.raises(NotAllowedNow, match="still waits"):
        services.replay(waiting.pk)
    services.pause_webhook(waiting.webhook_id, actor=owner)
    with pytest.raises(NotAllowedNow, match="is paused"):
        services.send_test(waiting.webhook_id, actor=owner)
    Delivery.objects.update(status="given_up", next_attempt_at=None)
    with pytest.raises(NotAllowedNow, match="is paused"):
        services.replay(waiting.pk)
    assert Delivery.objects.count() == 1
