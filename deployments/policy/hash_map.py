"""Mappings from package hashes in a fraction of a dict's memory: a web process holds thousands of them.

Of each hash the first half is kept and looked at: 128 bits of a SHA-256 belong to one bundle only.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from struct import Struct
from typing import Any

from deployments.policy.types import Download

_KEPT_HEX = 32
_KEPT = _KEPT_HEX // 2
# How published archives are called: by the SHA-256 of their bytes.
_SUFFIX = ".zip"


class _Records:
    """Values of one size, one behind the other in one object, each behind the half of its hash. In order of these."""

    __slots__ = ("_joined",)
    _format: Struct

    def _join(self, values: Mapping[str, tuple[Any, ...]]) -> None:
        records = [_halve(package_hash) + self._format.pack(*value) for package_hash, value in values.items()]
        self._joined = b"".join(sorted(records))

    def _find(self, package_hash: str) -> tuple[Any, ...]:
        """Some ten comparisons among a thousand. Raises KeyError."""
        try:
            sought = _halve(package_hash)
        except ValueError as error:
            raise KeyError(package_hash) from error
        size, joined = _KEPT + self._format.size, self._joined
        at = size * bisect_left(range(len(joined) // size), sought, key=lambda n: joined[n * size : n * size + _KEPT])
        # Hexadecimal digits have other spellings, which no client sends; what is shorter is no hash.
        if len(sought) < _KEPT or joined[at : at + _KEPT].hex() != package_hash[:_KEPT_HEX]:
            raise KeyError(package_hash)
        return self._format.unpack_from(joined, at + _KEPT)

    def __iter__(self) -> Iterator[str]:
        """The half hashes, which find the same values as the whole ones."""
        size = _KEPT + self._format.size
        return (self._joined[at : at + _KEPT].hex() for at in range(0, len(self._joined), size))

    def __len__(self) -> int:
        return len(self._joined) // (_KEPT + self._format.size)


def _halve(package_hash: str) -> bytes:
    return bytes.fromhex(package_hash[:_KEPT_HEX])


class LabelsByHash(_Records, Mapping[str, int]):
    """Package hash → label number."""

    __slots__ = ()
    _format = Struct("I")

    def __init__(self, labels: Mapping[str, int]) -> None:
        self._join({package_hash: (label,) for package_hash, label in labels.items()})

    def __getitem__(self, package_hash: str) -> int:
        label: int = self._find(package_hash)[0]
        return label


class DownloadsByHash(_Records, Mapping[str, Download]):
    """Package hash → what turns a device's bundle with that hash into another one."""

    __slots__ = ()
    _format = Struct("32sQ")

    def __init__(self, downloads: Mapping[str, Download]) -> None:
        self._join(
            {h: (bytes.fromhex(d.storage_name.removesuffix(_SUFFIX)), d.size_bytes) for h, d in downloads.items()}
        )

    def __getitem__(self, package_hash: str) -> Download:
        digest, size_bytes = self._find(package_hash)
        return Download(digest.hex() + _SUFFIX, size_bytes)
