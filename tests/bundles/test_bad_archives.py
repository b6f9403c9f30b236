"""Archives that are refused, each with a sentence that names what is wrong. One test that the usual one is not."""

import struct
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest

from deployments.bundles.refusal import BundleRefused
from tests.bundles.archives import BUNDLE, JAVASCRIPT, Entry, make_zip, read, write_zip

GOOD = make_zip({BUNDLE: JAVASCRIPT, "CodePush/logo.png": b"png" * 50, "CodePush/fonts/a.ttf": b"font" * 50})


def assert_refused(archive: bytes, *words: str) -> None:
    with pytest.raises(BundleRefused) as refusal:
        read(archive)
    sentence = str(refusal.value)
    assert [word for word in words if word not in sentence] == [], sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize("archive", [GOOD, make_zip({BUNDLE: JAVASCRIPT}, comment=b"made by a tool"), write_zip()])
def test_a_usual_archive_is_read(archive: bytes) -> None:
    assert BUNDLE in read(archive).manifest


NOT_ZIPS = {
    "nothing": (b"", "is empty"),
    "text": (b"var app = 1;", "not a zip archive"),
    "gzip": (b"\x1f\x8b\x08" + bytes(100), "not a zip archive"),
    "prefix": (b"#!/bin/sh\n" + GOOD, "not a zip archive"),
    "one-byte": (b"P", "not a zip archive"),
    "empty-zip": (make_zip({}), "archive is empty"),
    "only-folders": (make_zip({"CodePush/": b"", "CodePush/assets/": b""}), "holds no files"),
    "only-ignored": (make_zip({"__MACOSX/a": b"", "CodePush/.DS_Store": b""}), "holds no files"),
}


@pytest.mark.parametrize(("archive", "words"), NOT_ZIPS.values(), ids=NOT_ZIPS)
def test_what_is_no_archive_with_files_is_refused(archive: bytes, words: str) -> None:
    assert_refused(archive, words)


@pytest.mark.parametrize("length", [4, 5, 30, 100, len(GOOD) // 2, len(GOOD) - 23, len(GOOD) - 22, len(GOOD) - 1])
def test_a_truncated_archive_is_refused(length: int) -> None:
    assert_refused(GOOD[:length], "truncated")


def test_a_start_without_the_files_is_refused() -> None:
    """The directory is whole, but what it names was cut out."""
    assert_refused(GOOD[:40] + GOOD[-250:], "damaged")


NAMES = {
    "parent": (b"../evil.js", "leaves the archive's folder"),
    "parent-inside": (b"CodePush/../../evil.js", "leaves the archive's folder"),
    "parent-at-end": (b"CodePush/..", "leaves the archive's folder"),
    "absolute": (b"/etc/passwd", "absolute"),
    "drive": (b"C:/evil.js", "absolute"),
    "drive-relative": (b"C:evil.js", "absolute"),
    "backslash": (b"CodePush\\evil.js", "backslash"),
    "backslash-parent": (b"..\\evil.js", "backslash"),
    "nul": (b"CodePush/a\0.png", "NUL"),
    "newline": (b"CodePush/a\n.png", "control character"),
    "escape": (b"CodePush/\x1b[2J", "control character"),
    "empty": (b"", "names no file"),
    "dot": (b".", "names no file"),
    "long-name": (b"CodePush/" + b"n" * 256, "too long"),
    "long-path": (b"CodePush/" + b"folder/" * 80 + b"a", "too long"),
    "long-folder": (b"n" * 300 + b"/", "too long"),
    "diff-marker": (b"hotcodepush.json", "hotcodepush.json"),
    "diff-marker-behind-a-dot": (b"./hotcodepush.json", "hotcodepush.json"),
}


@pytest.mark.parametrize(("name", "words"), NAMES.values(), ids=NAMES)
def test_an_unsafe_name_is_refused(name: bytes, words: str) -> None:
    assert_refused(write_zip(Entry(name)), words)


def test_the_longest_name_is_read() -> None:
    assert f"CodePush/{'n' * 255}" in read(write_zip(Entry(b"CodePush/" + b"n" * 255))).manifest


def test_a_diff_marker_in_a_folder_is_a_usual_file() -> None:
    assert "CodePush/hotcodepush.json" in read(write_zip(Entry(b"CodePush/hotcodepush.json"))).manifest


@pytest.mark.parametrize("name", [BUNDLE, "./" + BUNDLE, BUNDLE.replace("/", "//")])
def test_the_same_path_twice_is_refused(name: str) -> None:
    assert_refused(write_zip(Entry(name.encode())), BUNDLE, "twice")


@pytest.mark.parametrize(
    "entries",
    [
        [Entry(b"CodePush/a"), Entry(b"CodePush/a/b")],
        [Entry(b"CodePush/a/b/c"), Entry(b"CodePush/a")],
        [Entry(b"CodePush/a"), Entry(b"CodePush/a/", b"")],
    ],
    ids=["file-first", "deep-file-first", "empty-folder"],
)
def test_a_file_that_is_also_a_folder_is_refused(entries: list[Entry]) -> None:
    assert_refused(write_zip(*entries), "'CodePush/a'", "both a file and a folder")


KINDS = {
    "symlink": (0o120777, "symbolic link"),
    "character-device": (0o020644, "special file"),
    "block-device": (0o060644, "special file"),
    "pipe": (0o010644, "special file"),
    "socket": (0o140644, "special file"),
}


@pytest.mark.parametrize(("mode", "words"), KINDS.values(), ids=KINDS)
def test_what_is_neither_file_nor_folder_is_refused(mode: int, words: str) -> None:
    assert_refused(write_zip(Entry(b"CodePush/entry", b"/etc/passwd", mode=mode)), "'CodePush/entry'", words)


def test_an_encrypted_file_is_refused() -> None:
    assert_refused(write_zip(Entry(b"CodePush/secret", flags=1)), "'CodePush/secret'", "encrypted")


@pytest.mark.parametrize("method", [ZIP_BZIP2, ZIP_LZMA])
def test_a_compression_that_devices_cannot_read_is_refused(method: int) -> None:
    assert_refused(make_zip({BUNDLE: JAVASCRIPT}, compression=method), BUNDLE, "compressed in a way")


@pytest.mark.parametrize("method", [1, 9, 93, 99])
def test_an_unknown_compression_is_refused(method: int) -> None:
    assert_refused(write_zip(Entry(b"CodePush/a", method=method)), "'CodePush/a'", "compressed in a way")


DAMAGE = {
    "wrong-checksum": Entry(b"CodePush/a", b"content", claimed_crc=1),
    "wrong-checksum-deflated": Entry(b"CodePush/a", b"content", method=ZIP_DEFLATED, claimed_crc=1),
    "size-claimed-too-small": Entry(b"CodePush/a", b"content " * 9, method=ZIP_DEFLATED, claimed_size=10),
    "not-deflated-at-all": Entry(b"CodePush/a", b"\xff\xff\xff not deflated", flags=0, method=0),
    "header-outside": Entry(b"CodePush/a", header_offset=2_000_000_000),
    "header-of-another-file": Entry(b"CodePush/a", header_offset=0),
    "header-inside-a-file": Entry(b"CodePush/a", header_offset=7),
    "name-is-no-utf-8": Entry(b"CodePush/\xff\xfe", flags=0x800),
    "patched-data": Entry(b"CodePush/a", flags=0x20),
}


@pytest.mark.parametrize("entry", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_refused(entry: Entry) -> None:
    archive = write_zip(entry)
    if entry.content.startswith(b"\xff"):
        # Claimed to be deflated, in both headers.
        archive = archive.replace(struct.pack("<HHH", 20, 0, 0), struct.pack("<HHH", 20, 0, 8))
    assert_refused(archive, "damaged")


def test_damage_inside_the_compressed_bytes_is_refused() -> None:
    archive = bytearray(make_zip({BUNDLE: bytes(range(256)) * 40}))
    archive[60] ^= 0xFF
    assert_refused(bytes(archive), "damaged", BUNDLE)


@pytest.mark.parametrize("shift", [-30, 30, 100_000])
def test_a_directory_that_points_elsewhere_is_refused(shift: int) -> None:
    """In a file on disk a negative place is an OSError: a worker would take it for a broken disk, and try for ever."""
    archive = bytearray(GOOD)
    (offset,) = struct.unpack_from("<I", archive, len(archive) - 6)
    struct.pack_into("<I", archive, len(archive) - 6, offset + shift)
    assert_refused(bytes(archive), "damaged")


def test_bytes_between_directory_and_end_are_no_second_end() -> None:
    """A hidden zip64 end, which zipfile prefers, could claim a directory as large as the file."""
    with ZipFile(BytesIO(GOOD)) as archive:
        start, count = archive.start_dir, len(archive.infolist())
    directory_bytes = len(GOOD) - 22 - start
    end64 = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, directory_bytes, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, len(GOOD) - 22, 1)
    assert_refused(GOOD[:-22] + end64 + locator + GOOD[-22:], "zip64")
