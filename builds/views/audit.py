"""The audit log: who did what, across the projects of a person; as a page and as a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from builds import audit_log, selectors
from builds.csv_export import stream_csv
from builds.forms import AuditFilterForm
from builds.models import AuditEntry, Project
from builds.paging import PAGE_SIZE
from builds.querysets import AuditEntryQuerySet
from builds.views.audit_words import Change, describe_changes
from deployments.listings import read_deployment_id
from deployments.views.addresses import build_url, card_url

_CSV_HEADER = ("time", "who", "what", "project", "build", "deployment_id", "changes", "reason")
# Read and written so many at a time: a file of millions never sits in memory.
_CSV_CHUNK = 2000


@dataclass(frozen=True)
class AuditRow:
    """One entry, with its changes in words and the page of what it is about."""

    entry: AuditEntry
    changes: list[Change]

    @property
    def project(self) -> Project:
        # The page lists entries of projects.
        return cast(Project, self.entry.project)

    @property
    def url(self) -> str:
        entry = self.entry
        if entry.build is None:
            return reverse("project_detail", args=[self.project.slug])
        return card_url(entry.build, entry.deployment_id) if entry.deployment_id else build_url(entry.build)


@require_safe
@login_required
def list_entries(request: HttpRequest) -> HttpResponse:
    """Pages begin after an entry: no page counts or skips millions. Three queries."""
    filters, entries = _find(request)
    after = selectors.read_build_id(request.GET.get("after", ""))
    found = list((entries if after is None else entries.filter(pk__lt=after))[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    context = {
        "rows": [AuditRow(entry, describe_changes(entry)) for entry in shown],
        "after": after,
        "next_after": shown[-1].pk if len(found) > PAGE_SIZE else None,
        "filters": filters,
    }
    return render(request, "builds/audit.html", context)


@require_safe
@login_required
def export_entries(request: HttpRequest) -> StreamingHttpResponse:
    """The same entries as on the page, all of them, as they are read."""
    _, entries = _find(request)
    return stream_csv("audit-log.csv", _CSV_HEADER, _iter_cells(entries))


def _find(request: HttpRequest) -> tuple[AuditFilterForm, AuditEntryQuerySet]:
    """Two queries: projects and their members."""
    projects = list(selectors.list_projects(request.user))
    members = list(audit_log.list_members(projects))
    filters = AuditFilterForm(request.GET, projects=projects, people=members)
    chosen: dict[str, Any] = filters.chosen
    q = chosen.pop("q")
    wanted: dict[str, Any] = {"deployment_id": read_deployment_id(q), "build_id": selectors.read_build_id(q)}
    entries = audit_log.list_entries(projects, members, **chosen, **wanted)
    # A text that can be neither ID names nothing.
    return filters, entries.none() if q and not any(wanted.values()) else entries


def _iter_cells(entries: AuditEntryQuerySet) -> Iterator[list[str]]:
    for entry in entries.iterator(chunk_size=_CSV_CHUNK):
        yield [
            entry.created_at.isoformat(timespec="seconds"),
            entry.actor_name,
            entry.get_action_display(),
            str(entry.project),
            str(entry.build or ""),
            entry.deployment_id,
            "; ".join(_write(change) for change in describe_changes(entry)),
            entry.reason,
        ]


def _write(change: Change) -> str:
    return f"{change.field}: {' → '.join(value for value in (change.before, change.after) if value)}"
