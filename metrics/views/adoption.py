"""The adoption chart: as numbers for the script that draws it, as a table, and as a picture where no script runs."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe

from builds.access import get_build
from builds.formats import format_date, format_moment
from builds.models import Build
from metrics.adoption import NO_CODEPUSH_TONE, Adoption, read_adoption
from metrics.history import RANGES, fit_range

RANGE_WORDS = {"24h": "24 hours", "7d": "7 days", "14d": "14 days"}
# Where the plot lies in the picture, which is 880 units wide and 240 high.
_LEFT, _TOP, _WIDTH, _HEIGHT = 44, 22, 836, 190
# A picture knows no stylesheet: the colours of bands by tone, as tokens.css has them for the light theme.
_FILLS = ("#0a7a48", "#5a73c4", "#93a4db", "#c4cdec", "#d3d8e0")


class Range(NamedTuple):
    """How far back a chart looks. `query`: what says so in an address, where somebody chose it; "" elsewhere."""

    name: str
    query: str


def read_range(request: HttpRequest, build: Build) -> Range:
    """What the address asks for, else what fits the age of the build; unknown ranges are ignored."""
    name = request.GET.get("range", "")
    if name in RANGES:
        return Range(name, f"?range={name}")
    return Range(fit_range(timezone.now() - build.created_at), "")


@require_safe
@login_required
@cache_control(private=True, no_cache=True)
@conditional_page
def send_adoption(request: HttpRequest, slug: str, build_id: int) -> HttpResponse:
    """What the chart is drawn from; 304 while that is the same. A fixed number of queries."""
    _, build = get_build(request.user, slug, build_id)
    return JsonResponse(_serialize(_read(build, read_range(request, build))))


@require_safe
@login_required
def show_adoption(request: HttpRequest, slug: str, build_id: int) -> HttpResponse:
    """The chart as a table. Build Detail shows that part of the page below the chart."""
    access, build = get_build(request.user, slug, build_id)
    chosen = read_range(request, build)
    adoption = _read(build, chosen)
    context = {"access": access, "build": build, "adoption": adoption, "range": chosen.name, "ranges": list(RANGES)}
    return render(request, "metrics/adoption.html", context)


@require_safe
@login_required
@cache_control(private=True, no_cache=True)
def draw_adoption(request: HttpRequest, slug: str, build_id: int) -> HttpResponse:
    """The chart as a picture."""
    _, build = get_build(request.user, slug, build_id)
    adoption = _read(build, read_range(request, build))
    return render(request, "metrics/adoption.svg", _lay_out(adoption), content_type="image/svg+xml")


def _read(build: Build, chosen: Range) -> Adoption:
    """All of a range that somebody chose; else from the first use on."""
    adoption = read_adoption(build, range_name=chosen.name)
    return adoption if chosen.query else adoption.without_lead()


def _serialize(adoption: Adoption) -> dict[str, Any]:
    now, note = timezone.now(), ""
    if adoption.frozen_at:
        note = f"Force Update was applied on {format_moment(adoption.frozen_at, now)}. The chart ends there."
    elif adoption.is_late:
        note = f"Metrics are late. Last data {format_moment(adoption.span.as_of, now)}."
    return {
        "times": [int(time.timestamp()) for time in adoption.times],
        "totals": adoption.totals,
        "bands": [band._asdict() for band in adoption.bands],
        "marks": [{**mark._asdict(), "at": int(mark.at.timestamp())} for mark in adoption.marks],
        "summary": adoption.summary,
        "note": note,
    }


def _lay_out(adoption: Adoption) -> dict[str, Any]:
    start, end = adoption.times[0], adoption.times[-1]
    length = (end - start).total_seconds() or 1

    def find_x(moment: datetime) -> float:
        return _LEFT + _WIDTH * max(0.0, min(1.0, (moment - start).total_seconds() / length))

    return {
        "summary": adoption.summary,
        "areas": _trace_areas(adoption, [find_x(time) for time in adoption.times]),
        "marks": [(f"{find_x(mark.at):.1f}", mark.label) for mark in adoption.marks],
        "lines": [(_TOP + _HEIGHT * (100 - percent) // 100, percent) for percent in (0, 25, 50, 75, 100)],
        "days": (format_date(start), format_date(end)),
    }


def _trace_areas(adoption: Adoption, places: list[float]) -> Iterator[dict[str, str]]:
    """Each band as a polygon: along its upper edge, and back along that of the band below.

    Before the first device reported, whoever had the binary ran it without a CodePush.
    """
    below = [0] * len(places)
    for band in adoption.bands:
        above = [low + devices for low, devices in zip(below, band.devices, strict=True)]
        upper, lower = (
            [
                f"{x:.1f},{_TOP + _HEIGHT * (1 - (count / total if total else is_none)):.1f}"
                for x, count, total in zip(places, counts, adoption.totals, strict=True)
            ]
            for counts, is_none in ((above, band.tone == NO_CODEPUSH_TONE), (below, False))
        )
        yield {"name": band.name, "fill": _FILLS[band.tone], "points": " ".join(upper + lower[::-1])}
        below = above
