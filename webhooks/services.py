"""What admins do with webhooks. Each change is audited, without addresses beyond the host and without header values."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from builds import audit
from builds.actors import name_actor
from builds.cleaning import require_clean_fields
from builds.clock import read_clock
from builds.errors import InvalidInput, NotAllowedNow
from builds.models import AuditAction, Project
from webhooks import outbox, payload
from webhooks.events import SUBSCRIBABLE
from webhooks.guarded_http import is_public
from webhooks.models import Delivery, Webhook
from webhooks.signing import derive_secret, new_nonce

MAX_HEADERS = 20
MAX_HEADER_LENGTH = 2000
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
# What frames and signs the message is ours to say.
_OWN_HEADERS = {"host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection"} | {
    *("accept-encoding", "user-agent", "upgrade", "te", "trailer", "expect", "keep-alive", "proxy-connection")
}
_EDITABLE = ("name", "url", "format", "events", "extra_headers")


def create_webhook(
    project: Project,
    *,
    actor: User,
    name: str,
    url: str,
    events: Iterable[str],
    format: str = Webhook.Format.JSON,  # noqa: A002 (the name of the field)
    extra_headers: Mapping[str, str] | None = None,
) -> Webhook:
    """An active webhook that is told of these events from now on. Raises InvalidInput naming the field."""
    webhook = Webhook(project=project, name=name.strip(), url=url.strip(), format=format)
    webhook.events, webhook.extra_headers = _clean_events(events), _clean_headers(extra_headers or {})
    _check(webhook)
    with transaction.atomic():
        webhook.save()
        _record(AuditAction.WEBHOOK_CREATED, webhook, actor, after=_describe(webhook))
    return webhook


def edit_webhook(webhook_id: int, *, actor: User, **values: Any) -> Webhook:
    """The webhook has these values, also for what waits; fields that are not named stay as they are.

    What does not change anything is no entry. Raises InvalidInput naming the field, NotAllowedNow when it is deleted.
    """
    with transaction.atomic():
        webhook = _lock(webhook_id)
        old = {name: getattr(webhook, name) for name in _EDITABLE}
        before = _describe(webhook)
        if "events" in values:
            values["events"] = _clean_events(values["events"])
        if "extra_headers" in values:
            values["extra_headers"] = _clean_headers(values["extra_headers"])
        for name, value in values.items():
            setattr(webhook, name, value.strip() if isinstance(value, str) else value)
        _check(webhook)
        changed = [name for name in _EDITABLE if getattr(webhook, name) != old[name]]
        if changed:
            webhook.save(update_fields=changed)
            after = _describe(webhook)
            # A new path or header value is a change too, of which the log tells no more than that.
            _record(
                AuditAction.WEBHOOK_EDITED,
                webhook,
                actor,
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
            )
    return webhook


def pause_webhook(webhook_id: int, *, actor: User) -> Webhook:
    """Nothing is sent: what waits goes on waiting, and what happens meanwhile is not told later."""
    return _set_active(webhook_id, actor=actor, is_active=False)


def resume_webhook(webhook_id: int, *, actor: User) -> Webhook:
    """What waits is sent, and what happens from now on."""
    return _set_active(webhook_id, actor=actor, is_active=True)


def replace_secret(webhook_id: int, *, actor: User) -> str:
    """Another signing secret, for this person to see; from the next attempt on everything is signed with it."""
    with transaction.atomic():
        webhook = _lock(webhook_id)
        webhook.secret_nonce = new_nonce()
        webhook.save(update_fields=["secret_nonce"])
        _record(AuditAction.WEBHOOK_SECRET_REPLACED, webhook, actor)
    return derive_secret(webhook.secret_nonce)


def delete_webhook(webhook_id: int, *, actor: User) -> None:
    """The webhook is gone, with its deliveries, also those that wait."""
    with transaction.atomic():
        webhook = _lock(webhook_id)
        _record(AuditAction.WEBHOOK_DELETED, webhook, actor, before=_describe(webhook))
        webhook.delete()


def send_test(webhook_id: int, *, actor: User) -> Delivery:
    """A test message waits for a worker, and is tried once. Raises NotAllowedNow for a paused webhook."""
    with transaction.atomic():
        webhook = _lock(webhook_id)
        require_active(webhook)
        return outbox.write([(webhook, payload.make_test_message(webhook, name_actor(actor)))])[0]


def replay(delivery_id: int) -> Delivery:
    """The same message, with the same id, waits anew for a worker: another delivery, with a day of attempts of its own.

    Raises NotAllowedNow while it still waits, and for a paused webhook.
    """
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update(of=("self",)).select_related("webhook").get(pk=delivery_id)
        require_replayable(delivery)
        return Delivery.objects.create(
            webhook=delivery.webhook,
            message_id=delivery.message_id,
            event=delivery.event,
            body=delivery.body,
            replay_of=delivery,
        )


def require_active(webhook: Webhook) -> None:
    if not webhook.is_active:
        raise NotAllowedNow(f"{webhook} is paused. Resume it first.")


def require_replayable(delivery: Delivery) -> None:
    require_active(delivery.webhook)
    if delivery.status == Delivery.Status.WAITING:
        raise NotAllowedNow("This delivery still waits for its next attempt. There is nothing to replay yet.")


def _set_active(webhook_id: int, *, actor: User, is_active: bool) -> Webhook:
    with transaction.atomic():
        webhook = _lock(webhook_id)
        if webhook.is_active != is_active:
            webhook.is_active, webhook.pause_reason = is_active, ""
            if is_active:
                webhook.active_since = read_clock()
            webhook.save(update_fields=["is_active", "pause_reason", "active_since"])
            _record(AuditAction.WEBHOOK_RESUMED if is_active else AuditAction.WEBHOOK_PAUSED, webhook, actor)
    return webhook


def _lock(webhook_id: int) -> Webhook:
    """Raises NotAllowedNow when somebody deleted it meanwhile."""
    found = Webhook.objects.select_for_update(of=("self",)).select_related("project").filter(pk=webhook_id).first()
    if found is None:
        raise NotAllowedNow("This webhook was deleted meanwhile.")
    return found


def _record(
    action: AuditAction,
    webhook: Webhook,
    actor: User,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    told = {"webhook": webhook.name} | (after or {})
    audit.record(action, actor=actor, project=webhook.project, before=before, after=told)


def _describe(webhook: Webhook) -> dict[str, Any]:
    return {
        "name": webhook.name,
        "url": webhook.host,
        "format": webhook.get_format_display(),
        "events": webhook.event_labels,
        "extra_headers": sorted(webhook.extra_headers),
    }


def _check(webhook: Webhook) -> None:
    if not webhook.name:
        raise InvalidInput("The name is empty. Give the webhook one.", field="name")
    require_clean_fields(webhook, ("name", "url", "format"))
    check_url(webhook.url)


def check_url(url: str) -> None:
    """Raises InvalidInput for what is no address of a receiver. Where a name leads is checked when it is sent to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as failure:
        raise InvalidInput(
            f"{url!r} is not an address. Write one such as https://example.com/hook.", field="url"
        ) from failure
    if parts.scheme not in ("http", "https") or not host or port == 0 or not re.fullmatch(r"[\x21-\x7e]+", url):
        raise InvalidInput(f"{url!r} is not an address. Write one such as https://example.com/hook.", field="url")
    if "@" in parts.netloc:
        raise InvalidInput("The address holds a user name or password. Send them in a header instead.", field="url")
    try:
        is_refused = not settings.WEBHOOKS_TO_PRIVATE_ADDRESSES and not is_public(str(ipaddress.ip_address(host)))
    except ValueError:
        is_refused = False
    if is_refused:
        raise InvalidInput(f"{host} is not a public address; this server sends to those only.", field="url")


def _clean_events(events: Iterable[str]) -> list[str]:
    wanted = set(events)
    unknown = wanted - set(SUBSCRIBABLE)
    if unknown:
        raise InvalidInput(f"{min(unknown)!r} is not an event. Use one of {', '.join(SUBSCRIBABLE)}.", field="events")
    if not wanted:
        raise InvalidInput("No event is chosen. Choose at least one.", field="events")
    return [event.value for event in SUBSCRIBABLE if event in wanted]


def _clean_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Names in small letters. Nothing that could begin another header, or take the place of one of ours."""
    if len(headers) > MAX_HEADERS:
        raise InvalidInput(f"There are {len(headers)} headers; use at most {MAX_HEADERS}.", field="extra_headers")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidInput(f"{name!r} is not the name of a header.", field="extra_headers")
        if name.lower() in _OWN_HEADERS or name.lower().startswith("webhook-"):
            raise InvalidInput(f"{name} is set by this server. Remove it.", field="extra_headers")
        if not _HEADER_VALUE.fullmatch(value) or len(value) > MAX_HEADER_LENGTH:
            raise InvalidInput(
                f"The value of {name} is not plain text of at most {MAX_HEADER_LENGTH:,} characters on one line.",
                field="extra_headers",
            )
    return {name.lower(): value.strip() for name, value in headers.items()}
