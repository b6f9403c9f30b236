"""The in-process view of each build that device requests are answered from; the only owner of its freshness.

Every change stamps its build in its own transaction (`Build.revision`, `Build.changed_at`). A thread in each web
process asks a few times a second which builds were stamped lately and reloads those it holds. A stamp that it misses,
as of a very long transaction, delays a change until the snapshot is too old, and does not lose it. A snapshot that
cannot be reloaded, because the database is away, stays in service.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.db import Error as DatabaseFailure
from django.db.models.functions import Now

from builds.connections import drop_dead_connections
from builds.models import Build
from deployments.policy.types import Snapshot
from deployments.snapshot_builder import build_snapshot

logger = logging.getLogger(__name__)

MAX_SNAPSHOTS = 10_000
MAX_UNKNOWN_KEYS = 10_000
# A key registered in this second may have been asked for in the last one; the poll forgets it sooner.
UNKNOWN_KEY_SECONDS = 1.0
# Stamps are taken when a change begins to commit; a transaction may take this long and still be seen by the poll.
STAMP_WINDOW = timedelta(seconds=60)
# As a last net every snapshot is read anew after this long, whatever the stamps say.
MAX_AGE_SECONDS = 300.0


class SnapshotUnavailable(Exception):
    """Nothing is known of this key, and the database cannot be asked."""


@dataclass(slots=True)
class _Entry:
    snapshot: Snapshot
    loaded_at: float
    is_stale: bool = False


class SnapshotStore:
    """Snapshots by deployment key, least recently used out first. Safe to use from many threads."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._unknown_until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}

    def get(self, deployment_key: str) -> Snapshot | None:
        """The build's snapshot, or None for an unknown key. No query when warm, two at most when cold.

        Raises SnapshotUnavailable when it is cold and the database is away.
        """
        with self._lock:
            entry = self._entries.get(deployment_key)
            if entry is not None:
                self._entries.move_to_end(deployment_key)
            elif self._is_known_as_unknown(deployment_key):
                return None
        if entry is not None and not entry.is_stale:
            return entry.snapshot
        return self._load(deployment_key)

    def mark_stale(self, deployment_keys: Iterable[str]) -> None:
        """The next request for each key reads it anew (and is answered from the old one if that fails)."""
        with self._lock:
            for key in deployment_keys:
                self._unknown_until.pop(key, None)
                if entry := self._entries.get(key):
                    entry.is_stale = True

    def refresh_changed(self) -> None:
        """Reload every held snapshot whose build was stamped since. One indexed query, and two per changed build."""
        revisions = dict(
            Build.objects.filter(changed_at__gte=Now() - STAMP_WINDOW).values_list("deployment_key", "revision")
        )
        oldest = time.monotonic() - MAX_AGE_SECONDS
        with self._lock:
            for key in revisions:
                self._unknown_until.pop(key, None)
            due = [
                key
                for key, entry in self._entries.items()
                if entry.is_stale
                or entry.loaded_at < oldest
                or revisions.get(key, entry.snapshot.revision) != entry.snapshot.revision
            ]
        for key in due:
            self._reload(key)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._unknown_until.clear()

    def _is_known_as_unknown(self, deployment_key: str) -> bool:
        """To be asked under the lock."""
        return self._unknown_until.get(deployment_key, 0.0) > time.monotonic()

    def _load(self, deployment_key: str) -> Snapshot | None:
        with self._lock:
            flight = self._loading.setdefault(deployment_key, threading.Lock())
        # Single flight: a thousand phones that ask for one cold key cost two queries, not two thousand.
        with flight:
            try:
                with self._lock:
                    entry = self._entries.get(deployment_key)
                    if entry is not None and not entry.is_stale:
                        return entry.snapshot
                    if entry is None and self._is_known_as_unknown(deployment_key):
                        return None
                return self._reload(deployment_key)
            except DatabaseFailure as error:
                if entry is not None:
                    return entry.snapshot
                raise SnapshotUnavailable(deployment_key) from error
            finally:
                with self._lock:
                    self._loading.pop(deployment_key, None)

    def _reload(self, deployment_key: str) -> Snapshot | None:
        started_at = time.monotonic()
        drop_dead_connections()
        snapshot = build_snapshot(deployment_key)
        with self._lock:
            if snapshot is None:
                self._entries.pop(deployment_key, None)
                self._unknown_until[deployment_key] = started_at + UNKNOWN_KEY_SECONDS
                _drop_oldest(self._unknown_until, MAX_UNKNOWN_KEYS)
                return None
            held = self._entries.get(deployment_key)
            if held is not None and held.snapshot.revision > snapshot.revision:
                # Another thread, which asked later, was answered sooner.
                return held.snapshot
            self._entries[deployment_key] = _Entry(snapshot, started_at)
            _drop_oldest(self._entries, MAX_SNAPSHOTS)
        return snapshot


store = SnapshotStore()


def start_polling(interval_seconds: float) -> None:
    """From now on this process sees changes of others within the interval. Call once, after any fork."""
    threading.Thread(target=_poll_forever, args=(interval_seconds,), name="snapshot-poll", daemon=True).start()


def _poll_forever(interval_seconds: float) -> None:
    is_reachable = True
    while True:
        try:
            drop_dead_connections()
            store.refresh_changed()
            is_reachable = True
        except Exception:
            # Whatever went wrong, the next round tries again: without this thread answers would stay old for ever.
            if is_reachable:
                logger.exception("Snapshots cannot be refreshed; devices are answered from those held.")
            is_reachable = False
        time.sleep(interval_seconds)


V = TypeVar("V")


def _drop_oldest(entries: OrderedDict[str, V], limit: int) -> None:
    while len(entries) > limit:
        entries.popitem(last=False)
