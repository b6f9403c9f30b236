"""What is told of an event: a message with a stable schema (docs/webhooks.md), or its sentence for Slack."""

import json
from typing import Any, cast
from uuid import uuid4

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from builds.models import AuditEntry, Build, Project
from deployments.models import CodePush
from webhooks.events import EVENT_LABELS, Event, find_live_change
from webhooks.models import Webhook


def make_message(event: Event, entry: AuditEntry, codepush: CodePush | None) -> dict[str, Any]:
    """Every key is always there; what an event says nothing of is null. No query: the entry was just written."""
    live = find_live_change(entry.action, entry.before, entry.after)
    return _make(event) | {
        "data": {
            "project": _describe_project(_project_of(entry)),
            "build": _describe_build(entry.build) if entry.build else None,
            "codepush": _describe_codepush(codepush) if codepush else None,
            "live": live._asdict() if live else None,
            "alert": entry.after.get("alert"),
            "change": _describe_change(entry),
            "actor": entry.actor_name,
            "reason": entry.reason,
            "url": _address_of(entry),
        }
    }


def make_test_message(webhook: Webhook, actor_name: str) -> dict[str, Any]:
    project = webhook.project
    data: dict[str, Any] = dict.fromkeys(("build", "codepush", "live", "alert", "change"))
    url = settings.PUBLIC_URL + reverse("webhook_detail", args=[project.slug, webhook.pk])
    told = {"project": _describe_project(project), "actor": actor_name, "reason": "", "url": url}
    return _make(Event.TEST) | {"data": data | told}


def write_body(message: dict[str, Any], message_format: str) -> str:
    """What is sent, in the webhook's format."""
    if message_format == Webhook.Format.SLACK:
        return json.dumps({"text": describe_for_slack(message)})
    return json.dumps(message)


def describe_for_slack(message: dict[str, Any]) -> str:
    """One or two lines, in which nothing that people wrote is markup."""
    data = message["data"]
    build, codepush, live = data["build"], data["codepush"], data["live"]
    where = [f"*{_escape(data['project']['name'])}*"]
    if build:
        where.append(f"{_escape(build['name'])} {build['build_target']}")
    if codepush:
        where.append(_escape(codepush["label"] or codepush["deployment_id"]))
    what = EVENT_LABELS[Event(message["type"])]
    if live and message["type"] == Event.LIVE_CHANGED:
        what += f": {live['after'] or 'none'}, before {live['before'] or 'none'}"
    notes = [data["alert"], codepush and codepush["failure_reason"], data["reason"]]
    line = f"{', '.join(where)}: {what}. By {_escape(data['actor'])}."
    link = f" <{data['url']}|Open>" if data["url"].startswith("http") else ""
    return "\n".join([line + link, *(_escape(note) for note in notes if note)])


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _make(event: Event) -> dict[str, Any]:
    return {
        "id": f"evt_{uuid4().hex}",
        "type": event.value,
        "timestamp": timezone.now().isoformat(timespec="milliseconds"),
    }


def _describe_project(project: Project) -> dict[str, Any]:
    return {"slug": project.slug, "name": project.name}


def _describe_build(build: Build) -> dict[str, Any]:
    return {
        "id": build.pk,
        "name": str(build),
        "platform": build.platform,
        "build_target": build.build_target,
        "store_version": build.store_version,
        "build_number": build.build_number,
        "status": build.status,
        "store_status": build.store_status,
        "is_force_updated": build.is_force_updated,
    }


def _describe_codepush(codepush: CodePush) -> dict[str, Any]:
    return {
        "deployment_id": codepush.deployment_id,
        "label": codepush.label or None,
        "status": codepush.status,
        "origin": codepush.origin,
        "description": codepush.description,
        "is_enabled": codepush.is_enabled,
        "is_mandatory": codepush.is_mandatory,
        "rollout_percent": codepush.rollout_percent,
        "failure_reason": codepush.failure_reason or None,
    }


def _describe_change(entry: AuditEntry) -> dict[str, Any] | None:
    """The request for approval that the entry tells of."""
    after = entry.after
    return {"id": after["request"], "kind": after["change"]} if "request" in after else None


def _address_of(entry: AuditEntry) -> str:
    """Of the page that shows it; a path when the server does not know its own address (PUBLIC_URL)."""
    if entry.build is None:
        return settings.PUBLIC_URL + reverse("project_detail", args=[_project_of(entry).slug])
    address = settings.PUBLIC_URL + reverse("build_detail", args=[_project_of(entry).slug, entry.build.pk])
    return f"{address}?deployment={entry.deployment_id}#{entry.deployment_id}" if entry.deployment_id else address


def _project_of(entry: AuditEntry) -> Project:
    # Entries without one are told to nobody (`outbox`).
    return cast(Project, entry.project)
