"""What differs between two bundles, file by file. Pure: manifests and sizes in, sorted changes out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from deployments.bundles.manifest import Manifest

# Characters that draw nothing, or turn round what follows: with one of them "gpj.exe" reads "exe.jpg".
_INVISIBLE = re.compile("[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")

_NO_SIZES: Mapping[str, int] = {}


class Change(StrEnum):
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file. Sizes are those unpacked, None where the file is not, or its size is not known."""

    path: str
    change: Change
    old_bytes: int | None = None
    new_bytes: int | None = None

    @property
    def difference_bytes(self) -> int | None:
        """By how much the bundle grows through this file (negative: shrinks); None when that is not known."""
        match self.change:
            case Change.ADDED:
                return self.new_bytes
            case Change.REMOVED:
                return None if self.old_bytes is None else -self.old_bytes
        return None if self.old_bytes is None or self.new_bytes is None else self.new_bytes - self.old_bytes

    @property
    def folder(self) -> str:
        """As people may read it, with its slash; "" at the top."""
        return show_path(self.path[: self.path.rfind("/") + 1])

    @property
    def name(self) -> str:
        return show_path(self.path[self.path.rfind("/") + 1 :])


@dataclass(frozen=True)
class Comparison:
    """Every file that is not the same in both, largest difference first, and how many are the same."""

    changes: tuple[FileChange, ...]
    unchanged_count: int

    def of(self, change: Change) -> tuple[FileChange, ...]:
        return tuple(one for one in self.changes if one.change == change)

    def difference_bytes(self, change: Change) -> int | None:
        """What all files of this kind add to the bundle together; None when the size of one is not known."""
        differences = [one.difference_bytes for one in self.of(change)]
        known = [difference for difference in differences if difference is not None]
        return sum(known) if len(known) == len(differences) else None

    def matching(self, text: str) -> "Comparison":
        """Only changes of files whose path holds the text, in upper or lower case."""
        wanted = text.casefold()
        return Comparison(tuple(c for c in self.changes if wanted in c.path.casefold()), self.unchanged_count)


def compare_files(
    old: Manifest,
    new: Manifest,
    old_bytes: Mapping[str, int] | None,
    new_bytes: Mapping[str, int] | None,
) -> Comparison:
    """From `old` to `new`. Sizes by path; None for a bundle of which they are not known."""
    old_sizes, new_sizes = old_bytes or _NO_SIZES, new_bytes or _NO_SIZES
    changes = [
        *(FileChange(p, Change.REMOVED, old_bytes=old_sizes.get(p)) for p in old if p not in new),
        *(FileChange(p, Change.ADDED, new_bytes=new_sizes.get(p)) for p in new if p not in old),
        *(
            FileChange(p, Change.CHANGED, old_sizes.get(p), new_sizes.get(p))
            for p in new
            if p in old and old[p] != new[p]
        ),
    ]
    changes.sort(key=lambda one: (-abs(one.difference_bytes or 0), one.path))
    return Comparison(tuple(changes), sum(1 for path in new if old.get(path) == new[path]))


def show_path(path: str) -> str:
    """The path with characters that nobody could see written out, as <U+202E>."""
    return _INVISIBLE.sub(lambda match: f"<U+{ord(match[0]):04X}>", path)
