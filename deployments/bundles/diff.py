"""File-level diffs in the format that all CodePush clients apply: `hotcodepush.json` and the new or changed files.

Source: docs/protocol.md, "Diff".
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from deployments.bundles.archive import DIFF_MARKER, Archive, iter_file
from deployments.bundles.manifest import Manifest

# Entries carry this date, so that the same two bundles always give the same diff.
_EPOCH = (1980, 1, 1, 0, 0, 0)
# Below this an archive is worth a diff whatever it saves: clients check the hash of what a diff made, but not
# that of a whole unsigned update. Above, one that saves less than a tenth costs more time than it is worth.
_ALWAYS_BYTES = 1_000_000
_WORTHWHILE_SHARE = 0.9


@dataclass(frozen=True)
class DiffPlan:
    """What must change to get from one bundle to another: sorted paths."""

    changed: list[str]
    deleted: list[str]


def plan_diff(old: Manifest, new: Manifest) -> DiffPlan | None:
    """None when nothing changed, or no client could apply it. A renamed file is one deleted and one new."""
    changed = sorted(path for path, digest in new.items() if old.get(path) != digest)
    if not _folders_of(old).isdisjoint(changed):
        # Clients delete files, but leave their folder; Android cannot put a file in its place.
        return None
    deleted = sorted(path for path in old if path not in new)
    return DiffPlan(changed, deleted) if changed or deleted else None


def _folders_of(manifest: Manifest) -> set[str]:
    """Every folder that holds a file, however deep."""
    return {path[:place] for path in manifest for place, character in enumerate(path) if character == "/"}


def is_worthwhile(plan: DiffPlan, archive: Archive) -> bool:
    """Whether devices would save enough by the diff instead of the whole archive."""
    return archive.size_bytes < _ALWAYS_BYTES or estimate_bytes(plan, archive) < archive.size_bytes * _WORTHWHILE_SHARE


def write_diff(plan: DiffPlan, archive: Archive, target: BinaryIO) -> None:
    """Write the diff archive to `target`, in constant memory. Raises BundleRefused when `archive` is damaged."""
    with ZipFile(target, "w", ZIP_DEFLATED) as zip_file:
        zip_file.writestr(make_entry(DIFF_MARKER), json.dumps({"deletedFiles": plan.deleted}, ensure_ascii=False))
        for path in plan.changed:
            write_file(zip_file, path, iter_file(archive, path))


def estimate_bytes(plan: DiffPlan, archive: Archive) -> int:
    """How large the diff is, but for its directory. Looks at the archive's own directory only."""
    return sum(archive.entries[path].compress_size for path in plan.changed)


def write_file(zip_file: ZipFile, name: str, content: Iterable[bytes]) -> None:
    with zip_file.open(make_entry(name), "w") as entry:
        for chunk in content:
            entry.write(chunk)


def make_entry(name: str, compression: int = ZIP_DEFLATED) -> ZipInfo:
    info = ZipInfo(name, _EPOCH)
    info.compress_type = compression
    info.external_attr = 0o644 << 16
    return info
