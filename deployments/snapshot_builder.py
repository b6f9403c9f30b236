"""From rows of the database to the frozen `Snapshot` that `decide` reads."""

import sys
from collections.abc import Iterable, Mapping
from itertools import groupby

from builds.models import Build
from deployments.policy.hash_map import DownloadsByHash, LabelsByHash
from deployments.policy.types import Candidate, Download, Snapshot
from deployments.policy.version_range import find_version
from deployments.selectors import CandidateRow, ReleaseRow, load_candidate_rows, load_release_rows

_NO_LABELS: frozenset[int] = frozenset()
_NO_DOWNLOADS = DownloadsByHash({})


def build_snapshot(deployment_key: str) -> Snapshot | None:
    """The present facts of the build, or None for an unknown key. Two queries; one without an enabled success."""
    while (rows := load_release_rows(deployment_key)) and (candidates := _load_candidates(rows)) is None:
        # Changed between the two queries: half of it would be a state that there never was.
        pass
    if not rows:
        return None
    return _assemble(deployment_key, rows, candidates or ())


def _assemble(deployment_key: str, rows: list[ReleaseRow], candidates: tuple[Candidate, ...]) -> Snapshot:
    build = rows[0]
    releases = [row for row in rows if row.label_number is not None]
    version = find_version(build.store_version)
    if version is None:
        raise ValueError(f"Build with key {deployment_key} has store version {build.store_version!r}")
    return Snapshot(
        deployment_key=deployment_key,
        revision=build.revision,
        # One text for all builds of a version.
        store_version=sys.intern(build.store_version),
        version=version,
        is_successful=build.status == Build.Status.SUCCESS,
        is_force_updated=build.is_force_updated,
        live_store_version=build.live_store_version or "",
        candidates=candidates,
        newest_label=releases[0].label_number or 0 if releases else 0,
        # For most builds the one empty set there is.
        disabled_labels=frozenset(row.label_number or 0 for row in releases if not row.is_enabled) or _NO_LABELS,
        # Oldest first, so that the newest label with a hash is the one that stays.
        label_by_package_hash=LabelsByHash(
            {row.package_hash or "": row.label_number or 0 for row in reversed(releases)}
        ),
    )


def _load_candidates(releases: list[ReleaseRow]) -> tuple[Candidate, ...] | None:
    """Enabled successes from the newest down to the first finished rollout: below that nothing is ever offered.

    None if the build has changed since `releases` were read.
    """
    enabled = [row for row in releases if row.is_enabled]
    finished_at = next((place for place, row in enumerate(enabled) if (row.rollout_percent or 0) >= 100), len(enabled))
    offered = enabled[: finished_at + 1]
    if not offered:
        return ()
    mandatory_labels = [row.label_number or 0 for row in enabled if row.is_mandatory]
    rows = load_candidate_rows([row.codepush_id for row in offered if row.codepush_id is not None])
    if any(row.build_revision != releases[0].revision for row in rows):
        return None
    return tuple(
        _candidate(list(group), mandatory_labels) for _, group in groupby(rows, key=lambda row: row.label_number)
    )


def _candidate(rows: list[CandidateRow], mandatory_labels: Iterable[int]) -> Candidate:
    row = rows[0]
    return Candidate(
        label_number=row.label_number,
        deployment_id=row.deployment_id,
        package_hash=row.package_hash,
        whole=Download(row.storage_name, row.size_bytes),
        rollout_percent=row.rollout_percent,
        is_mandatory=row.is_mandatory,
        description=row.description,
        mandatory_label=max((label for label in mandatory_labels if label <= row.label_number), default=0),
        diffs=_map_downloads((row.diff_from_hash, row.diff_storage_name, row.diff_size_bytes) for row in rows),
        patches=_map_downloads((row.patch_from_hash, row.patch_storage_name, row.patch_size_bytes) for row in rows),
    )


def _map_downloads(rows: Iterable[tuple[str | None, str | None, int | None]]) -> Mapping[str, Download]:
    downloads = {from_hash: Download(name, size or 0) for from_hash, name, size in rows if from_hash and name}
    return DownloadsByHash(downloads) if downloads else _NO_DOWNLOADS
