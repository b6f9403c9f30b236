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
from builds.models import Platform, Project, Role
from builds.paging import get_page
from builds.views.form_page import FormPage
from builds.views.overview import BuildRow, make_build_rows
from metrics.attention import find_attention
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
    filters = BuildFilterForm(request.GET)
    page = _get_page(access.project, filters.chosen, request.GET.get("page"))
    store_live = list(selectors.list_store_live_builds([access.project]))
    builds = [*page.object_list, *store_live]
    rows = make_build_rows(builds, measure_builds(build.deployment_key for build in builds))
    page.object_list = [rows[build.pk] for build in page.object_list]
    context = {
        "access": access,
        "page": page,
        "filters": filters,
        "chosen": filters.chosen,
        "platforms": Platform.choices,
        "tiles": _make_tiles(access.project, [rows[build.pk] for build in store_live]),
        "last_entry": audit_log.find_last_entry(access.project),
    }
    return render(request, "builds/project.html", context)


def _get_page(project: Project, chosen: dict[str, str], number: str | None) -> Page[Any]:
    wanted = {name: value for name, value in chosen.items() if name != "sort"}
    builds = selectors.list_project_builds(project, **wanted)
    return get_page(order_builds_by_devices(builds) if chosen["sort"] == "devices" else builds, number)


def _make_tiles(project: Project, live_rows: list[BuildRow]) -> list[Tile]:
    """A tile for each platform that the project names a bundle ID for, or has a store-live build on."""
    row_by_platform = {row.build.platform: row for row in live_rows}
    attention = find_attention(row.live for row in live_rows if row.live)
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
