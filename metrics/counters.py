"""Adding up: what a batch changes in totals, counters and hours. Valid under the aggregation's lock only."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from metrics.device_state import DeviceState
from metrics.models import BuildTotals, ReleaseCounter, ReleaseHour, Software
from metrics.reports import ReportEvent

# (build id, label number)
ReleaseKey = tuple[int, int]
# (build id, start of the hour, label number)
HourKey = tuple[int, datetime, int]

_COUNTER = {
    ReportEvent.DOWNLOADED: "downloads",
    ReportEvent.INSTALLED: "installs",
    ReportEvent.FALLBACK: "rollbacks",
}
_REPORT_COUNTER = {
    ReportEvent.DOWNLOADED: "download_reports",
    ReportEvent.INSTALLED: "install_reports",
    ReportEvent.FALLBACK: "rollback_reports",
}


def _no_numbers() -> defaultdict[Any, Counter[str]]:
    return defaultdict(Counter)


@dataclass
class Changes:
    """What to add to each number. Keys of the inner counters are names of fields."""

    devices: Counter[int] = field(default_factory=Counter)
    rejected: Counter[int] = field(default_factory=Counter)
    # By id of the software.
    software: Counter[int] = field(default_factory=Counter)
    releases: defaultdict[ReleaseKey, Counter[str]] = field(default_factory=_no_numbers)
    hours: defaultdict[HourKey, Counter[str]] = field(default_factory=_no_numbers)

    def add_fact(self, build_id: int, label_number: int, event: str, received_at: datetime) -> None:
        """A device did something for the first time."""
        name = _COUNTER[ReportEvent(event)]
        self.releases[build_id, label_number][name] += 1
        self.hours[build_id, start_of_hour(received_at), label_number][name] += 1

    def add_reports(self, build_id: int, label_number: int, event: str, count: int) -> None:
        self.releases[build_id, label_number][_REPORT_COUNTER[ReportEvent(event)]] += count

    def add_device(self, before: DeviceState | None, after: DeviceState, at: datetime | None) -> None:
        """A device became known, or what it runs changed (at that time), or neither."""
        build_id = after.build_id
        if after.seen_at is not None and (before is None or before.seen_at is None):
            self.devices[build_id] += 1
        self.add_software(before.software_id if before else None, -1)
        self.add_software(after.software_id, 1)
        old, new = before.active_label if before else None, after.active_label
        if old == new or at is None:
            return
        for label_number, change in ((old, -1), (new, 1)):
            if label_number is not None:
                self.releases[build_id, label_number]["active_devices"] += change
                self.hours[build_id, start_of_hour(at), label_number]["active_change"] += change

    def add_software(self, software_id: int | None, change: int) -> None:
        if software_id is not None:
            self.software[software_id] += change


def write(changes: Changes) -> None:
    """The numbers contain the changes. Two queries for each of the four tables."""
    _add_to_totals(changes)
    _add_to_software(changes.software)
    _add_to_releases(changes.releases)
    _add_to_hours(changes.hours)


def _add_to_totals(changes: Changes) -> None:
    build_ids = changes.devices.keys() | changes.rejected.keys()
    rows = BuildTotals.objects.in_bulk(build_ids)
    for build_id in build_ids:
        row = rows.setdefault(build_id, BuildTotals(build_id=build_id))
        row.devices += changes.devices[build_id]
        row.rejected_reports += changes.rejected[build_id]
    BuildTotals.objects.bulk_create(
        rows.values(), update_conflicts=True, unique_fields=["build"], update_fields=["devices", "rejected_reports"]
    )


def _add_to_software(changes: Counter[int]) -> None:
    rows = Software.objects.in_bulk([software_id for software_id, change in changes.items() if change])
    for software_id, row in rows.items():
        row.devices += changes[software_id]
    Software.objects.bulk_create(rows.values(), update_conflicts=True, unique_fields=["id"], update_fields=["devices"])


def _add_to_releases(changes: dict[ReleaseKey, Counter[str]]) -> None:
    found = ReleaseCounter.objects.filter(build_id__in={build_id for build_id, _ in changes})
    rows = {(row.build_id, row.label_number): row for row in found}
    changed = []
    for (build_id, label_number), numbers in changes.items():
        row = rows.get((build_id, label_number)) or ReleaseCounter(build_id=build_id, label_number=label_number)
        _add(row, numbers)
        changed.append(row)
    ReleaseCounter.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["build", "label_number"],
        update_fields=["active_devices", *_COUNTER.values(), *_REPORT_COUNTER.values()],
    )


def _add_to_hours(changes: dict[HourKey, Counter[str]]) -> None:
    found = ReleaseHour.objects.filter(
        build_id__in={build_id for build_id, _, _ in changes}, hour__in={hour for _, hour, _ in changes}
    )
    rows = {(row.build_id, row.hour, row.label_number): row for row in found}
    changed = []
    for (build_id, hour, label_number), numbers in changes.items():
        row = rows.get((build_id, hour, label_number))
        row = row or ReleaseHour(build_id=build_id, hour=hour, label_number=label_number)
        _add(row, numbers)
        changed.append(row)
    ReleaseHour.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["build", "hour", "label_number"],
        update_fields=["active_change", *_COUNTER.values()],
    )


def _add(row: ReleaseCounter | ReleaseHour, numbers: Counter[str]) -> None:
    for name, change in numbers.items():
        setattr(row, name, getattr(row, name) + change)


def start_of_hour(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
