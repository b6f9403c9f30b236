"""The list of projects, and a new one."""

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
from builds.models import Platform, Project
from builds.paging import get_page
from builds.views.form_page import FormPage
from builds.views.overview import BuildRow, make_build_rows
from deployments.models import CodePush
from deployments.selectors import find_last_by_project, order_by_last_codepush
from metrics.selectors import measure_builds


@dataclass(frozen=True)
class ProjectRow:
    """One project: the store-live production builds, devices on all builds, and the newest CodePush."""

    project: Project
    live: list[BuildRow]
    devices: int
    last_codepush: CodePush | None


@require_safe
@login_required
def list_projects(request: HttpRequest) -> HttpResponse:
    filters = ProjectFilterForm(request.GET)
    context = {
        "page": _get_page(request, filters.chosen),
        "filters": filters,
        "chosen": filters.chosen,
        "platforms": Platform.choices,
    }
    return render(request, "builds/projects.html", context)


def _get_page(request: HttpRequest, chosen: dict[str, str]) -> Page[Any]:
    """One page of rows. Only the order by devices has to look at every project's devices."""
    projects = selectors.list_projects(request.user, q=chosen["q"], platform=chosen["platform"])
    number = request.GET.get("page")
    if chosen["sort"] == "devices":
        return get_page(sorted(_make_rows(projects), key=lambda row: row.devices, reverse=True), number)
    page = get_page(projects if chosen["sort"] == "name" else order_by_last_codepush(projects), number)
    page.object_list = _make_rows(page.object_list)
    return page


def _make_rows(projects: Iterable[Project]) -> list[ProjectRow]:
    """Eight queries, however many projects."""
    listed = list(projects)
    keys = selectors.map_keys_by_project(listed)
    metrics = measure_builds(key for project_keys in keys.values() for key in project_keys)
    live_rows = make_build_rows(selectors.list_store_live_builds(listed), metrics).values()
    last = find_last_by_project(listed)
    return [
        ProjectRow(
            project=project,
            live=[row for row in live_rows if row.build.project_id == project.pk],
            devices=sum(metrics[key].current_devices for key in keys.get(project.pk, ())),
            last_codepush=last.get(project.pk),
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
