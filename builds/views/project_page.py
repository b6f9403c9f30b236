"""One project: what is live per platform, its builds, and registering a build."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from builds import audit_log, selectors, services
from builds.access import ProjectAccess, get_project
from builds.forms import BuildFilterForm, BuildForm
from builds.models import Build, Platform, Project, Role
from builds.paging import get_page
from builds.views.form_page import FormPage
from builds.views.overview import BuildRow, make_build_rows
from deployments.views.polling import POLL_BUSY, POLL_IDLE, answer_poll, end_session, make_tag
from metrics.attention import find_attention
from metrics.marks import mark_project
from metrics.projects import order_builds_by_devices
from metrics.selectors import measure_builds


@dataclass(frozen=True)
class Tile:
    """A platform of the project; `row` is its store-live production build, if there is one.

    `warning`: why its Live update needs a look, "" when it does not.
    """

    platform: Platform
    row: BuildRow | None
    warning: str
    is_outlier: bool


@require_safe
@login_required
def show_project(request: HttpRequest, slug: str) -> HttpResponse:
    """A fixed number of queries, however many builds."""
    access = get_project(request.user, slug)
    tag = _make_tag(request, access)
    store_live = list(selectors.list_store_live_builds([access.project]))
    context, rows = _describe_builds(request, access, tag, store_live)
    context["tiles"] = _make_tiles(access.project, [rows[build.pk] for build in store_live])
    context["last_entry"] = audit_log.find_last_entry(access.project)
    return render(request, "builds/project.html", context)


@require_safe
def show_rows(request: HttpRequest, slug: str) -> HttpResponse:
    """The table of builds, which open pages poll while one of them is pending or running."""
    if not request.user.is_authenticated:
        return end_session()
    access = get_project(request.user, slug)
    tag = _make_tag(request, access)

    def render_rows() -> HttpResponse:
        context, _ = _describe_builds(request, access, tag, [])
        return render(request, "builds/_builds_refresh.html", context)

    return answer_poll(request, tag, render_rows)


def _make_tag(request: HttpRequest, access: ProjectAccess) -> str:
    return make_tag(request, access.role, mark_project(access.project.pk))


def _describe_builds(
    request: HttpRequest, access: ProjectAccess, tag: str, further: list[Build]
) -> tuple[dict[str, Any], dict[int, BuildRow]]:
    """(the context of the table, rows of its builds and of the further ones by their id)"""
    filters = BuildFilterForm(request.GET)
    page = _get_page(access.project, filters.chosen, request.GET.get("page"))
    listed = list(page.object_list)
    builds = [*listed, *further]
    rows = make_build_rows(builds, measure_builds(build.deployment_key for build in builds))
    page.object_list = [rows[build.pk] for build in listed]
    context = {
        "access": access,
        "page": page,
        "filters": filters,
        "chosen": filters.chosen,
        "platforms": Platform.choices,
        "tag": tag,
        "poll_seconds": _find_pace(listed),
    }
    return context, rows


def _find_pace(builds: list[Build]) -> int:
    """Often while one compiles, seldom while one waits for it; without either nothing is asked for (0)."""
    statuses = {build.status for build in builds}
    if Build.Status.RUNNING in statuses:
        return POLL_BUSY
    return POLL_IDLE if Build.Status.PENDING in statuses else 0


def _get_page(project: Project, chosen: dict[str, str], number: str | None) -> Page[Any]:
    wanted = {name: value for name, value in chosen.items() if name != "sort"}
    builds = selectors.list_project_builds(project, **wanted)
    return get_page(order_builds_by_devices(builds) if chosen["sort"] == "devices" else builds, number)


def _make_tiles(project: Project, live_rows: list[BuildRow]) -> list[Tile]:
    """A tile for each platform that the project names a bundle ID for, or has a store-live build on."""
    row_by_platform = {row.build.platform: row for row in live_rows}
    outcomes = {row.live.pk: row.outcomes for row in live_rows if row.live}
    attention = find_attention((row.live for row in live_rows if row.live), outcomes)
    tiles = []
    for platform in Platform:
        row = row_by_platform.get(platform)
        if row or project.bundle_ids[platform]:
            found = attention.get(row.live.pk) if row and row.live else None
            tiles.append(Tile(platform, row, found.sentence if found else "", bool(found and found.is_outlier)))
    return tiles


class NewBuild(FormPage):
    form_class = BuildForm
    template_name = "builds/build_new.html"
    creates = True
    access: ProjectAccess

    def load(self, **address: Any) -> None:
        self.access = get_project(self.request.user, address["slug"], role=Role.RELEASE_MANAGER)

    def back_url(self) -> str:
        return reverse("project_detail", args=[self.access.project.slug])

    def initial(self) -> dict[str, Any]:
        return {"status": "pending"}

    def describe(self) -> dict[str, Any]:
        return {"access": self.access}

    def act(self, values: dict[str, Any]) -> tuple[str, str]:
        build = services.register_build(self.access.project, actor=self.actor, **values)
        url = reverse("build_detail", args=[self.access.project.slug, build.pk])
        return url, f"{build} is registered. Its deployment key is ready to be compiled in."
