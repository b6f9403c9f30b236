"""Mappings from package hashes in a fraction of a dict's memory: a web process holds thousands of them."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from deployments.policy.types import Download

_DIGEST_BYTES = 32


class _Digests(Sequence[str]):
    """SHA-256 digests one behind the other in one object, as lower-case hex to those who read them."""

    __slots__ = ("_joined",)

    def __init__(self, digests: list[str]) -> None:
        self._joined = b"".join(map(bytes.fromhex, digests))

    def __len__(self) -> int:
        return len(self._joined) // _DIGEST_BYTES

    def __getitem__(self, place: int) -> str:  # type: ignore[override]
        if place >= len(self):
            raise IndexError(place)
        return self._joined[place * _DIGEST_BYTES : (place + 1) * _DIGEST_BYTES].hex()


class LabelsByHash(Mapping[str, int]):
    """Package hash → label number. Finding one takes some ten comparisons in a history of a thousand."""

    __slots__ = ("_digests", "_labels")

    def __init__(self, labels: Mapping[str, int]) -> None:
        hashes = sorted(labels)
        self._digests = _Digests(hashes)
        self._labels = array("I", [labels[package_hash] for package_hash in hashes])

    def __getitem__(self, package_hash: str) -> int:
        place = bisect_left(self._digests, package_hash)
        if place == len(self._digests) or self._digests[place] != package_hash:
            raise KeyError(package_hash)
        return self._labels[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)


class DownloadsByHash(Mapping[str, Download]):
    """Package hash → what turns a device's bundle with that hash into another one. A handful: looked through."""

    __slots__ = ("_digests", "_names", "_sizes")

    def __init__(self, downloads: Mapping[str, Download]) -> None:
        self._digests = _Digests([*downloads])
        self._names = " ".join(download.storage_name for download in downloads.values())
        self._sizes = array("Q", [download.size_bytes for download in downloads.values()])

    def __getitem__(self, package_hash: str) -> Download:
        for place, known in enumerate(self._digests):
            if known == package_hash:
                return Download(self._names.split(" ")[place], self._sizes[place])
        raise KeyError(package_hash)

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)
