"""Every CodePush of a person's projects: what is under way, then the newest; and the fragment that keeps it fresh."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from builds.models import Platform
from builds.paging import get_page
from builds.selectors import list_project_revisions
from deployments import listings
from deployments.forms import DeploymentFilterForm
from deployments.models import CodePush
from deployments.querysets import CodePushQuerySet
from deployments.selectors import list_progress
from deployments.views.cards import find_state
from deployments.views.polling import POLL_BUSY, POLL_IDLE, answer_poll, end_session, make_tag


@dataclass(frozen=True)
class DeploymentRow:
    """One CodePush, with the state whose tag it wears."""

    codepush: CodePush
    state: str


def make_rows(codepushes: CodePushQuerySet) -> list[DeploymentRow]:
    """One query. Unfinished ones need no `is_live`: what has not succeeded is not Live."""
    return [DeploymentRow(each, find_state(each, is_live=getattr(each, "is_live", False))) for each in codepushes]


@require_safe
@login_required
def list_deployments(request: HttpRequest) -> HttpResponse:
    return render(request, "deployments/deployments.html", _describe(request, _make_tag(request)))


@require_safe
def show_rows(request: HttpRequest) -> HttpResponse:
    """What open pages poll: two small queries as long as nothing has changed."""
    if not request.user.is_authenticated:
        return end_session()
    tag = _make_tag(request)
    return answer_poll(
        request, tag, lambda: render(request, "deployments/_deployments_refresh.html", _describe(request, tag))
    )


def _make_tag(request: HttpRequest) -> str:
    revisions = list_project_revisions(request.user)
    return make_tag(request, revisions, list_progress(listings.list_visible(request.user)))


def _describe(request: HttpRequest, tag: str) -> dict[str, Any]:
    """Three queries: what is under way; count and page of the others."""
    filters = DeploymentFilterForm(request.GET)
    running = make_rows(listings.list_running(request.user, **filters.chosen))
    page: Page[Any] = get_page(listings.list_finished(request.user, **filters.chosen), request.GET.get("page"))
    page.object_list = make_rows(page.object_list)  # type: ignore[arg-type]
    return {
        "running": running,
        "page": page,
        "filters": filters,
        "chosen": filters.chosen,
        "platforms": Platform.choices,
        "poll_seconds": POLL_BUSY if running else POLL_IDLE,
        "tag": tag,
    }
