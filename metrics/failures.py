"""Devices that went back from an update by themselves: when, from which, and against the update before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from django.db.models import Count
from django.utils import timezone

from builds.models import Build
from deployments.models import CodePush
from deployments.policy.attention import Outcomes, is_rollback_outlier, judge_rollbacks
from deployments.policy.label import find_label_number
from metrics.attention import Comparison, compare_with_previous, read_outcomes
from metrics.history import DAY, HOUR, RANGES, Span, read_rollback_history
from metrics.models import Device, DeviceFact, Software
from metrics.reports import ReportEvent
from metrics.software import list_software

# As many updates get a colour of their own; the rest share one.
_NAMED_LABELS = 3
# As many of the newest updates are compared with the one before.
_COMPARED = 10
# A broken-down update: as many devices are looked at, and as many kinds of them shown.
_MAX_LOOKED_AT = 2000
_SHOWN_PARTS = 10


class Series(NamedTuple):
    """Device rollbacks in each hour, of one update or of several. `tone`: the number of its colour."""

    name: str
    tone: int
    rollbacks: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.rollbacks)


class Row(NamedTuple):
    """An hour or a day: all device rollbacks in it, and those of each series."""

    start: datetime
    total: int
    counts: list[int]


@dataclass(frozen=True)
class Failures:
    """`series`: newest update first, those without device rollbacks left out. `installs`: of the same updates."""

    span: Span
    series: tuple[Series, ...]
    installs: int

    @cached_property
    def totals(self) -> tuple[int, ...]:
        """All device rollbacks of each hour."""
        return tuple(map(sum, zip(*(series.rollbacks for series in self.series), strict=True)))

    @property
    def outcomes(self) -> Outcomes:
        return Outcomes(self.installs, sum(self.totals))

    @property
    def is_by_hour(self) -> bool:
        """Whether the table has a row for each hour: those of more than a day it sums up by the day."""
        return len(self.span.starts) * self.span.step <= DAY + HOUR

    @property
    def rows(self) -> list[Row]:
        """The chart as a table, newest first; hours and days without any are left out."""
        sums: dict[datetime, list[int]] = {}
        for place, start in enumerate(self.span.starts):
            group = start if self.is_by_hour else start.replace(hour=0)
            counts = sums.setdefault(group, [0] * len(self.series))
            for number, series in enumerate(self.series):
                counts[number] += series.rollbacks[place]
        return [Row(start, sum(counts), counts) for start, counts in reversed(sums.items()) if any(counts)]


@dataclass(frozen=True)
class Compared:
    """An update beside the one before it at the same age; `previous` is None where there is nothing to compare."""

    codepush: CodePush
    outcomes: Outcomes
    previous: Comparison | None

    @property
    def is_outlier(self) -> bool:
        return is_rollback_outlier(self.outcomes, self._previous_outcomes)

    @property
    def verdict(self) -> str:
        return judge_rollbacks(self.outcomes, self._previous_outcomes, self.previous.label if self.previous else "")

    @property
    def is_by_day(self) -> bool:
        return self.previous is not None and self.previous.step == DAY

    @property
    def _previous_outcomes(self) -> Outcomes | None:
        return self.previous.outcomes if self.previous else None


def read_failures(build: Build, *, range_name: str, label: str = "") -> Failures:
    """Device rollbacks by hour and update, of one update or of all. Three queries."""
    now = timezone.now()
    history = read_rollback_history(
        build.pk,
        since=now - RANGES[range_name],
        until=now + timedelta.resolution,
        label_number=find_label_number(label) if label else None,
    )
    failing = history.by_label
    by_count = sorted(failing, key=lambda name: sum(failing[name]), reverse=True)
    named, rest = by_count[:_NAMED_LABELS], by_count[_NAMED_LABELS:]
    newest_first = sorted(named, key=lambda name: find_label_number(name) or 0, reverse=True)
    series = [Series(name, tone, failing[name]) for tone, name in enumerate(newest_first)]
    if rest:
        together = tuple(map(sum, zip(*(failing[name] for name in rest), strict=True)))
        series.append(Series(rest[0] if len(rest) == 1 else "Others", _NAMED_LABELS, together))
    return Failures(history.span, tuple(series), history.installs)


def compare_releases(build: Build, *, label: str = "") -> Sequence[Compared]:
    """The newest ten updates, or one, each with the update before it at the same age. Four queries."""
    codepushes = CodePush.objects.filter(build=build).successful().by_label_descending()
    if label:
        codepushes = codepushes.filter(label_number=find_label_number(label))
    newest = list(codepushes[:_COMPARED])
    outcomes = read_outcomes(newest)
    compared = compare_with_previous(newest, timezone.now())
    return [Compared(codepush, outcomes[codepush.pk], compared.get(codepush.pk)) for codepush in newest]


class Part(NamedTuple):
    """Devices with one app version and client library: how many went back, and how many run the build in all."""

    software: Software
    rollbacks: int
    devices: int


@dataclass(frozen=True)
class Breakdown:
    """`parts`: the most frequent first, of `looked_at` devices that went back. `devices`: of the build, in all."""

    parts: list[Part]
    looked_at: int
    devices: int
    is_sample: bool


def break_down(build: Build, *, label: str) -> Breakdown:
    """What the devices are that went back from this update. Two queries.

    Of 2,000 of them at most: the first by hash, which is as good as drawing lots.
    """
    facts = DeviceFact.objects.filter(
        build=build, label_number=find_label_number(label) or 0, event=ReportEvent.FALLBACK
    ).order_by("client_hash")
    hashes = facts.values("client_hash")[:_MAX_LOOKED_AT]
    devices = Device.objects.filter(build=build, client_hash__in=hashes).order_by()
    counts = dict(devices.values_list("software_id").annotate(count=Count("client_hash")))
    software = list_software(build)
    parts = [Part(one, counts[one.pk], one.devices) for one in software if one.pk in counts]
    looked_at = sum(counts.values())
    return Breakdown(
        parts=sorted(parts, key=lambda part: part.rollbacks, reverse=True)[:_SHOWN_PARTS],
        looked_at=looked_at,
        devices=sum(one.devices for one in software),
        is_sample=looked_at == _MAX_LOOKED_AT,
    )
