"""Build Detail: whether devices get updates, what is Live, and every CodePush of the build."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from builds import selectors as build_selectors
from builds.access import ProjectAccess, get_build
from builds.errors import NotAllowedNow
from builds.models import Build
from builds.paging import PAGE_SIZE, get_page
from deployments import selectors
from deployments.models import CodePush
from deployments.policy import transitions
from deployments.services import checks
from deployments.services.force_update import find_force_update_obstacle
from deployments.views.cards import Card, make_cards
from deployments.views.split import Slice, split_devices
from metrics.selectors import BuildMetrics, measure_builds

SHOWN = {"all": "All", "success": "Successful", "failed": "Failed"}
# Seconds between two looks at the server: often while somebody waits for a result, seldom otherwise.
POLL_BUSY, POLL_IDLE = 3, 30


@dataclass(frozen=True)
class BuildPage:
    """All that Build Detail shows."""

    access: ProjectAccess
    build: Build
    show: str
    counts: selectors.CodePushCounts
    page: Page[CodePush]
    cards: list[Card]
    live: Card | None
    split: list[Slice]
    metrics: BuildMetrics
    store_live: Build | None

    @property
    def poll_seconds(self) -> int:
        return POLL_BUSY if self.counts.unfinished else POLL_IDLE

    @property
    def current_devices(self) -> int:
        return self.metrics.current_devices

    @property
    def gets_updates(self) -> bool:
        return self.build.is_successful and not self.build.is_force_updated and self.live is not None

    @property
    def role_obstacle(self) -> str:
        return self.access.release_obstacle

    @property
    def create_obstacle(self) -> str:
        """Why + CodePush does nothing for this person now; "" when it works."""
        try:
            checks.require_accepts_codepushes(self.build)
        except NotAllowedNow as obstacle:
            return self.role_obstacle or obstacle.message
        return self.role_obstacle

    @property
    def force_update_obstacle(self) -> str:
        """Why Force Update does nothing now, for anybody; "" when it can be applied."""
        return find_force_update_obstacle(self.build, self.store_live) or ""

    @property
    def can_finish(self) -> bool:
        return bool(transitions.BUILD_STATUS[self.build.status])

    @property
    def tabs(self) -> list[tuple[str, str, int]]:
        numbers = (self.counts.total, self.counts.successful, self.counts.failed)
        return [(show, name, number) for (show, name), number in zip(SHOWN.items(), numbers, strict=True)]


@require_safe
@login_required
def show_build(request: HttpRequest, slug: str, build_id: int) -> HttpResponse:
    page = _load_page(request, slug, build_id)
    return render(request, "deployments/build.html", {"page": page, "access": page.access})


@require_safe
def show_cards(request: HttpRequest, slug: str, build_id: int) -> HttpResponse:
    """What htmx polls. A session that has ended reloads the whole page, which leads to the sign-in page and back."""
    if not request.user.is_authenticated:
        return HttpResponse(status=401, headers={"HX-Refresh": "true"})
    page = _load_page(request, slug, build_id)
    return render(request, "deployments/_build_body.html", {"page": page})


def _load_page(request: HttpRequest, slug: str, build_id: int) -> BuildPage:
    """A fixed number of queries, however many CodePushes the build has; one more for `?deployment=`."""
    access, build = get_build(request.user, slug, build_id)
    show = request.GET.get("show", "all")
    show = show if show in SHOWN else "all"
    page = _get_page(build, show, request.GET.get("page"), request.GET.get("deployment"))
    metrics = measure_builds([build.deployment_key])[build.deployment_key]
    counts = selectors.count_codepushes(build)
    return BuildPage(
        access=access,
        build=build,
        show=show,
        counts=counts,
        page=page,
        metrics=metrics,
        store_live=build_selectors.find_store_live_build(build),
        **_describe_live(build, page, metrics, label_count=counts.successful),
    )


def _get_page(build: Build, show: str, number: str | None, deployment_id: str | None) -> Page[CodePush]:
    """The page asked for, or the one that holds a CodePush; the nearest one when there is no such page."""
    codepushes = selectors.list_related_codepushes(build, show=show)
    place = selectors.count_newer(codepushes, deployment_id) // PAGE_SIZE + 1 if deployment_id else number
    return get_page(codepushes, place)


def _describe_live(build: Build, page: Page[CodePush], metrics: BuildMetrics, *, label_count: int) -> dict[str, Any]:
    """The fields of BuildPage that follow from what is Live."""
    live = selectors.find_live_codepush(build)
    live_labels = selectors.map_labels_with_same_bundle([live])[live.pk] if live else set()
    live_cards = make_cards([live] if live else [], metrics, live, live_labels)
    return {
        "cards": make_cards(page.object_list, metrics, live, live_labels),
        "live": live_cards[0] if live_cards else None,
        "split": split_devices(metrics, label_count, live.label if live else "", live_labels),
    }
