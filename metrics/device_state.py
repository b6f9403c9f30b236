"""What is known of a device at one build, as a value: a batch holds thousands of them."""

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID


@dataclass(slots=True)
class DeviceState:
    """One row of `metrics.models.Device`, whose fields say what each means."""

    build_id: int
    client_hash: UUID
    seen_at: datetime | None = None
    label_number: int | None = None
    started_at: datetime | None = None
    left_at: datetime | None = None
    software_id: int | None = None

    @property
    def active_label(self) -> int | None:
        """What it runs now as far as we know; None when it moved on, or never said."""
        if self.started_at is None or (self.left_at is not None and self.left_at > self.started_at):
            return None
        return self.label_number

    @property
    def heard_at(self) -> datetime | None:
        """When it was last heard of, here or by what it said of here elsewhere."""
        return later(self.seen_at, self.left_at)

    @property
    def changed_at(self) -> datetime | None:
        """When it last began to run something, or left; None when it did neither."""
        return later(self.started_at, self.left_at)


DEVICE_COLUMNS = tuple(field.name for field in fields(DeviceState))


def merge(before: DeviceState | None, said: DeviceState) -> DeviceState:
    """The later of what was known and what was said, for each thing of its own; in whatever order things are merged."""
    if before is None:
        return said
    newer = said if _is_later(said.started_at, before.started_at) else before
    return DeviceState(
        build_id=said.build_id,
        client_hash=said.client_hash,
        seen_at=later(before.seen_at, said.seen_at),
        label_number=newer.label_number,
        started_at=newer.started_at,
        left_at=later(before.left_at, said.left_at),
        software_id=newer.software_id,
    )


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    return one if other is None or (one is not None and one > other) else other


def _is_later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one >= other)
