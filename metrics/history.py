"""History for charts, as the aggregation left it: hours for the last 14 days, days for a year."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Case, DateTimeField, F, QuerySet, Sum, Value, When
from django.db.models.functions import TruncDay
from django.utils import timezone

from deployments.models import CodePush
from deployments.policy.label import format_label
from metrics.counters import start_of_hour
from metrics.models import STORE_BUNDLE, LogPosition, ReleaseCounter, ReleaseHour
from metrics.rollup import find_oldest_day, find_oldest_hour, start_of_day
from metrics.selectors import NO_LABEL

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# How far back charts look, as addresses name it. By the hour, all of them.
RANGES = {"24h": DAY, "7d": 7 * DAY, "14d": 14 * DAY}
# In place of a label: all that are not asked for by name.
OTHER_LABELS = "others"
_OTHERS = -1
_NO_POINT = Value(None, output_field=DateTimeField())


def fit_range(age: timedelta) -> str:
    """The shortest range that holds all of a build so old: its chart is not empty for the most part."""
    return next((name for name, length in RANGES.items() if age <= length), list(RANGES)[-1])


@dataclass(frozen=True, slots=True)
class Span:
    """The points that all series of a chart share.

    `starts`: beginnings of hours or days (`step`) in UTC, oldest first, no gaps. The last is that of `as_of` or of
    the end asked for, whichever is earlier; it may not be over yet. What was reported by `as_of` is in the numbers.
    """

    as_of: datetime
    step: timedelta
    starts: tuple[datetime, ...]

    @property
    def end(self) -> datetime:
        """The first moment that is not part of it."""
        return self.starts[-1] + self.step


@dataclass(frozen=True, slots=True)
class ActiveHistory:
    """`by_label`: for each label that somebody ran, active devices at the end of each point of `span`.

    Labels from the first on, NO_LABEL (the bundle of the store) before all.
    """

    span: Span
    by_label: Mapping[str, tuple[int, ...]]


def read_active_history(
    build_id: int, *, since: datetime, until: datetime, apart: Collection[int] | None = None
) -> ActiveHistory:
    """How many devices ran each label, over time; `until` is not included.

    By the hour when all of it is within the last 14 days, else by the day; a year back at most. Two queries, which read
    no older history: what was active before is what is active now, less what changed since. `apart`: labels with a
    series of their own; those of all others are added up as OTHER_LABELS, by the database: a build may have had a
    thousand.
    """
    span = _find_span(since, until)
    changes = ReleaseHour.objects.filter(build_id=build_id, hour__gte=span.starts[0]).order_by()
    by_point = changes.annotate(series=_series(apart), point=_point(span)).values_list("series", "point")
    now_active = ReleaseCounter.objects.filter(build_id=build_id).annotate(series=_series(apart), point=_NO_POINT)
    # In one statement, so that no batch is in the changes and not in the counters.
    sums = by_point.annotate(sum=Sum("active_change")).union(
        now_active.values_list("series", "point").annotate(sum=Sum("active_devices")), all=True
    )
    active: dict[int, Counter[datetime | None]] = {}
    for number, start, change in sums:
        active.setdefault(number, Counter())[start] += change
    by_label = {}
    for number, numbers in sorted(active.items()):
        points = _accumulate(numbers, span)
        if any(points):
            by_label[_name(number)] = points
    return ActiveHistory(span, by_label)


def _series(apart: Collection[int] | None) -> Any:
    if apart is None:
        return F("label_number")
    return Case(When(label_number__in=[STORE_BUNDLE, *apart], then=F("label_number")), default=Value(_OTHERS))


def _accumulate(numbers: Counter[datetime | None], span: Span) -> tuple[int, ...]:
    """`numbers`: changes by point from the first of the span on, however late; None: what is active now."""
    changes = {start: change for start, change in numbers.items() if start is not None}
    active, points = numbers[None] - sum(changes.values()), []
    for start in span.starts:
        active += changes.get(start, 0)
        # A report that was late may end something an hour before it began: the sum is right from then on.
        points.append(max(active, 0))
    return tuple(points)


@dataclass(frozen=True, slots=True)
class RollbackHistory:
    """`by_label`: device rollbacks at each point, of each label that has any. `installs`: of all labels, in all."""

    span: Span
    by_label: Mapping[str, tuple[int, ...]]
    installs: int


def read_rollback_history(
    build_id: int, *, since: datetime, until: datetime, label_number: int | None = None
) -> RollbackHistory:
    """Device rollbacks of one label or of all, over time; points as in `read_active_history`. Three queries."""
    span = _find_span(since, until)
    rows = ReleaseHour.objects.filter(build_id=build_id).order_by()
    if label_number is not None:
        rows = rows.filter(label_number=label_number)
    sums: dict[int, dict[datetime, int]] = {}
    for number, start, count in _by_point(rows.filter(rollbacks__gt=0), span).annotate(Sum("rollbacks")):
        sums.setdefault(number, {})[start] = count
    installs = rows.filter(hour__gte=span.starts[0], hour__lt=span.end).aggregate(sum=Sum("installs"))["sum"] or 0
    by_label = {_name(n): tuple(counts.get(start, 0) for start in span.starts) for n, counts in sums.items()}
    return RollbackHistory(span, by_label, installs)


def count_downloads_today(codepush: CodePush) -> int:
    """Devices that downloaded it first since midnight in UTC. One query."""
    today = ReleaseHour.objects.filter(
        build_id=codepush.build_id, label_number=codepush.label_number or 0, hour__gte=start_of_day(timezone.now())
    )
    return today.aggregate(sum=Sum("downloads"))["sum"] or 0


def _find_span(since: datetime, until: datetime) -> Span:
    now = timezone.now()
    as_of = LogPosition.objects.values_list("applied_at", flat=True).first() or now
    since = max(since, find_oldest_day(now))
    if since >= find_oldest_hour(now):
        step, start = HOUR, start_of_hour(since)
    else:
        step, start = DAY, start_of_day(since)
    last = min(until - timedelta.resolution, as_of)
    # At least one point, whatever was asked for.
    count = max(1, (last - start) // step + 1)
    return Span(as_of, step, tuple(start + place * step for place in range(count)))


def _by_point(rows: QuerySet[ReleaseHour], span: Span) -> Any:
    """Rows of the span in groups of (label, point)."""
    within = rows.filter(hour__gte=span.starts[0], hour__lt=span.end)
    return within.annotate(point=_point(span)).values_list("label_number", "point")


def _point(span: Span) -> Any:
    # Rows are of an hour each: cutting each down to its hour would be a third of the time.
    return F("hour") if span.step == HOUR else TruncDay("hour", tzinfo=UTC)


def _name(label_number: int) -> str:
    if label_number == _OTHERS:
        return OTHER_LABELS
    return NO_LABEL if label_number == STORE_BUNDLE else format_label(label_number)
