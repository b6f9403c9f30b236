"""Limits on what an archive may claim and unpack to: counted while reading, never after."""

import tracemalloc
from zipfile import ZIP_DEFLATED

import pytest

from deployments.bundles.archive import Limits
from deployments.bundles.refusal import BundleRefused
from tests.bundles.archives import BUNDLE, JAVASCRIPT, Entry, make_zip, opened, read, write_zip

SMALL = Limits(max_files=5, max_unpacked_bytes=3_000, ratio_floor_bytes=1_000)


def refusal_of(archive: bytes, limits: Limits = SMALL) -> str:
    with pytest.raises(BundleRefused) as refusal:
        read(archive, limits=limits)
    return str(refusal.value)


def test_an_archive_at_the_limits_is_read() -> None:
    files = {f"CodePush/{number}": bytes(range(250)) for number in range(4)}
    assert len(read(make_zip({BUNDLE: JAVASCRIPT, **files}), limits=SMALL).manifest) == 5


def test_one_file_too_many_is_refused() -> None:
    files = {f"CodePush/{number}": b"" for number in range(5)}
    assert "6 entries; at most 5" in refusal_of(make_zip({BUNDLE: JAVASCRIPT, **files}))


def test_folders_count_as_entries() -> None:
    files = {f"CodePush/{number}/": b"" for number in range(5)}
    assert "at most 5" in refusal_of(make_zip({BUNDLE: JAVASCRIPT, **files}))


@pytest.mark.parametrize(
    ("count", "directory_bytes"),
    [(0xFFFF, None), (2, 4_000_000_000), (2, 10_000_000)],
    ids=["zip64-count", "4-gb", "10-mb"],
)
def test_a_directory_that_claims_to_be_huge_is_refused_before_it_is_read(
    count: int, directory_bytes: int | None
) -> None:
    assert "more than 5 files" in refusal_of(write_zip(count=count, directory_bytes=directory_bytes))


def test_what_unpacks_to_too_much_is_refused() -> None:
    assert "unpacks to more than" in refusal_of(write_zip(Entry(b"CodePush/a", b"x" * 3_000)))


def test_what_claims_too_much_is_refused_before_anything_is_read() -> None:
    archive = write_zip(Entry(b"CodePush/a", claimed_size=4_000_000_000))
    with pytest.raises(BundleRefused, match="unpacks to more than 1,000 MB"), opened(archive):
        pass


def test_an_archive_that_shrinks_as_only_a_bomb_does_is_refused() -> None:
    bomb = Entry(b"CodePush/a", bytes(1_000_000), method=ZIP_DEFLATED)
    limits = Limits(ratio_floor_bytes=500_000)
    assert "zip bomb" in refusal_of(write_zip(bomb), limits)


def test_a_high_ratio_below_the_floor_is_no_bomb() -> None:
    """A few hundred kilobytes of one byte are an odd asset, not an attack."""
    blank = Entry(b"CodePush/a", bytes(1_000_000), method=ZIP_DEFLATED)
    assert "CodePush/a" in read(write_zip(blank)).manifest


@pytest.mark.parametrize("claimed_size", [10, 1_000])
def test_a_bomb_that_claims_to_be_small_unpacks_no_more_than_it_claims(claimed_size: int) -> None:
    bomb = Entry(b"CodePush/a", bytes(50_000_000), method=ZIP_DEFLATED, claimed_size=claimed_size)
    archive = write_zip(bomb)
    tracemalloc.start()
    try:
        assert "damaged" in refusal_of(archive, Limits())
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 5_000_000


def test_memory_stays_flat_whatever_the_size() -> None:
    """Once per piece of 256 kB, not once per archive: 60 MB are read in less than 5."""
    content = bytes(range(256)) * 4096
    files = {f"CodePush/{number}": content * 15 for number in range(4)}
    archive = make_zip({BUNDLE: JAVASCRIPT, **files})
    del files
    tracemalloc.start()
    try:
        read(archive, limits=Limits(max_ratio=10_000))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 5_000_000
