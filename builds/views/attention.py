"""What needs attention in all projects of a person, in words, each with the card it is about."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils import timezone

from builds.audit_log import list_turned_off
from builds.models import AuditEntry, Build, Project
from deployments.listings import list_live, list_unanswered_failures, list_waiting_changes
from deployments.models import ChangeRequest, CodePush
from deployments.policy.attention import name_update
from deployments.services.waiting import name_requester
from deployments.views.addresses import build_url, card_url
from deployments.views.waiting import describe_request
from metrics.attention import find_attention

# A failure that nobody answered for so long was left on purpose.
FAILURES_SHOWN_FOR = timedelta(days=14)
# Who turns the second person off can release alone: everybody is told, for so long.
UNGUARDED_SHOWN_FOR = timedelta(days=7)


class Kind(StrEnum):
    """Most urgent first."""

    OUTLIER = "outlier"
    UNGUARDED = "unguarded"
    WAITING = "waiting"
    FAILED = "failed"
    STALLED = "stalled"


@dataclass(frozen=True)
class Item:
    """One thing and why somebody should look at it. `build`: None where it is about the whole project."""

    kind: Kind
    sentence: str
    project: Project
    build: Build | None
    url: str
    at: datetime


def list_items(user: User | AnonymousUser) -> list[Item]:
    """Most urgent first, and of one kind the newest. At most eight queries, however many projects and updates."""
    now = timezone.now()
    live = {codepush.pk: codepush for codepush in list_live(user)}
    items = [
        _make_item(
            Kind.OUTLIER if found.is_outlier else Kind.STALLED, live[pk], name_update(found.sentence, live[pk].label)
        )
        for pk, found in find_attention(live.values()).items()
    ]
    items += [
        _make_item(Kind.FAILED, failed, f"CodePush failed: {failed.failure_reason}")
        for failed in list_unanswered_failures(user, since=now - FAILURES_SHOWN_FOR)
    ]
    items += [_tell_waiting(request) for request in list_waiting_changes(user)]
    items += [_tell_unguarded(entry) for entry in list_turned_off(user, since=now - UNGUARDED_SHOWN_FOR)]
    return sorted(items, key=lambda item: (list(Kind).index(item.kind), now - item.at))


def _make_item(kind: Kind, codepush: CodePush, sentence: str) -> Item:
    build = codepush.build
    url = card_url(build, codepush.deployment_id)
    return Item(kind, sentence, build.project, build, url, codepush.finished_at or codepush.created_at)


def _tell_waiting(request: ChangeRequest) -> Item:
    build, codepush = request.build, request.codepush
    url = card_url(build, codepush.deployment_id) if codepush else build_url(build)
    sentence = f"Waiting for approval: {describe_request(request)}. Asked for by {name_requester(request)}."
    return Item(Kind.WAITING, sentence, build.project, build, url, request.requested_at)


def _tell_unguarded(entry: AuditEntry) -> Item:
    sentence = f"Production needs no second person any more: turned off by {entry.actor_name}. {entry.reason}"
    # What is turned off is so in a project.
    project = cast(Project, entry.project)
    url = reverse("project_settings", args=[project.slug])
    return Item(Kind.UNGUARDED, sentence, project, None, url, entry.created_at)
