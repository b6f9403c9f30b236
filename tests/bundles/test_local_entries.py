"""Android unpacks an archive from its start, iOS by its directory: archives that the two would read differently."""

import struct
import zlib
from io import BytesIO, RawIOBase
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest

from deployments.bundles.archive import Limits
from deployments.bundles.refusal import BundleRefused
from tests.bundles.archives import BUNDLE, JAVASCRIPT, Entry, make_zip, read, write_zip


def assert_refused(archive: bytes, *words: str, platform: str = "android") -> None:
    with pytest.raises(BundleRefused) as refusal:
        read(archive, platform=platform)
    sentence = str(refusal.value)
    assert [word for word in words if word not in sentence] == [], sentence


def directory_start(archive: bytes) -> int:
    with ZipFile(BytesIO(archive)) as zip_file:
        return zip_file.start_dir


def with_bytes_before_directory(archive: bytes, more: bytes) -> bytes:
    """The end of the archive still tells the truth about where its directory is."""
    start = directory_start(archive)
    moved = bytearray(archive[:start] + more + archive[start:])
    struct.pack_into("<I", moved, len(moved) - 6, start + len(more))
    return bytes(moved)


def pipe_zip(files: dict[str, bytes], compression: int) -> bytes:
    """An archive as a tool writes it to a pipe: sizes stand behind the files."""

    class Pipe(RawIOBase):
        written = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.written += bytes(data)
            return len(data)

    pipe = Pipe()
    with ZipFile(pipe, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return pipe.written


GOOD = make_zip({BUNDLE: JAVASCRIPT, "CodePush/a": b"a"})
HIDDEN = make_zip({"CodePush/hidden.js": b"evil()"})
HIDDEN_FILE = HIDDEN[: directory_start(HIDDEN)]


def test_a_file_that_only_android_would_find_is_refused() -> None:
    assert_refused(with_bytes_before_directory(GOOD, HIDDEN_FILE), "damaged", "'CodePush/a'", "does not name")


def test_a_file_hidden_between_two_others_is_refused() -> None:
    archive = with_bytes_before_directory(make_zip({BUNDLE: JAVASCRIPT}), HIDDEN_FILE)
    with_more = BytesIO(archive)
    with ZipFile(with_more, "a") as zip_file:
        # Where the directory was, behind the hidden one.
        zip_file.writestr("CodePush/z", b"z")
    assert_refused(with_more.getvalue(), "damaged", "does not name")


def test_a_file_hidden_behind_the_end_of_compressed_bytes_is_refused() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(b"content") + packer.flush()
    archive = write_zip(Entry(b"CodePush/a", packed + HIDDEN_FILE, claimed_size=7, claimed_crc=zlib.crc32(b"content")))
    assert_refused(as_deflated(archive, b"CodePush/a"), "damaged at 'CodePush/a'", "bytes follow")


def as_deflated(archive: bytes, name: bytes) -> bytes:
    """The same archive, whose stored entry claims to be deflated, in both headers."""
    changed = bytearray(archive)
    local, central = archive.index(name) - 30, archive.rindex(name) - 46
    struct.pack_into("<H", changed, local + 8, ZIP_DEFLATED)
    struct.pack_into("<H", changed, central + 10, ZIP_DEFLATED)
    return bytes(changed)


@pytest.mark.parametrize("content", [b"", zlib.compress(b"content" * 99)[2:30]], ids=["nothing", "cut-off"])
def test_compressed_bytes_without_an_end_are_refused(content: bytes) -> None:
    archive = write_zip(Entry(b"CodePush/a", content, claimed_size=0, claimed_crc=0))
    assert_refused(as_deflated(archive, b"CodePush/a"), "damaged")


@pytest.mark.parametrize(
    ("place", "value"),
    [(6, 0x8), (8, ZIP_DEFLATED), (14, 1), (18, 5), (22, 5), (30, 0x58)],
    ids=["sizes-follow", "method", "checksum", "packed-size", "size", "name"],
)
def test_a_header_that_differs_from_the_directory_is_refused(place: int, value: int) -> None:
    archive = bytearray(write_zip(Entry(b"CodePush/a")))
    archive[archive.index(b"CodePush/a") - 30 + place] = value
    assert_refused(bytes(archive), "damaged", "'CodePush/a' differs")


def test_two_entries_of_one_place_are_refused() -> None:
    """Each unpacks well; together they are larger than what was uploaded."""
    archive = bytearray(make_zip({BUNDLE: JAVASCRIPT, "CodePush/a": b"a", "CodePush/b": b"a"}))
    first, second = archive.rindex(b"CodePush/a"), archive.rindex(b"CodePush/b")
    archive[second - 4 : second] = archive[first - 4 : first]
    assert_refused(bytes(archive), "damaged")


@pytest.mark.parametrize("form", ["<III", "<4sIII", "<IQQ", "<4sIQQ"])
def test_sizes_may_stand_behind_a_file(form: str) -> None:
    facts = [zlib.crc32(b"text"), len(PACKED), 4]
    archive = described(struct.pack(form, *([b"PK\x07\x08", *facts] if "s" in form else facts)))
    assert "CodePush/a" in read(archive).manifest


@pytest.mark.parametrize(
    "descriptor",
    [b"", b"x", b"PK\x07\x08" + bytes(12), HIDDEN_FILE],
    ids=["none", "too few", "of another file", "a hidden file"],
)
def test_other_bytes_there_are_refused(descriptor: bytes) -> None:
    assert_refused(described(descriptor), "damaged", "behind 'CodePush/a'")


def described(descriptor: bytes) -> bytes:
    return with_bytes_before_directory(
        write_zip(Entry(b"CodePush/a", b"text", method=ZIP_DEFLATED, flags=0x8)), descriptor
    )


_packer = zlib.compressobj(9, zlib.DEFLATED, -15)
PACKED = _packer.compress(b"text") + _packer.flush()


def test_an_archive_from_a_pipe_is_read() -> None:
    files = {BUNDLE: JAVASCRIPT, "CodePush/a": b"a" * 1_000_000}
    assert read(pipe_zip(files, ZIP_DEFLATED)) == read(make_zip(files))


def test_one_that_android_cannot_unpack_is_refused_there() -> None:
    """Where an uncompressed file ends stands behind it: java.util.zip refuses that, iOS reads it."""
    files = {BUNDLE: JAVASCRIPT, "CodePush/main.jsbundle": JAVASCRIPT}
    archive = pipe_zip(files, ZIP_STORED)
    assert_refused(archive, "Android cannot unpack", BUNDLE)
    assert_refused(archive, "Android cannot unpack", BUNDLE, platform="huawei")
    assert read(archive, platform="ios") == read(make_zip(files), platform="ios")


@pytest.mark.parametrize("name", ["__MACOSX/bomb", "CodePush/.DS_Store"])
@pytest.mark.parametrize("claimed_size", [None, 10])
def test_what_clients_ignore_counts_against_the_limits(name: str, claimed_size: int | None) -> None:
    """They unpack it all the same."""
    bomb = Entry(name.encode(), bytes(1_000_000), method=ZIP_DEFLATED, claimed_size=claimed_size)
    with pytest.raises(BundleRefused, match="zip bomb" if claimed_size is None else "damaged"):
        read(write_zip(bomb), limits=Limits(ratio_floor_bytes=500_000))


def test_a_folder_with_content_is_refused() -> None:
    assert_refused(write_zip(Entry(b"CodePush/folder/", b"content")), "'CodePush/folder' has content")


def test_two_spellings_of_one_letter_are_one_name_on_ios() -> None:
    with pytest.raises(BundleRefused, match="twice"):
        read(make_zip({BUNDLE: JAVASCRIPT, "CodePush/\u00e9": b"1", "CodePush/e\u0301": b"2"}))


def test_two_cases_of_one_letter_are_two_names() -> None:
    assert len(read(make_zip({BUNDLE: JAVASCRIPT, "CodePush/a": b"1", "CodePush/A": b"2"})).manifest) == 3
