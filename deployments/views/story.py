"""The story of one CodePush: who did what to it, how it was processed, and when it was Live."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from builds.actors import name_person
from builds.audit_log import list_entries_about
from builds.formats import format_duration
from builds.models import AuditAction, AuditEntry
from builds.views.audit_words import Change, describe_changes
from deployments.models import CodePush
from deployments.policy.label import format_label
from deployments.policy.live_spans import LiveSpan
from deployments.release_history import load_release_history
from deployments.selectors import find_live_codepush
from deployments.views.access import get_codepush
from deployments.views.cards import find_state, list_steps

# More than anybody reads; the audit log has the rest.
_MAX_ENTRIES = 200
_BIRTHS = {AuditAction.CODEPUSH_CREATED, AuditAction.CODEPUSH_ROLLED_BACK, AuditAction.CODEPUSH_PROMOTED}
_TONES = {AuditAction.CODEPUSH_SUCCEEDED: "good", AuditAction.CODEPUSH_FAILED: "bad"}


@dataclass(frozen=True)
class Event:
    """Something that happened to it. `tone`: "good", "bad" or ""; `detail`: a sentence."""

    at: datetime
    name: str
    actor_name: str = ""
    detail: str = ""
    reason: str = ""
    tone: str = ""
    changes: list[Change] = field(default_factory=list)


@require_safe
@login_required
def show_story(request: HttpRequest, slug: str, build_id: int, deployment_id: str) -> HttpResponse:
    """A fixed number of queries, however much happened."""
    access, build, codepush = get_codepush(request.user, slug, build_id, deployment_id)
    entries = list(list_entries_about(build, deployment_id)[: _MAX_ENTRIES + 1])
    history, live = load_release_history(build), find_live_codepush(build)
    spans = history.spans_of(codepush.label_number or 0)
    context = {
        "access": access,
        "build": build,
        "codepush": codepush,
        "state": find_state(codepush, is_live=live is not None and live.pk == codepush.pk),
        "events": _tell(codepush, entries[:_MAX_ENTRIES], spans),
        "has_more": len(entries) > _MAX_ENTRIES,
        "steps": list_steps(codepush),
        "waited": _measure_wait(codepush),
        "live_for": history.measure_live(timezone.now()).get(codepush.label_number or 0),
        "is_live_now": any(span.until is None for span in spans),
    }
    return render(request, "deployments/story.html", context)


def _tell(codepush: CodePush, entries: list[AuditEntry], spans: Iterable[LiveSpan]) -> list[Event]:
    """Oldest first; what somebody did before what followed from it. `entries`: newest first."""
    events = [_read_entry(entry) for entry in reversed(entries)]
    if not any(entry.action in _BIRTHS for entry in entries):
        # Made before this log was kept, or so long ago that its entry is not among these.
        name = name_person(codepush.created_by) if codepush.created_by else ""
        events.append(Event(codepush.created_at, "CodePush created", name))
    events.extend(_read_spans(spans))
    return sorted(events, key=lambda event: event.at)


def _read_entry(entry: AuditEntry) -> Event:
    return Event(
        at=entry.created_at,
        name=entry.get_action_display(),
        actor_name=entry.actor_name,
        reason=entry.reason,
        tone=_TONES.get(AuditAction(entry.action), ""),
        changes=describe_changes(entry),
    )


def _read_spans(spans: Iterable[LiveSpan]) -> Iterator[Event]:
    """Its success tells that it became Live the first time."""
    for number, span in enumerate(spans):
        if number:
            yield Event(span.since, "Became Live again", tone="good")
        if span.until is not None:
            length = format_duration((span.until - span.since).total_seconds())
            followed = (
                f"{format_label(span.followed_by)} is Live from then on" if span.followed_by else "No update is Live"
            )
            yield Event(span.until, "No longer Live", detail=f"It was Live for {length}. {followed}.")


def _measure_wait(codepush: CodePush) -> timedelta | None:
    """How long it waited for a worker; None for what no worker had to process, or has not begun."""
    if codepush.source_id or codepush.started_at is None:
        return None
    return max(timedelta(), codepush.started_at - codepush.created_at)
