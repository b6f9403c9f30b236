"""Who ran what over time, as the adoption chart shows it: in bands that add up to all devices of the build then."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from django.utils import timezone

from builds.formats import format_date, format_share
from builds.models import AuditAction, AuditEntry, Build
from deployments.policy.label import find_label_number, format_label
from deployments.release_history import Release, load_release_history
from deployments.selectors import find_live_codepush
from metrics.history import OTHER_LABELS, RANGES, Span, read_active_history
from metrics.models import STORE_BUNDLE, ReleaseCounter
from metrics.selectors import LATE_AFTER, NO_LABEL

# As many older labels get a colour of their own, as in the split bar above the chart.
_NAMED_LABELS = 2
NO_CODEPUSH_TONE = 4
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

    def without_lead(self) -> "Adoption":
        """The same from the last empty point on: a chart of a build that is an hour old shows that hour."""
        released_at = self.marks[0].at if self.marks else self.span.end
        begun = (total > 0 or time > released_at for time, total in zip(self.times, self.totals, strict=False))
        lead = max(0, next((place for place, is_begun in enumerate(begun) if is_begun), 0) - 1)
        bands = tuple(band._replace(devices=band.devices[lead:]) for band in self.bands)
        return replace(self, span=replace(self.span, starts=self.span.starts[lead:]), bands=bands)

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
    history, live = load_release_history(build), find_live_codepush(build)
    live_labels = history.labels_with_bundle(live.bundle_id) if live else set()
    choice = _choose_bands(build, len(history.releases), live.label if live else "", live_labels)
    active = read_active_history(
        build.pk, since=until - RANGES[range_name], until=until + timedelta.resolution, apart=choice.numbers
    )
    bands = _make_bands(active.by_label, choice)
    return Adoption(active.span, bands, _make_marks(history.releases, choice.live_label, active.span), frozen_at)


class _Choice(NamedTuple):
    """Which labels get a band. `older`: the two most used, the most used first; `others`: the name of the rest."""

    live_label: str
    live_labels: set[str]
    older: list[str]
    others: str

    @property
    def numbers(self) -> set[int]:
        return {find_label_number(label) or 0 for label in (*self.live_labels, *self.older)}


def _choose_bands(build: Build, label_count: int, live_label: str, live_labels: set[str]) -> _Choice:
    """As in the split bar: by how many devices run it now. One query."""
    live_numbers = {find_label_number(label) for label in live_labels}
    counters = ReleaseCounter.objects.filter(build=build).exclude(label_number__in=[STORE_BUNDLE, *live_numbers])
    by_use = counters.order_by("-active_devices", "-label_number").values_list("label_number", flat=True)
    older = list(by_use[:_NAMED_LABELS])
    rest = set(range(1, label_count + 1)) - live_numbers - set(older)
    others = format_label(rest.pop()) if len(rest) == 1 else "Others"
    return _Choice(live_label, live_labels, [format_label(number) for number in older], others)


def _make_bands(by_label: Mapping[str, tuple[int, ...]], choice: _Choice) -> tuple[Band, ...]:
    """The Live one (with its bundle under older labels), the two most used of the others, the rest, none."""
    if not by_label:
        return ()
    points = len(next(iter(by_label.values())))
    bands = []
    if choice.live_label:
        bands.append(Band(f"{choice.live_label} Live", 0, _add(points, by_label, choice.live_labels)))
    older = [Band(label, tone, by_label[label]) for tone, label in enumerate(choice.older, 1) if label in by_label]
    bands += sorted(older, key=lambda band: find_label_number(band.name) or 0, reverse=True)
    for label, name, tone in ((OTHER_LABELS, choice.others, 3), (NO_LABEL, "No CodePush", NO_CODEPUSH_TONE)):
        if label in by_label:
            bands.append(Band(name, tone, by_label[label]))
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
