"""Snapshots kept in a file of this host, so that a restarted web process can answer while the database is away.

The web processes of a host share the file. It holds what they held a moment before; nobody reads it while the database
answers. KEEP_SNAPSHOTS=0 turns it off.
"""

import json
import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import fields
from typing import Any, cast

from django.conf import settings

from deployments.policy.hash_map import DownloadsByHash, LabelsByHash
from deployments.policy.types import Candidate, Download, Snapshot
from deployments.policy.version_range import find_version

logger = logging.getLogger(__name__)

# Raise it when the fields of Snapshot or Candidate change: what another version wrote is not read.
FORMAT = 2
MAX_KEPT = 20_000
# Held snapshots are read anew, and so kept anew, every few minutes. One that was not for so long before the last write
# was held by nobody any more: what it offers may have been disabled since.
_STALE_SECONDS = 900

_TABLE = """
CREATE TABLE IF NOT EXISTS snapshots (key TEXT PRIMARY KEY, format INTEGER, kept_at REAL, snapshot TEXT);
CREATE INDEX IF NOT EXISTS snapshots_by_age ON snapshots (kept_at);
"""

_waiting: dict[str, Snapshot] = {}


def put(snapshot: Snapshot) -> None:
    """The next `write` keeps it. Costs nothing now: requests wait for this."""
    if settings.KEEP_SNAPSHOTS:
        _waiting[snapshot.deployment_key] = snapshot


def write() -> None:
    """What was put is in the file. One that cannot be written is no reason to stop: all is put again in a while."""
    if not _waiting:
        return
    rows = [(key, FORMAT, time.time(), _dump(_waiting.pop(key))) for key in list(_waiting)]
    try:
        with _opened() as file, file:
            file.executemany("REPLACE INTO snapshots VALUES (?, ?, ?, ?)", rows)
            file.execute(
                "DELETE FROM snapshots WHERE rowid IN"
                " (SELECT rowid FROM snapshots ORDER BY kept_at DESC LIMIT -1 OFFSET ?)",
                (MAX_KEPT,),
            )
    except sqlite3.Error as error:
        logger.warning("snapshots are not kept: %s", error)


def find(deployment_key: str) -> Snapshot | None:
    """What the processes of this host held until the database went away, if this version of the code wrote it."""
    if not settings.KEEP_SNAPSHOTS:
        return None
    # Whatever is wrong with the file, it is as if there were none.
    with suppress(sqlite3.Error, ValueError, KeyError, TypeError), _opened() as file:
        query = (
            "SELECT snapshot FROM snapshots WHERE key = ? AND format = ?"
            " AND kept_at > (SELECT max(kept_at) FROM snapshots) - ?"
        )
        row = file.execute(query, (deployment_key, FORMAT, _STALE_SECONDS)).fetchone()
        return _load(json.loads(row[0])) if row else None
    return None


@contextmanager
def _opened() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(settings.VAR_DIR / "snapshots.sqlite3", timeout=2)) as file:
        # Not durable on purpose: after a power cut the database is asked, as ever.
        file.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + _TABLE)
        yield file


def _dump(snapshot: Snapshot) -> str:
    values = _values_of(snapshot)
    # What the store version says.
    del values["version"]
    values["candidates"] = [_values_of(candidate) for candidate in snapshot.candidates]
    values["disabled_labels"] = [*snapshot.disabled_labels]
    return json.dumps(values, default=_plain)


def _values_of(value: Snapshot | Candidate | Download) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _plain(value: object) -> dict[str, Any]:
    return _values_of(value) if isinstance(value, Download) else dict(cast(Mapping[str, Any], value))


def _load(values: dict[str, Any]) -> Snapshot | None:
    version = find_version(values["store_version"])
    candidates = tuple(_load_candidate(candidate) for candidate in values.pop("candidates"))
    disabled_labels = frozenset(values.pop("disabled_labels"))
    if version is None:
        return None
    labels = LabelsByHash(values.pop("label_by_package_hash"))
    return Snapshot(
        **values,
        version=version,
        candidates=candidates,
        disabled_labels=disabled_labels,
        label_by_package_hash=labels,
    )


def _load_candidate(values: dict[str, Any]) -> Candidate:
    whole = Download(**values.pop("whole"))
    diffs, patches = _load_downloads(values.pop("diffs")), _load_downloads(values.pop("patches"))
    return Candidate(**values, whole=whole, diffs=diffs, patches=patches)


def _load_downloads(downloads: dict[str, Any]) -> DownloadsByHash:
    return DownloadsByHash({from_hash: Download(**download) for from_hash, download in downloads.items()})
