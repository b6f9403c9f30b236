"""Who ran what over time, as the adoption chart shows it: in bands that add up to all devices of the build then."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from django.utils import timezone

from builds.formats import format_date, format_share
from builds.models import AuditAction, AuditEntry, Build
from deployments.policy.label import find_label_number, format_label
from deployments.release_history import Release, load_release_history
from deployments.selectors import find_live_codepush
from metrics.history import RANGES, Span, read_active_history
from metrics.selectors import LATE_AFTER, NO_LABEL

# As many older labels get a colour of their own, as in the split bar above the chart.
_NAMED_LABELS = 2
# A chart shows no more marks; the newest are kept.
_MAX_MARKS = 100


class Band(NamedTuple):
    """Devices that ran this at each point. `tone`: the number of its colour in the stylesheet."""

    name: str
    tone: int
    devices: tuple[int, ...]


class Mark(NamedTuple):
    """A release within the chart."""

    at: datetime
    label: str
    is_live: bool


class Row(NamedTuple):
    """A point in words: all devices then, and (share, devices) of each band."""

    at: datetime
    total: int
    cells: list[tuple[str, int]]


@dataclass(frozen=True)
class Adoption:
    """`bands`: from the bottom of the chart up; none when nobody ran it. `frozen_at`: Force Update ended it then."""

    span: Span
    bands: tuple[Band, ...]
    marks: tuple[Mark, ...]
    frozen_at: datetime | None

    @cached_property
    def times(self) -> tuple[datetime, ...]:
        """When each point was reached: the end of its hour or day; the last one is as new as the numbers."""
        end = min(self.span.as_of, self.frozen_at or self.span.as_of)
        return tuple(min(start + self.span.step, end).replace(second=0, microsecond=0) for start in self.span.starts)

    @cached_property
    def totals(self) -> tuple[int, ...]:
        return tuple(map(sum, zip(*(band.devices for band in self.bands), strict=True)))

    @property
    def is_late(self) -> bool:
        """Reports wait in the log. Under Force Update nothing is expected."""
        return self.frozen_at is None and timezone.now() - self.span.as_of > LATE_AFTER

    @property
    def rows(self) -> list[Row]:
        """The chart as a table, newest first: each hour of a day, the end of each day of more."""
        if not self.bands:
            return []
        days = [start.date() for start in self.span.starts]
        is_short = len(set(days)) <= 2
        places = [p for p in range(len(days)) if is_short or p + 1 == len(days) or days[p] != days[p + 1]]
        return [
            Row(
                self.times[place],
                total := self.totals[place],
                [(format_share(band.devices[place], total), band.devices[place]) for band in self.bands],
            )
            for place in reversed(places)
        ]

    @property
    def summary(self) -> str:
        """The chart in one sentence."""
        if not self.bands:
            return "No device ran this build in this time."
        first, last = self.times[0], self.times[-1]
        parts = []
        for band in self.bands:
            now = format_share(band.devices[-1], self.totals[-1])
            if band.tone:
                parts.append(f"{band.name} is at {now}")
            else:
                # Of the moment before any device reported there is no share.
                before = format_share(band.devices[0], self.totals[0]) if self.totals[0] else "0%"
                parts.append(f"{band.name} went from {before} to {now}")
        return f"Share of devices by version, {format_date(first)} to {format_date(last)}: {', '.join(parts)}."


def read_adoption(build: Build, *, range_name: str) -> Adoption:
    """The last 24 hours, 7 or 14 days (`RANGES`); under Force Update, those before it. Six queries, or seven."""
    frozen_at = _find_force_updated_at(build) if build.is_force_updated else None
    until = frozen_at or timezone.now()
    active = read_active_history(build.pk, since=until - RANGES[range_name], until=until + timedelta.resolution)
    history, live = load_release_history(build), find_live_codepush(build)
    live_label = live.label if live else ""
    bands = _make_bands(active.by_label, live_label, history.labels_with_bundle(live.bundle_id) if live else set())
    return Adoption(active.span, bands, _make_marks(history.releases, live_label, active.span), frozen_at)


def _make_bands(by_label: Mapping[str, tuple[int, ...]], live_label: str, live_labels: set[str]) -> tuple[Band, ...]:
    """The Live one (with its bundle under older labels), the two most used of the others, the rest, none."""
    if not by_label:
        return ()
    points = len(next(iter(by_label.values())))
    others = by_label.keys() - live_labels - {NO_LABEL}
    # Most used at the end first, as in the split bar; of those that nobody runs any more, in all.
    by_use = sorted(others, key=lambda label: (by_label[label][-1], sum(by_label[label])), reverse=True)
    named, rest = by_use[:_NAMED_LABELS], by_use[_NAMED_LABELS:]
    bands = [Band(f"{live_label} Live", 0, _add(points, by_label, live_labels))] if live_label else []
    older = [Band(label, tone, by_label[label]) for tone, label in enumerate(named, start=1)]
    bands += sorted(older, key=lambda band: find_label_number(band.name) or 0, reverse=True)
    if rest:
        bands.append(Band(rest[0] if len(rest) == 1 else "Others", 3, _add(points, by_label, rest)))
    if NO_LABEL in by_label:
        bands.append(Band("No CodePush", 4, by_label[NO_LABEL]))
    return tuple(bands)


def _add(points: int, by_label: Mapping[str, tuple[int, ...]], labels: Iterable[str]) -> tuple[int, ...]:
    series = [by_label[label] for label in labels if label in by_label]
    return tuple(map(sum, zip(*series, strict=True))) if series else (0,) * points


def _make_marks(releases: Iterable[Release], live_label: str, span: Span) -> tuple[Mark, ...]:
    marks = []
    for release in releases:
        if span.starts[0] <= release.published_at < span.end:
            label = format_label(release.label_number)
            marks.append(Mark(release.published_at, label, label == live_label))
    return tuple(marks[-_MAX_MARKS:])


def _find_force_updated_at(build: Build) -> datetime | None:
    applied = AuditEntry.objects.filter(build=build, action=AuditAction.FORCE_UPDATE_APPLIED).order_by("-id")
    return applied.values_list("created_at", flat=True).first()
