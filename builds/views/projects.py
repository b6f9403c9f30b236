"""The list of projects with what needs attention in them, and a new project."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from builds import selectors, services
from builds.forms import ProjectFilterForm, ProjectForm
from builds.models import Build, Platform, Project
from builds.paging import get_page
from builds.views import attention
from builds.views.form_page import FormPage
from builds.views.project_deletion import list_deleted
from deployments.models import CodePush
from deployments.selectors import find_last_by_project, find_live_by_build, order_by_last_codepush
from metrics.projects import ProjectMetrics, count_devices, measure_projects, order_by_devices

# A list that long is read from the top; the rest appears when these are done.
_ATTENTION_SHOWN = 10
# By name they come anyway.
_ORDERS = {"": order_by_last_codepush, "devices": order_by_devices}


@dataclass(frozen=True)
class ProjectRow:
    """One project: (store-live production build, its Live CodePush) by platform, numbers, and the newest CodePush.

    `is_conspicuous`: devices go back from one of its Live updates conspicuously often.
    """

    project: Project
    live: list[tuple[Build, CodePush | None]]
    metrics: ProjectMetrics
    last_codepush: CodePush | None
    is_conspicuous: bool


@require_safe
@login_required
def list_projects(request: HttpRequest) -> HttpResponse:
    """A fixed number of queries, however many projects."""
    filters = ProjectFilterForm(request.GET)
    chosen = filters.chosen
    projects = selectors.list_projects(request.user, q=chosen["q"], platform=chosen["platform"])
    items = attention.list_items(request.user)
    order = _ORDERS.get(chosen["sort"])
    page: Page[Any] = get_page(order(projects) if order else projects, request.GET.get("page"))
    page.object_list = _make_rows(page.object_list, items)
    context = {
        "page": page,
        "device_count": count_devices(projects),
        "items": items[:_ATTENTION_SHOWN],
        "item_count": len(items),
        "deleted": list_deleted(request.user),
        "filters": filters,
        "chosen": chosen,
        "platforms": Platform.choices,
        "locked": [project.name for project in selectors.list_locked(request.user)],
    }
    return render(request, "builds/projects.html", context)


def _make_rows(projects: Iterable[Project], items: Iterable[attention.Item]) -> list[ProjectRow]:
    """Five queries, however many projects."""
    listed = list(projects)
    builds = sorted(selectors.list_store_live_builds(listed), key=lambda build: Platform.values.index(build.platform))
    live = find_live_by_build(build.pk for build in builds)
    metrics = measure_projects(listed)
    last = find_last_by_project(listed)
    conspicuous = {item.project.pk for item in items if item.kind == attention.Kind.OUTLIER}
    return [
        ProjectRow(
            project=project,
            live=[(build, live.get(build.pk)) for build in builds if build.project_id == project.pk],
            metrics=metrics[project.pk],
            last_codepush=last.get(project.pk),
            is_conspicuous=project.pk in conspicuous,
        )
        for project in listed
    ]


class NewProject(FormPage):
    """Whoever makes a project is its first admin."""

    form_class = ProjectForm
    template_name = "builds/project_new.html"
    creates = True

    def back_url(self) -> str:
        return reverse("project_list")

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        project = services.create_project(actor=self.actor, **values)
        return reverse("project_detail", args=[project.slug]), f"{project.name} is created. You are its admin."
