"""Whatever happened to an archive on its way: it is read, or refused with a sentence. Nothing else comes out."""

from contextlib import suppress
from zipfile import ZIP_STORED

from hypothesis import example, given, settings
from hypothesis import strategies as st

from deployments.bundles.refusal import BundleRefused
from tests.bundles.archives import BUNDLE, JAVASCRIPT, Entry, make_zip, read, write_zip

FILES = {BUNDLE: JAVASCRIPT * 5, "CodePush/": b"", "CodePush/ü.png": bytes(range(100))}
DEFLATED, STORED = make_zip(FILES), make_zip(FILES, compression=ZIP_STORED)

archives = st.sampled_from([DEFLATED, STORED])
changes = st.lists(st.tuples(st.integers(0, len(STORED) - 1), st.integers(0, 255)), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(archives, changes)
def test_changed_bytes(archive: bytes, changed: list[tuple[int, int]]) -> None:
    damaged = bytearray(archive)
    for place, value in changed:
        damaged[place % len(damaged)] = value
    with suppress(BundleRefused):
        read(bytes(damaged))


@settings(max_examples=100, deadline=None)
@given(archives, st.data())
def test_bytes_cut_out_or_put_in(archive: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(archive)))
    end = data.draw(st.integers(start, len(archive)))
    with suppress(BundleRefused):
        read(archive[:start] + data.draw(st.binary(max_size=50)) + archive[end:])


numbers = st.one_of(st.none(), st.integers(0, 0xFFFFFFFF), st.sampled_from([0, 1, 0x7FFFFFFF, 0xFFFFFFFF]))
entries = st.builds(
    Entry,
    name=st.binary(max_size=20),
    content=st.binary(max_size=20),
    method=st.sampled_from([0, 8, 12, 14, 99]),
    flags=st.integers(0, 0xFFFF),
    mode=st.integers(0, 0xFFFF),
    claimed_size=numbers,
    claimed_crc=numbers,
    header_offset=numbers,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(entries, max_size=3), numbers, numbers)
@example([Entry(b"CodePush/a", header_offset=0xFFFFFFFF)], None, None)
def test_false_claims(listed: list[Entry], count: int | None, directory_bytes: int | None) -> None:
    with suppress(BundleRefused):
        read(write_zip(*listed, count=None if count is None else count & 0xFFFF, directory_bytes=directory_bytes))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_that_only_start_like_an_archive(junk: bytes) -> None:
    with suppress(BundleRefused):
        read(b"PK\x03\x04" + junk + b"PK\x05\x06" + junk[:18])
