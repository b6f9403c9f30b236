"""The append-only log of what devices reported. A report that `append` took is durable.

With REDIS_URL the log is a stream, and the table its fallback; without, the table. Both are read by `aggregation`
in batches, in order; what a batch holds is gone from the log in the transaction that applies it.
"""

import json
import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from typing import cast

import redis
from django.conf import settings
from django.db import Error as DatabaseFailure

from builds.connections import drop_dead_connections
from metrics import batch_sql
from metrics.models import LogPosition, ReportLogEntry
from metrics.reports import DeviceReport, ReportEvent
from metrics.stream_appender import StreamAppender

logger = logging.getLogger(__name__)

STREAM = "codepush:reports"
_REDIS_TIMEOUT_SECONDS = 0.5
# In the order of DeviceReport, the event first; the table's columns have the same names.
_FIELDS = tuple(field.name for field in fields(DeviceReport))


class LogUnavailable(Exception):
    """The report is not durable anywhere; the device should send it again."""


@dataclass(frozen=True, slots=True)
class LoggedReport:
    """A report with the time it came in, by the clock of the log."""

    report: DeviceReport
    received_at: datetime


def append(report: DeviceReport) -> None:
    """The report is in the log, to stay. Raises LogUnavailable."""
    if settings.REDIS_URL:
        try:
            _append_to_stream(report)
        except redis.RedisError as error:
            logger.warning("report log: Redis did not take a report (%s); the table does", type(error).__name__)
        else:
            return
    _table.append(report)


def _append_to_stream(report: DeviceReport) -> None:
    sent = {name: value for name, value in _values_of(report).items() if value}
    # Bounded by Redis's maxmemory: one that is full refuses, and the table takes over.
    _open_stream(settings.REDIS_URL).append(STREAM, "report", _to_json(sent))


def _values_of(report: DeviceReport) -> dict[str, str]:
    """As `asdict`, which takes ten times as long: it would copy each value."""
    return {name: getattr(report, name) for name in _FIELDS}


# `json.dumps` makes one for every call that asks for something other than its defaults.
_to_json = json.JSONEncoder(ensure_ascii=False).encode


@cache
def _open_stream(url: str) -> StreamAppender:
    return StreamAppender(url, timeout_seconds=_REDIS_TIMEOUT_SECONDS)


def connect_redis() -> "redis.Redis":
    return _connect(settings.REDIS_URL)


@cache
def _connect(url: str) -> "redis.Redis":
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
        socket_timeout=_REDIS_TIMEOUT_SECONDS,
    )


class _Waiting:
    """A report on its way into the table; set once its transaction ended."""

    __slots__ = ("failure", "is_over", "report")

    def __init__(self, report: DeviceReport) -> None:
        self.report = report
        self.is_over = False
        self.failure: DatabaseFailure | None = None


class _TableLog:
    """Appends of many threads share transactions: whoever comes first writes for all who wait behind.

    A commit costs the disk the same for one row as for a hundred.
    """

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._queue_lock = threading.Lock()
        self._write_lock = threading.Lock()

    def append(self, report: DeviceReport) -> None:
        mine = _Waiting(report)
        with self._queue_lock:
            self._waiting.append(mine)
        with self._write_lock:
            if not mine.is_over:
                with self._queue_lock:
                    batch, self._waiting = self._waiting, []
                self._write(batch)
        if mine.failure is not None:
            raise LogUnavailable from mine.failure

    def _write(self, batch: list[_Waiting]) -> None:
        drop_dead_connections()
        failure = None
        try:
            ReportLogEntry.objects.bulk_create([ReportLogEntry(**_values_of(waiting.report)) for waiting in batch])
        except DatabaseFailure as error:
            failure = error
        for waiting in batch:
            waiting.failure, waiting.is_over = failure, True


_table = _TableLog()


def read_stream(position: LogPosition, limit: int) -> list[LoggedReport]:
    """The next reports of the stream, and `position` moved behind them (not saved). Empty without Redis.

    The caller holds the lock on `position`, and saves it in the transaction that applies the reports.
    """
    if not settings.REDIS_URL:
        return []
    try:
        if _is_behind(position.stream_id):
            # The stream was made anew, by a Redis whose clock is behind: its entries are all new.
            position.stream_id = "0-0"
        answer = connect_redis().xrange(STREAM, min=f"({position.stream_id}", count=limit)
    except redis.RedisError as error:
        logger.warning("report log: Redis cannot be read (%s)", type(error).__name__)
        return []
    entries = cast(list[tuple[str, dict[str, str]]], answer)
    if entries:
        position.stream_id = entries[-1][0]
    return [_read_entry(entry_id, texts) for entry_id, texts in entries]


def trim_stream(position: LogPosition) -> None:
    """Forget what is applied and committed. Not doing so loses nothing: reading goes on behind the position."""
    if not settings.REDIS_URL:
        return
    milliseconds, number = _sort_key(position.stream_id)
    try:
        connect_redis().xtrim(STREAM, minid=f"{milliseconds}-{number + 1}", approximate=False)
    except redis.RedisError as error:
        logger.warning("report log: applied entries stay in Redis (%s)", type(error).__name__)


def read_table(limit: int) -> tuple[list[int], list[LoggedReport]]:
    """(ids, reports) that are in the table and not applied, oldest first."""
    rows = ReportLogEntry.objects.filter(is_applied=False).order_by("id").values_list("pk", "received_at", *_FIELDS)
    entries = list(rows[:limit])
    reports = [LoggedReport(DeviceReport(ReportEvent(event), *rest), at) for _, at, event, *rest in entries]
    return [entry[0] for entry in entries], reports


def measure_waiting() -> tuple[int, float]:
    """(reports that are not in the numbers, seconds that the oldest of them has waited). Raises as its stores do."""
    waiting = ReportLogEntry.objects.filter(is_applied=False)
    count = waiting.count()
    oldest = waiting.order_by("id").values_list("received_at", flat=True).first()
    since = [oldest] if oldest else []
    if settings.REDIS_URL:
        applied = LogPosition.objects.values_list("stream_id", flat=True).first() or "0-0"
        first = cast(list[tuple[str, dict[str, str]]], connect_redis().xrange(STREAM, min=f"({applied}", count=1))
        # The stream is trimmed behind the position after each batch, so its length is what waits.
        count += connect_redis().xlen(STREAM) if first else 0
        since += [_read_time(entry_id) for entry_id, _ in first]
    return count, max(0.0, (datetime.now(UTC) - min(since)).total_seconds()) if since else 0.0


def mark_applied(entry_ids: Iterable[int]) -> None:
    ReportLogEntry.objects.filter(pk__in=list(entry_ids)).update(is_applied=True)


def keep(reports: Iterable[LoggedReport]) -> None:
    """Reports of the stream are in the table too, as applied, for those who look up a device."""
    rows = ((*(getattr(logged.report, name) for name in _FIELDS), logged.received_at, True) for logged in reports)
    batch_sql.append_rows("metrics_reportlogentry", (*_FIELDS, "received_at", "is_applied"), rows)


def _is_behind(stream_id: str) -> bool:
    if stream_id == "0-0" or not connect_redis().exists(STREAM):
        return False
    newest = cast(dict[str, str], connect_redis().xinfo_stream(STREAM))["last-generated-id"]
    return _sort_key(newest) < _sort_key(stream_id)


def _sort_key(stream_id: str) -> tuple[int, int]:
    milliseconds, number = stream_id.split("-")
    return int(milliseconds), int(number)


def _read_entry(entry_id: str, texts: dict[str, str]) -> LoggedReport:
    sent = json.loads(texts["report"])
    report = DeviceReport(ReportEvent(sent.pop("event")), **sent)
    return LoggedReport(report, _read_time(entry_id))


def _read_time(entry_id: str) -> datetime:
    milliseconds, _ = _sort_key(entry_id)
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
