"""Store versions: reading what devices send, and comparing it with a build's own.

Source: protocol of the original server, "app_version handling" (docs/protocol.md).
"""

import re
from functools import lru_cache
from typing import Self

_NUMBER = r"(0|[1-9]\d*)"
_IDENTIFIER = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
_STRICT = re.compile(
    rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_ONE_PART = re.compile(r"\d+", re.ASCII)
_TWO_PARTS = re.compile(r"(\d+\.\d+)([-+].*)?", re.ASCII)
# JavaScript's largest safe integer: semver as the original server reads it refuses larger numbers, and longer texts.
_MAX_NUMBER = 2**53 - 1
_MAX_LENGTH = 256

# Release numbers, then a pre-release tail. (1,) stands for "no tail" and sorts after every tail.
_Key = tuple[int, int, int, tuple[object, ...]]


class Version:
    """A semantic version. Equal and ordered by precedence: build metadata ("+7") does not take part."""

    __slots__ = ("_key",)

    def __init__(self, key: _Key) -> None:
        self._key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __lt__(self, other: Self) -> bool:
        return self._key < other._key


def find_version(text: str) -> Version | None:
    """The version that a device or person wrote, or None.

    "3" and "3.0" mean 3.0.0, also before a tail ("3.0-beta"). Around all three numbers a leading "v" and blanks pass.
    Refused: "", "abc", "3.0.0.0", "=3.0.0", "03.0.0", "3-beta", "3.x", "v3", numbers above 2^53 - 1, endless texts.
    """
    return _read_version(text) if len(text) <= _MAX_LENGTH else None


# Devices of a build all send the same.
@lru_cache(maxsize=1000)
def _read_version(text: str) -> Version | None:
    if _ONE_PART.fullmatch(text):
        text += ".0.0"
    elif match := _TWO_PARTS.fullmatch(text):
        text = f"{match[1]}.0{match[2] or ''}"
    strict = _STRICT.fullmatch(text.strip())
    if strict is None:
        return None
    major, minor, patch = map(int, strict.groups()[:3])
    if max(major, minor, patch) > _MAX_NUMBER:
        return None
    tail: tuple[object, ...] = (1,)
    if strict[4] is not None:
        tail = (0, *(_identifier_key(part) for part in strict[4].split(".")))
    return Version((major, minor, patch, tail))


def _identifier_key(identifier: str) -> tuple[int, int, str]:
    """Semver 2.0, rule 11: numbers sort by value and before words; words sort by ASCII."""
    return (0, int(identifier), "") if identifier.isdigit() else (1, 0, identifier)
