"""The failures view: device rollbacks over time, and each update against the one before it at the same age."""

from dataclasses import dataclass
from typing import NamedTuple

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from builds.access import get_build
from builds.formats import format_count, format_moment
from deployments.selectors import find_next_label_number
from metrics.failures import Failures, break_down, compare_releases, read_failures
from metrics.forms import FailureFilterForm
from metrics.history import RANGES
from metrics.views.adoption import RANGE_WORDS, read_range

# Of an hour's place, so that bars stand apart.
_BAR_SHARE = 0.8


class Bar(NamedTuple):
    """A piece of an hour's bar. Places and sizes are percentages of the chart, as the drawing writes them."""

    x: str
    y: str
    width: str
    height: str
    tone: int


class Column(NamedTuple):
    """All of an hour, with what it says when pointed at."""

    x: str
    width: str
    title: str
    bars: list[Bar]


@dataclass(frozen=True)
class Chart:
    columns: list[Column]
    highest: int


@require_safe
@login_required
def show_failures(request: HttpRequest, slug: str, build_id: int) -> HttpResponse:
    """A fixed number of queries, however many updates and device rollbacks; two more for one update."""
    access, build = get_build(request.user, slug, build_id)
    filters = FailureFilterForm(request.GET, find_next_label_number(build) - 1)
    range_name, label = read_range(request, build).name, filters.chosen["label"]
    failures = read_failures(build, range_name=range_name, label=label)
    context = {
        "access": access,
        "build": build,
        "filters": filters,
        "label": label,
        "range": range_name,
        "ranges": list(RANGES),
        "range_words": RANGE_WORDS[range_name],
        "failures": failures,
        "chart": _lay_out(failures),
        "breakdown": break_down(build, label=label) if label else None,
        "compared": compare_releases(build, label=label),
    }
    return render(request, "metrics/failures.html", context)


def _lay_out(failures: Failures) -> Chart:
    highest = max(failures.totals, default=0)
    columns = []
    step = 100 / len(failures.span.starts)
    for place, total in enumerate(failures.totals):
        if not total:
            continue
        x, bars, below = f"{place * step:.3f}", [], 0
        for series in failures.series:
            if count := series.rollbacks[place]:
                below += count
                y, height = f"{100 - below * 100 / highest:.2f}", f"{count * 100 / highest:.2f}"
                bars.append(Bar(x, y, f"{step * _BAR_SHARE:.3f}", height, series.tone))
        columns.append(Column(x, f"{step:.3f}", _describe_hour(failures, place), bars))
    return Chart(columns, highest)


def _describe_hour(failures: Failures, place: int) -> str:
    """As "21 Nov, 11:00: 12 from v7, 1 from v6"."""
    counts = [(series.rollbacks[place], series.name) for series in failures.series]
    parts = [f"{format_count(count)} from {name}" for count, name in counts if count]
    return f"{format_moment(failures.span.starts[place], timezone.now())}: {', '.join(parts)}"
