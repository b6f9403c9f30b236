"""Binary patches: as a diff, but of a file that changed only what changed in it. For clients that ask for them.

Source: docs/protocol.md, "Binary patch".
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import BinaryIO
from zipfile import ZIP_STORED, ZipFile

from deployments.bundles.archive import Archive, iter_file
from deployments.bundles.diff import DiffPlan, make_entry, write_file
from deployments.bundles.manifest import Manifest

# What a client that can apply them says, and what an answer says that carries one.
PATCH_FORMAT = "bsdiff4"
# A zip with this file at its top is a binary patch. It has no DIFF_MARKER: no client can take it for a diff.
PATCH_MARKER = "hotcodepatch.json"
_DELTA_PROGRAM = Path(__file__).with_name("delta.py")


@dataclass(frozen=True)
class PatchLimits:
    """What making a patch may cost. A file beyond them goes whole."""

    # Below, a delta saves less than its entry costs.
    min_file_bytes: int = 4_096
    # bsdiff takes some 20 times this in memory.
    max_file_bytes: int = 24_000_000
    memory_bytes: int = 1_000_000_000
    seconds_per_file: int = 20


def may_be_patched(plan: DiffPlan, old: Manifest, new: Archive, limits: PatchLimits = PatchLimits()) -> bool:
    """Whether looking into the old archive may be worth it."""
    return any(path in old and new.entries[path].file_size >= limits.min_file_bytes for path in plan.changed)


def write_patch(
    plan: DiffPlan,
    old: Archive,
    new: Archive,
    manifest: Manifest,
    target: BinaryIO,
    *,
    deadline: float,
    limits: PatchLimits = PatchLimits(),
) -> bool:
    """Whether there is a file that a delta gives; then the patch is written to `target`.

    `manifest`: of the new archive. Every delta was applied, and gave what the manifest says. None is begun after the
    deadline (of `time.monotonic`). Raises BundleRefused when an archive is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="codepush-patch-") as folder:
        deltas = {
            path: delta
            for place, path in enumerate(plan.changed)
            if (delta := _make_delta(path, old, new, Path(folder, str(place)), deadline, limits)) is not None
        }
        if not deltas:
            return False
        patched = {
            path: {"delta": f"deltas/{place}", "sha256": manifest[path]} for place, path in enumerate(sorted(deltas))
        }
        description = {"format": PATCH_FORMAT, "deletedFiles": plan.deleted, "patchedFiles": patched}
        with ZipFile(target, "w") as zip_file:
            zip_file.writestr(make_entry(PATCH_MARKER), json.dumps(description, ensure_ascii=False))
            for path, described in patched.items():
                # Packed already: bsdiff4 compresses what it writes.
                zip_file.writestr(make_entry(described["delta"], ZIP_STORED), deltas[path].read_bytes())
            for path in plan.changed:
                if path not in deltas:
                    write_file(zip_file, f"files/{path}", iter_file(new, path))
    return True


def _make_delta(
    path: str, old: Archive, new: Archive, folder: Path, deadline: float, limits: PatchLimits
) -> Path | None:
    """The file with the delta, or None where the whole file is better, or would have cost too much."""
    if path not in old.entries:
        return None
    sizes = old.entries[path].file_size, new.entries[path].file_size
    if min(sizes) < limits.min_file_bytes or max(sizes) > limits.max_file_bytes or monotonic() > deadline:
        return None
    folder.mkdir()
    for name, archive in (("old", old), ("new", new)):
        with (folder / name).open("wb") as file:
            file.writelines(iter_file(archive, path))
    delta = folder / "delta"
    # -I: nothing of this process's environment or folder decides what the program imports.
    command = [sys.executable, "-I", str(_DELTA_PROGRAM), str(folder / "old"), str(folder / "new"), str(delta)]
    try:
        subprocess.run(  # noqa: S603 - our own program, and paths that we made
            [*command, str(limits.seconds_per_file), str(limits.memory_bytes)],
            check=True,
            capture_output=True,
            timeout=2 * limits.seconds_per_file,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return delta if delta.stat().st_size < new.entries[path].compress_size else None
