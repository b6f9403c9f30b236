"""Older history in fewer rows: hours become days, and days before the kept ones become one opening row.

A row always stands for what happened from its `hour` on, until the next row's; moving rows together only makes that
span longer. So all rows of a label, summed, give its counter, however old the history is.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDay

from metrics import counters
from metrics.models import ReleaseHour
from metrics.position import lock_position

HOURS_KEPT = timedelta(days=14)
DAYS_KEPT = timedelta(days=365)
# The row that carries what happened before the oldest day that is kept: Active goes on from there.
OPENING = datetime(1970, 1, 1, tzinfo=UTC)
FIELDS = ("downloads", "installs", "rollbacks", "active_change")

# (label number, start, then the fields in order)
_Row = tuple[Any, ...]


def start_of_day(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def find_oldest_hour(now: datetime) -> datetime:
    """From here on history is kept by the hour."""
    return start_of_day(now - HOURS_KEPT)


def find_oldest_day(now: datetime) -> datetime:
    """From here on history is kept at all."""
    return start_of_day(now - DAYS_KEPT)


def roll_up(now: datetime) -> None:
    """Hours before the last 14 days are summed into days, days before the last year into the opening row.

    Running it twice changes nothing; a report that was late is summed up the next time. One scan of the table, then
    a short transaction for each build that has such rows.
    """
    hours, days = _find_hours(find_oldest_hour(now)), _find_days(find_oldest_day(now))
    for build_id in hours.order_by().values_list("build_id", flat=True).distinct():
        with transaction.atomic():
            lock_position()
            mine = hours.filter(build_id=build_id)
            _move(build_id, mine, _sum_by_day(mine))
    for build_id in days.order_by().values_list("build_id", flat=True).distinct():
        with transaction.atomic():
            lock_position()
            mine = days.filter(build_id=build_id)
            _move(build_id, mine, _sum_all(mine))


def _find_hours(before: datetime) -> QuerySet[ReleaseHour]:
    # The row of midnight is where the day is summed up: it stays.
    return ReleaseHour.objects.filter(hour__lt=before, hour__hour__gt=0)


def _find_days(before: datetime) -> QuerySet[ReleaseHour]:
    return ReleaseHour.objects.filter(hour__gt=OPENING, hour__lt=before)


def _sum_by_day(rows: QuerySet[ReleaseHour]) -> list[_Row]:
    groups = rows.order_by().annotate(day=TruncDay("hour", tzinfo=UTC)).values_list("label_number", "day")
    return list(groups.annotate(*map(Sum, FIELDS)))


def _sum_all(rows: QuerySet[ReleaseHour]) -> list[_Row]:
    groups = rows.order_by().values_list("label_number").annotate(*map(Sum, FIELDS))
    return [(label_number, OPENING, *sums) for label_number, *sums in groups]


def _move(build_id: int, rows: QuerySet[ReleaseHour], sums: Iterable[_Row]) -> None:
    """The rows are gone, and their sums are added to the rows that these name."""
    changes = counters.Changes()
    for label_number, start, *numbers in sums:
        changes.hours[build_id, start, label_number].update(dict(zip(FIELDS, numbers, strict=True)))
    rows.delete()
    counters.write(changes)
