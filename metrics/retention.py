"""What is forgotten with time: reports that the numbers contain, and devices that fell silent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from builds.models import Build
from metrics import batch_sql, counters
from metrics.device_state import DeviceState
from metrics.models import Device, ReportLogEntry, Software
from metrics.position import lock_position

_ENTRIES_PER_BATCH = 5000
_DEVICES_PER_BATCH = 5000


def delete_old_entries(now: datetime) -> int:
    """The report log holds no applied entry of before the last REPORT_RETENTION_DAYS. Returns how many went.

    Entries lie in the order in which they were written, which is about that in which they came in. So this reads from
    the oldest on, and stops at the first batch without an old one; no index is needed. One that was written out of
    order goes when it is among the oldest. No lock: the numbers need no applied entry.
    """
    oldest_kept = now - timedelta(days=settings.REPORT_RETENTION_DAYS)
    deleted, last_id = 0, 0
    while True:
        following = ReportLogEntry.objects.filter(id__gt=last_id).order_by("id")
        batch = list(following.values_list("id", "received_at", "is_applied")[:_ENTRIES_PER_BATCH])
        old = [(entry_id, is_applied) for entry_id, received_at, is_applied in batch if received_at < oldest_kept]
        if not old:
            return deleted
        count, _ = ReportLogEntry.objects.filter(pk__in=[pk for pk, is_applied in old if is_applied]).delete()
        deleted += count
        last_id = batch[-1][0]


def retire_silent_devices(now: datetime) -> int:
    """No device that fell silent is among the devices of a build, nor active there. Returns how many left.

    Silent: for DEVICE_RETENTION_DAYS nothing was heard of it, neither a report to the build's key, nor one of another
    build that says that it came from here. It leaves in the hour of `now`. Its facts stay: downloads, installs and
    rollbacks count what happened; should it come back, it is a device again, and no second download.

    Reads every device once a day, without a lock; then a short transaction for each batch of those that leave.
    """
    oldest_kept = now - timedelta(days=settings.DEVICE_RETENTION_DAYS)
    retired = 0
    for build_id in Build.objects.order_by("id").values_list("id", flat=True):
        for client_hashes in _find_silent(build_id, oldest_kept):
            with transaction.atomic():
                lock_position()
                retired += _retire(build_id, client_hashes, oldest_kept, now)
    return retired


def forget_unused_software() -> int:
    """What no device says of its app any more is not listed: there is room for what is new. Returns how many went."""
    with transaction.atomic():
        lock_position()
        count, _ = Software.objects.filter(devices=0).delete()
    return count


def _find_silent(build_id: int, oldest_kept: datetime) -> Iterator[list[UUID]]:
    """Batches of client hashes. In the order of the primary key: no batch reads again what one before it passed."""
    silent = Device.objects.filter(
        Q(left_at__lt=oldest_kept) | Q(left_at=None),
        Q(seen_at__lt=oldest_kept) | Q(seen_at=None),
        build_id=build_id,
    )
    batch = list(silent.order_by("client_hash").values_list("client_hash", flat=True)[:_DEVICES_PER_BATCH])
    while batch:
        yield batch
        following = silent.filter(client_hash__gt=batch[-1]).order_by("client_hash")
        batch = list(following.values_list("client_hash", flat=True)[:_DEVICES_PER_BATCH])


def _retire(build_id: int, client_hashes: list[UUID], oldest_kept: datetime, now: datetime) -> int:
    # Read again under the lock: a device that reported a moment ago stays.
    known = batch_sql.read_devices((build_id, client_hash) for client_hash in client_hashes)
    silent = [device for device in known.values() if device.heard_at is None or device.heard_at < oldest_kept]
    changes = counters.Changes()
    for device in silent:
        _add_departure(changes, device, now)
    counters.write(changes)
    gone = [device.client_hash for device in silent]
    Device.objects.filter(build_id=build_id, client_hash__in=gone).delete()
    return len(gone)


def _add_departure(changes: counters.Changes, device: DeviceState, now: datetime) -> None:
    changes.add_software(device.software_id, -1)
    if device.seen_at is not None:
        changes.devices[device.build_id] -= 1
    if device.active_label is not None:
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        changes.releases[device.build_id, device.active_label]["active_devices"] -= 1
        changes.hours[device.build_id, hour, device.active_label]["active_change"] -= 1
