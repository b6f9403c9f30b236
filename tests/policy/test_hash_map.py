"""The packed mappings say what a dict would."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.policy.hash_map import DownloadsByHash, LabelsByHash
from deployments.policy.types import Download

HASHES = st.integers().map(lambda number: sha256(str(number).encode()).hexdigest())
DOWNLOADS = st.builds(Download, HASHES.map("{}.zip".format), st.integers(0, 2**63))
V1 = sha256(b"v1").hexdigest()


@given(st.dictionaries(HASHES, st.integers(1, 10**9)), HASHES)
def test_labels_are_found_by_their_hash_and_by_no_other(labels: dict[str, int], other: str) -> None:
    packed = LabelsByHash(labels)

    assert {package_hash: packed[package_hash] for package_hash in labels} == labels
    assert len(packed) == len(labels)
    assert packed.get(other) == labels.get(other)


@given(st.dictionaries(HASHES, DOWNLOADS, max_size=6))
def test_downloads_are_found_with_name_and_size(downloads: dict[str, Download]) -> None:
    packed = DownloadsByHash(downloads)

    assert {package_hash: packed[package_hash] for package_hash in downloads} == downloads


@given(st.dictionaries(HASHES, st.integers(1, 10**9)))
def test_what_is_read_out_makes_an_equal_mapping(labels: dict[str, int]) -> None:
    packed = LabelsByHash(labels)

    assert LabelsByHash(dict(packed)) == packed


@pytest.mark.parametrize(
    "sent", ["", "v1", "0" * 31, V1[:31], f" {V1[1:]}", V1.upper(), f"{V1[:30]} {V1[30:]}", "é" * 64]
)
def test_what_is_no_hash_is_not_found(sent: str) -> None:
    assert sent not in LabelsByHash({V1: 1})
    assert sent not in LabelsByHash({})
