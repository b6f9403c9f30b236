"""Build Detail: whether devices get updates, what is Live, and every CodePush of the build."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from builds import selectors as build_selectors
from builds.access import ProjectAccess, get_build
from builds.errors import NotAllowedNow
from builds.models import Build
from builds.paging import PAGE_SIZE, get_page
from builds.services import reveal_deployment_key
from deployments import selectors
from deployments.models import CodePush
from deployments.policy import transitions
from deployments.policy.attention import Outcomes
from deployments.release_history import load_release_history, measure_patches
from deployments.services import checks
from deployments.services.force_update import find_force_update_obstacle
from deployments.views.addresses import CodePushUrls
from deployments.views.build_side import BuildSide, describe_side, mask_key
from deployments.views.cards import Card, Deck, make_cards
from deployments.views.polling import POLL_BUSY, POLL_IDLE, answer_poll, end_session, make_tag
from deployments.views.split import Slice, split_devices
from deployments.views.waiting import WaitingChange, by_codepush, list_waiting
from metrics.attention import find_attention
from metrics.history import RANGES, count_downloads_today
from metrics.marks import BuildMark, mark_build
from metrics.selectors import LATE_AFTER, BuildMetrics, measure_builds
from metrics.views.adoption import Range, read_range

SHOWN = {"all": "All", "success": "Successful", "failed": "Failed"}


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
    live_since: datetime | None
    split: list[Slice]
    metrics: BuildMetrics
    store_live: Build | None
    side: BuildSide
    waiting: list[WaitingChange]
    role_obstacle: str
    tag: str
    as_of: datetime
    range: Range

    @property
    def has_adoption(self) -> bool:
        """Whether there is anything for the adoption chart to show."""
        return bool(self.counts.successful and self.metrics.total_devices)

    @property
    def ranges(self) -> list[str]:
        return list(RANGES)

    @property
    def poll_seconds(self) -> int:
        return POLL_BUSY if self.counts.unfinished else POLL_IDLE

    @property
    def current_devices(self) -> int:
        return self.metrics.current_devices

    @property
    def gets_updates(self) -> bool:
        return not self.side.reason

    @property
    def is_late(self) -> bool:
        return _is_late(self.as_of)

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
    access, build = get_build(request.user, slug, build_id)
    page = _load_page(request, access, build, *_mark(request, access, build))
    return render(request, "deployments/build.html", {"page": page, "access": access})


@require_safe
def show_cards(request: HttpRequest, slug: str, build_id: int) -> HttpResponse:
    """What open pages poll: a few small queries as long as nothing has changed."""
    if not request.user.is_authenticated:
        return end_session()
    access, build = get_build(request.user, slug, build_id)
    mark, tag = _mark(request, access, build)

    def render_cards() -> HttpResponse:
        page = _load_page(request, access, build, mark, tag)
        return render(request, "deployments/_build_refresh.html", {"page": page, "access": access})

    return answer_poll(request, tag, render_cards, as_of=mark.as_of)


@require_http_methods(["GET", "HEAD", "POST"])
def show_key(request: HttpRequest, slug: str, build_id: int) -> HttpResponse:
    """The deployment key: masked, and whole to who posts; any member may, and the audit log says who did."""
    if not request.user.is_authenticated:
        return end_session() if "HX-Request" in request.headers else redirect_to_login(request.get_full_path())
    access, build = get_build(request.user, slug, build_id)
    context = {"access": access, "build": build, "masked": mask_key(build.deployment_key)}
    if request.method == "POST":
        context["key"] = reveal_deployment_key(build, actor=request.user)
    template = "_deployment_key.html" if "HX-Request" in request.headers else "deployment_key.html"
    response = render(request, f"deployments/{template}", context)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _mark(request: HttpRequest, access: ProjectAccess, build: Build) -> tuple[BuildMark, str]:
    """What the content may be compared by later. One query; to be called before the content is read."""
    mark = mark_build(build.pk)
    return mark, make_tag(request, access.role, mark.values, _is_late(mark.as_of))


def _is_late(as_of: datetime) -> bool:
    return timezone.now() - as_of > LATE_AFTER


def _load_page(request: HttpRequest, access: ProjectAccess, build: Build, mark: BuildMark, tag: str) -> BuildPage:
    """A fixed number of queries, however many CodePushes the build has; one more for `?deployment=`."""
    show = request.GET.get("show", "all")
    show = show if show in SHOWN else "all"
    counts = selectors.count_codepushes(build)
    page = _get_page(request, build, show, counts)
    metrics = measure_builds([build.deployment_key])[build.deployment_key]
    live = selectors.find_live_codepush(build)
    waiting = list_waiting(build, access, request.user.pk)
    return BuildPage(
        access=access,
        build=build,
        show=show,
        counts=counts,
        page=page,
        metrics=metrics,
        store_live=build_selectors.find_store_live_build(build),
        side=describe_side(build, live, build_selectors.list_store_entries(build), has_success=counts.successful > 0),
        waiting=waiting,
        role_obstacle=_describe_role_obstacle(access),
        tag=tag,
        as_of=mark.as_of,
        range=read_range(request, build),
        **_describe_live(build, live, page, metrics, waiting),
    )


def _describe_role_obstacle(access: ProjectAccess) -> str:
    """Why this person changes nothing here, and whom to ask. A query for those only who lack the role."""
    if not access.release_obstacle:
        return ""
    return f"{access.release_obstacle} Ask {build_selectors.find_admin_name(access.project) or 'an admin'}."


def _get_page(request: HttpRequest, build: Build, show: str, counts: selectors.CodePushCounts) -> Page[CodePush]:
    """The page asked for, or the one that holds `?deployment=`; the nearest one when there is no such page."""
    codepushes = selectors.list_related_codepushes(build, show=show)
    deployment_id, number = request.GET.get("deployment"), request.GET.get("page")
    place = selectors.count_newer(codepushes, deployment_id) // PAGE_SIZE + 1 if deployment_id else number
    count = {"all": counts.total, "success": counts.successful, "failed": counts.failed}[show]
    return get_page(codepushes, place, count=count)


def _describe_live(
    build: Build,
    live: CodePush | None,
    page: Page[CodePush],
    metrics: BuildMetrics,
    waiting: list[WaitingChange],
) -> dict[str, Any]:
    """The fields of BuildPage that follow from what is Live."""
    history = load_release_history(build)
    live_labels = history.labels_with_bundle(live.bundle_id) if live else set()
    numbers = metrics.of(live.label if live else "")
    deck = Deck(
        live=live,
        live_labels=live_labels,
        metrics=metrics,
        history=history,
        patches=measure_patches(history, page.object_list),
        attention=find_attention([live], {live.pk: Outcomes(numbers.installs, numbers.rollbacks)}) if live else {},
        downloads_today=count_downloads_today(live) if live else 0,
        waiting=by_codepush(waiting),
        urls=CodePushUrls(build),
    )
    cards = make_cards(page.object_list, deck)
    # Most often it is on this page too.
    of_live = [card for card in cards if card.is_live] or make_cards([live] if live else [], deck)
    return {
        "cards": cards,
        "live": of_live[0] if of_live else None,
        "live_since": history.live_since,
        "split": split_devices(metrics, len(history.releases), live.label if live else "", live_labels),
    }
