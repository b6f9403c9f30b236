"""The in-process view of each build that device requests are answered from; the only owner of its freshness.

Every change stamps its build in its own transaction (`Build.revision`, `Build.changed_at`). Requests never wait for a
snapshot that is held: a thread (`snapshot_refresh`) asks a few times a second which builds were stamped lately, by the
clock of the database, and reads those held anew. After a time without such a round, as when the database was away (and
may be an older copy of itself now), the revisions of all held builds are compared instead. A snapshot that cannot be
read anew stays in service.
"""

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from django.db import Error as DatabaseFailure
from django.db.models.functions import Now

from builds.connections import drop_dead_connections
from builds.models import Build
from deployments import snapshot_shelf
from deployments.policy.types import Snapshot
from deployments.snapshot_builder import build_snapshot

logger = logging.getLogger(__name__)

MAX_SNAPSHOTS = 15_000
MAX_UNKNOWN_KEYS = 10_000
# A key registered in this second may have been asked for in the last one; the poll forgets it sooner.
UNKNOWN_KEY_SECONDS = 1.0
# Stamps are taken when a change begins to commit; a transaction may take this long and still be seen by the poll.
STAMP_WINDOW = timedelta(seconds=60)
# As a last net every snapshot is read anew after this long, whatever the stamps say: a few in each round, so that
# thousands that were read at one time do not hold up a change.
MAX_AGE_SECONDS = 300.0
AGED_PER_ROUND = 25
# Threads that wait for the database on behalf of cold keys: half of those that a web process has (Procfile), so that a
# slow database leaves the other half to warm ones. One more waits this long for its turn.
MAX_COLD_LOOKUPS = 16
COLD_LOOKUP_WAIT_SECONDS = 0.05
_KEYS_PER_QUERY = 500


class SnapshotUnavailable(Exception):
    """Nothing is known of this key, and the database cannot be asked."""


@dataclass(slots=True)
class Held:
    """A snapshot for as long as it is the one in service, then None: whoever keeps this sees it go."""

    snapshot: Snapshot | None
    loaded_at: float
    is_used: bool = False


class SnapshotStore:
    """Snapshots by deployment key, least recently used out first. Safe to use from many threads."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._unknown_until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}
        self._cold_lookups = threading.BoundedSemaphore(MAX_COLD_LOOKUPS)
        self._aged: deque[str] = deque()
        self._aged_looked_for_at = monotonic()
        self._refreshed_at = monotonic()
        self._is_refresh_due = False

    def find_held(self, deployment_key: str) -> Held | None:
        """No query, and no lock: looking into a dict is one step for the interpreter."""
        return self._held.get(deployment_key)

    def find_warm(self, deployment_key: str) -> Snapshot | None:
        """The snapshot, if it is held, as cheaply as that."""
        held = self._held.get(deployment_key)
        if held is None:
            return None
        held.is_used = True
        return held.snapshot

    def get(self, deployment_key: str) -> Snapshot | None:
        """The build's snapshot, or None for an unknown key. No query when warm, two at most when cold.

        Raises SnapshotUnavailable when it is cold and the database is away, or too slow for all who ask.
        """
        snapshot = self.find_warm(deployment_key)
        if snapshot is not None or self._is_known_as_unknown(deployment_key):
            return snapshot
        with self._cold_lookup(deployment_key):
            return self._load(deployment_key)

    def reread(self, deployment_keys: Iterable[str]) -> None:
        """Held ones of these are what the database says now. Two queries each; if they fail, the next round does it."""
        for key in deployment_keys:
            self._unknown_until.pop(key, None)
            if key in self._held:
                try:
                    self._reload(key)
                except DatabaseFailure:
                    logger.warning("The snapshot of a changed build cannot be read; the next round reads it.")

    def refresh_changed(self) -> None:
        """Held are the builds as they are now. One indexed query, two per changed build, and for a few aged ones."""
        started_at = monotonic()
        try:
            self._refresh(started_at)
        except BaseException:
            self._is_refresh_due = True
            raise
        self._refreshed_at, self._is_refresh_due = started_at, False

    def seconds_since_refresh(self) -> float:
        """How old the answers may be at most, by the clock of this process."""
        return monotonic() - self._refreshed_at

    def clear(self) -> None:
        with self._lock:
            while self._held:
                self._held.popitem()[1].snapshot = None
            self._unknown_until.clear()

    def _refresh(self, now: float) -> None:
        # Longer ago than a round ever takes, and stamps may have left the window unseen.
        if self._is_refresh_due or now - self._refreshed_at > STAMP_WINDOW.total_seconds() / 2:
            changed = self._list_other_revisions()
            self._unknown_until.clear()
        else:
            changed = self._list_stamped()
        for key in [*changed, *self._list_aged(now)]:
            self._reload(key)

    def _list_stamped(self) -> list[str]:
        stamped = Build.objects.filter(changed_at__gte=Now() - STAMP_WINDOW)
        changed = []
        for key, revision in stamped.values_list("deployment_key", "revision"):
            self._unknown_until.pop(key, None)
            held = self._held.get(key)
            if held is not None and held.snapshot is not None and held.snapshot.revision != revision:
                changed.append(key)
        return changed

    def _list_other_revisions(self) -> list[str]:
        """Held keys whose build is not the one that was read: newer, older, or gone."""
        with self._lock:
            held = {key: held.snapshot.revision for key, held in self._held.items() if held.snapshot is not None}
        keys = list(held)
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            builds = Build.objects.filter(deployment_key__in=keys[start : start + _KEYS_PER_QUERY])
            for key, revision in builds.values_list("deployment_key", "revision"):
                if held[key] == revision:
                    del held[key]
        return list(held)

    def _list_aged(self, now: float) -> list[str]:
        if not self._aged and now - self._aged_looked_for_at > MAX_AGE_SECONDS / 60:
            self._aged_looked_for_at = now
            with self._lock:
                self._aged.extend(key for key, held in self._held.items() if now - held.loaded_at > MAX_AGE_SECONDS)
        return [self._aged.popleft() for _ in range(min(AGED_PER_ROUND, len(self._aged)))]

    def _is_known_as_unknown(self, deployment_key: str) -> bool:
        return self._unknown_until.get(deployment_key, 0.0) > monotonic()

    @contextmanager
    def _cold_lookup(self, deployment_key: str) -> Iterator[None]:
        if not self._cold_lookups.acquire(timeout=COLD_LOOKUP_WAIT_SECONDS):
            raise SnapshotUnavailable(deployment_key)
        try:
            yield
        finally:
            self._cold_lookups.release()

    def _load(self, deployment_key: str) -> Snapshot | None:
        with self._lock:
            flight = self._loading.setdefault(deployment_key, threading.Lock())
        # Single flight: a thousand phones that ask for one cold key cost two queries, not two thousand.
        with flight:
            try:
                snapshot = self.find_warm(deployment_key)
                if snapshot is not None or self._is_known_as_unknown(deployment_key):
                    return snapshot
                return self._reload(deployment_key)
            except DatabaseFailure as error:
                return self._take_from_shelf(deployment_key, error)
            finally:
                with self._lock:
                    self._loading.pop(deployment_key, None)

    def _take_from_shelf(self, deployment_key: str, failure: DatabaseFailure) -> Snapshot:
        snapshot = snapshot_shelf.find(deployment_key)
        if snapshot is None:
            raise SnapshotUnavailable(deployment_key) from failure
        self._is_refresh_due = True
        return self._hold(snapshot, loaded_at=0.0)

    def _reload(self, deployment_key: str) -> Snapshot | None:
        started_at = monotonic()
        drop_dead_connections()
        snapshot = build_snapshot(deployment_key)
        if snapshot is not None:
            return self._hold(snapshot, started_at)
        with self._lock:
            if (held := self._held.pop(deployment_key, None)) is not None:
                held.snapshot = None
            self._unknown_until[deployment_key] = started_at + UNKNOWN_KEY_SECONDS
            while len(self._unknown_until) > MAX_UNKNOWN_KEYS:
                self._unknown_until.popitem(last=False)
        return None

    def _hold(self, snapshot: Snapshot, loaded_at: float) -> Snapshot:
        """The one in service now: the given one, unless another thread, which asked later, was answered sooner."""
        key = snapshot.deployment_key
        with self._lock:
            held = self._held.get(key)
            # By time, not by revision: the database may be an older copy of itself.
            if held is not None and held.snapshot is not None and held.loaded_at > loaded_at:
                return held.snapshot
            self._held[key] = Held(snapshot, loaded_at, is_used=held is not None and held.is_used)
            if held is not None:
                held.snapshot = None
            self._drop_least_used()
        snapshot_shelf.put(snapshot)
        return snapshot

    def _drop_least_used(self) -> None:
        """Second chance: the oldest that nobody asked for since it was last looked at. To be called under the lock."""
        while len(self._held) > MAX_SNAPSHOTS:
            key, held = self._held.popitem(last=False)
            if held.is_used:
                held.is_used = False
                self._held[key] = held
            else:
                held.snapshot = None


store = SnapshotStore()
