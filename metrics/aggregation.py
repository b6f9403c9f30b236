"""From reports to numbers, exactly once: facts, device states, counters, history and log position commit together.

One aggregation runs at a time (the lock on `LogPosition`), so what is read here does not change underneath. A worker
that dies leaves everything as it was; the next one reads the same batch again.

A repeated report finds its fact there; a late one is not newer than the state it finds. So totals depend on which
reports came in and when, not on how often, nor on the order in which they are applied.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from builds.models import Build
from deployments.models import CodePush
from deployments.policy.label import find_label_number
from metrics import batch_sql, counters, report_log, software
from metrics.device_state import DeviceState, later, merge
from metrics.models import STORE_BUNDLE
from metrics.position import lock_position
from metrics.report_log import LoggedReport
from metrics.reports import DeviceReport, ReportEvent
from metrics.software import SoftwareText
from telemetry import measures

BATCH_SIZE = 10_000
# Reports that say what runs on the device now.
_STARTS = (ReportEvent.INSTALLED, ReportEvent.BINARY_STARTED)

DeviceKey = tuple[int, UUID]


@dataclass
class Batch:
    """What a batch of reports says, before it is compared with what is known."""

    # (build id, label number, event, client hash) → when it was said first in this batch.
    facts: dict[tuple[int, int, str, UUID], datetime] = field(default_factory=dict)
    # (build id, label number, event) → reports.
    reports: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    devices: dict[DeviceKey, DeviceState] = field(default_factory=dict)
    # What the latest start of each of these devices said of its app.
    software: dict[DeviceKey, SoftwareText] = field(default_factory=dict)
    rejected: Counter[int] = field(default_factory=Counter)
    unknown_key_reports: int = 0

    def device(self, build_id: int, client_hash: UUID) -> DeviceState:
        """What this batch says of the device."""
        key = (build_id, client_hash)
        if key not in self.devices:
            self.devices[key] = DeviceState(build_id, client_hash)
        return self.devices[key]


def apply_waiting_reports() -> int:
    """The numbers contain every report that was in the log when this was called. Returns how many were applied."""
    total = 0
    while applied := apply_batch():
        total += applied
        if applied < BATCH_SIZE:
            break
    return total


def apply_batch(limit: int = BATCH_SIZE) -> int:
    """The numbers contain the next reports of the log, `limit` at most. Returns how many. One transaction."""
    with transaction.atomic():
        position = lock_position()
        streamed = report_log.read_stream(position, limit)
        entry_ids, tabled = report_log.read_table(limit - len(streamed))
        reports = streamed + tabled
        if reports:
            batch = read_batch(reports)
            _apply(batch)
            report_log.keep(streamed)
            report_log.mark_applied(entry_ids)
            position.unknown_key_reports += batch.unknown_key_reports
        position.applied_at = timezone.now()
        position.save()
    measures.REPORTS_APPLIED.labels("stream").inc(len(streamed))
    measures.REPORTS_APPLIED.labels("table").inc(len(tabled))
    if streamed:
        report_log.trim_stream(position)
    return len(reports)


def hash_client(client_unique_id: str) -> UUID:
    """128 bits that stand for a client id: half its length in the table, and not the id itself."""
    return UUID(bytes=blake2b(client_unique_id.encode(), digest_size=16).digest())


def read_batch(reports: list[LoggedReport]) -> Batch:
    """Sum up what the reports say. Two queries: which builds the keys name, and how far their labels go."""
    keys = {logged.report.deployment_key for logged in reports}
    keys |= {logged.report.previous_deployment_key for logged in reports}
    build_ids = dict(Build.objects.recoverable().filter(deployment_key__in=keys).values_list("deployment_key", "pk"))
    newest_labels = _find_newest_labels(build_ids.values())
    batch = Batch()
    for logged in reports:
        build_id = build_ids.get(logged.report.deployment_key)
        if build_id is None:
            batch.unknown_key_reports += 1
            continue
        number = _find_label(logged.report, newest_labels.get(build_id, 0))
        previous_id = build_ids.get(logged.report.previous_deployment_key)
        _read_report(batch, logged, build_id, number, previous_id)
    return batch


def _find_label(report: DeviceReport, newest_label: int) -> int:
    """Which update the report is about: 0 for none that the build has given, and for the bundle of the store."""
    if report.event == ReportEvent.BINARY_STARTED:
        return STORE_BUNDLE
    number = find_label_number(report.label) or 0
    return number if number <= newest_label else 0


def _find_newest_labels(build_ids: Iterable[int]) -> dict[int, int]:
    successes = CodePush.objects.filter(build_id__in=set(build_ids)).successful().order_by()
    return dict(successes.values_list("build_id").annotate(newest=Max("label_number")))


def _read_report(batch: Batch, logged: LoggedReport, build_id: int, number: int, previous_id: int | None) -> None:
    report, received_at = logged.report, logged.received_at
    is_start = report.event in _STARTS
    # A label that the build never gave: the device is real, what it names is not.
    is_known = number > 0 or report.event == ReportEvent.BINARY_STARTED
    if not is_known:
        batch.rejected[build_id] += 1
    elif number > 0:
        batch.reports[build_id, number, report.event] += 1
    if not report.client_unique_id:
        return
    client_hash = hash_client(report.client_unique_id)
    device = batch.device(build_id, client_hash)
    device.seen_at = later(device.seen_at, received_at)
    if is_known and number > 0:
        batch.facts.setdefault((build_id, number, report.event, client_hash), received_at)
    if is_start and is_known and (device.started_at is None or received_at >= device.started_at):
        device.started_at, device.label_number = received_at, number or STORE_BUNDLE
        batch.software[build_id, client_hash] = software.read_software(report)
    if is_start and previous_id is not None and previous_id != build_id:
        left = batch.device(previous_id, client_hash)
        left.left_at = later(left.left_at, received_at)


def _apply(batch: Batch) -> None:
    changes = counters.Changes()
    for build_id, number, event, client_hash in batch_sql.insert_new_facts(batch.facts):
        changes.add_fact(build_id, number, event, batch.facts[build_id, number, event, client_hash])
    for (build_id, number, event), count in batch.reports.items():
        changes.add_reports(build_id, number, event, count)
    for build_id, count in batch.rejected.items():
        changes.rejected[build_id] += count
    software_ids = software.find_ids((build_id, text) for (build_id, _), text in batch.software.items())
    for key, text in batch.software.items():
        batch.devices[key].software_id = software_ids.get((key[0], text))
    merged = []
    known = batch_sql.read_devices(batch.devices)
    for key, said in batch.devices.items():
        before = known.get(key)
        after = merge(before, said)
        merged.append(after)
        changes.add_device(before, after, said.changed_at)
    batch_sql.write_devices(merged)
    counters.write(changes)
