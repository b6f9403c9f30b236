"""Compare the bundles of two CodePushes of a build: what a device downloads between them, and which files differ."""

from dataclasses import dataclass
from http import HTTPStatus

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from builds.access import ProjectAccess
from deployments import bundle_comparison
from deployments.bundle_comparison import BundleComparison, Comparable
from deployments.bundles.comparison import Change, FileChange, show_path
from deployments.models import CodePush
from deployments.policy.label import format_label
from deployments.views.access import get_codepush, get_codepush_pair
from deployments.views.addresses import card_url

# As many files of a kind are listed; a bundle may have 10,000.
MAX_LISTED = 500
_TITLES = {Change.CHANGED: "Changed", Change.ADDED: "Added", Change.REMOVED: "Removed"}


@dataclass(frozen=True)
class Section:
    """The files that changed in one way. `matching`: those that the filter leaves; the first 500 are listed."""

    change: Change
    total_count: int
    difference_bytes: int | None
    matching: tuple[FileChange, ...]

    @property
    def title(self) -> str:
        return _TITLES[self.change]

    @property
    def listed(self) -> tuple[FileChange, ...]:
        return self.matching[:MAX_LISTED]

    @property
    def rest_count(self) -> int:
        return len(self.matching) - len(self.listed)


@dataclass(frozen=True)
class Choice:
    """An entry of the lists that releases are chosen from."""

    deployment_id: str
    name: str


@require_safe
@login_required
def pick_comparison(request: HttpRequest, slug: str, build_id: int, deployment_id: str) -> HttpResponse:
    """To the comparison with the previous different bundle, or with those in `?of=` and `?with=`."""
    access, build, codepush = get_codepush(request.user, slug, build_id, deployment_id)
    if not codepush.is_successful:
        return _show_obstacle(request, access, codepush)
    comparable = bundle_comparison.list_comparable(build)
    by_id = {one.deployment_id: one for one in comparable}
    new = by_id.get(request.GET.get("of", "")) or by_id[codepush.deployment_id]
    old = by_id.get(request.GET.get("with", "")) or bundle_comparison.find_previous_different(comparable, new)
    if old is None:
        context = {"access": access, "build": build, "new": new, "choices": _name_choices(comparable)}
        return render(request, "deployments/compare_none.html", context)
    return redirect("codepush_compare", slug, build_id, new.deployment_id, old.deployment_id)


@require_safe
@login_required
def show_comparison(request: HttpRequest, slug: str, build_id: int, deployment_id: str, other_id: str) -> HttpResponse:
    """From `other_id` to `deployment_id`. A fixed number of queries, however many files and releases."""
    access, build, new, old = get_codepush_pair(request.user, slug, build_id, deployment_id, other_id)
    context = {"access": access, "build": build, "new": new, "old": old}
    for codepush in (new, old):
        if not codepush.is_successful:
            return _show_obstacle(request, access, codepush)
    # A success has a bundle (constraint).
    comparison = bundle_comparison.compare_bundles(old.bundle_id or 0, new.bundle_id or 0)
    q = request.GET.get("q", "").strip()
    sections = _make_sections(comparison, q)
    context |= {
        "q": q,
        "shown_q": show_path(q),
        "comparison": comparison,
        "download_percent": comparison.download_bytes * 100 / comparison.new.size_bytes,
        "sections": sections,
        "match_count": sum(len(section.matching) for section in sections),
        "choices": _name_choices(bundle_comparison.list_comparable(build)),
    }
    return render(request, "deployments/compare.html", context)


def _make_sections(comparison: BundleComparison, q: str) -> list[Section]:
    matching = comparison.files.matching(q) if q else comparison.files
    return [
        Section(
            change=change,
            total_count=len(comparison.files.of(change)),
            difference_bytes=comparison.files.difference_bytes(change),
            matching=matching.of(change),
        )
        for change in Change
    ]


def _name_choices(comparable: list[Comparable]) -> list[Choice]:
    """Newest first. The one that is Live is marked: it is the newest enabled one."""
    live = next((one.label_number for one in comparable if one.is_enabled), None)
    oldest_by_bundle = {one.bundle_id: one.label_number for one in comparable}
    choices = []
    for one in comparable:
        name = one.label
        if one.label_number == live:
            name += ", Live"
        elif not one.is_enabled:
            name += ", disabled"
        if (same := oldest_by_bundle[one.bundle_id]) != one.label_number:
            name += f", same bundle as {format_label(same)}"
        choices.append(Choice(one.deployment_id, name))
    return choices


_OBSTACLES = {
    CodePush.Status.PENDING: "{name} waits for a worker, so it has no bundle to compare yet.",
    CodePush.Status.PROCESSING: "{name} is being processed, so it has no bundle to compare yet.",
    CodePush.Status.WAITING: "{name} waits for approval. It can be compared once it has its label.",
    CodePush.Status.FAILED: "{name} failed, so it has no bundle to compare.",
    CodePush.Status.CANCELED: "{name} was canceled, so it has no bundle to compare.",
}


def _show_obstacle(request: HttpRequest, access: ProjectAccess, codepush: CodePush) -> HttpResponse:
    told = {
        "obstacle": _OBSTACLES[CodePush.Status(codepush.status)].format(name=f"The update {codepush.deployment_id}"),
        "back_url": card_url(codepush.build, codepush.deployment_id),
    }
    return render(request, "409.html", {"access": access, **told}, status=HTTPStatus.CONFLICT)
