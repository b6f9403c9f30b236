"""Archives to upload: honest ones by zipfile, and dishonest ones written byte by byte."""

import struct
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import IO, BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZipFile

from deployments.bundles.archive import Archive, ArchiveContents, Limits, open_archive, read_archive

BUNDLE = "CodePush/index.android.bundle"
JAVASCRIPT = b"var app = 'Northwind';\n"


@dataclass(frozen=True)
class Entry:
    """One file of a hand-written zip; each claim can differ from the truth. None: the truth."""

    name: bytes
    content: bytes = b"x"
    method: int = 0
    flags: int = 0
    mode: int = 0o100644
    claimed_size: int | None = None
    claimed_crc: int | None = None
    header_offset: int | None = None


def make_zip(files: Mapping[str, bytes], *, compression: int = ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    """An archive as a zip tool makes it. A name with "/" at its end is a folder."""
    buffer = BytesIO()
    with ZipFile(buffer, "w", compression) as archive:
        archive.comment = comment
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def write_zip(
    *entries: Entry, count: int | None = None, directory_bytes: int | None = None, before_end: bytes = b""
) -> bytes:
    """A zip with exactly these entries and claims, and with a usual bundle in it. `before_end`: put before its end."""
    body, directory = b"", b""
    for entry in (Entry(BUNDLE.encode(), JAVASCRIPT), *entries):
        data = entry.content
        if entry.method == ZIP_DEFLATED:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            data = packer.compress(data) + packer.flush()
        crc = zlib.crc32(entry.content) if entry.claimed_crc is None else entry.claimed_crc
        size = len(entry.content) if entry.claimed_size is None else entry.claimed_size
        fields = struct.pack(
            "<HHHHHIIIHH", 20, entry.flags, entry.method, 0, 0x21, crc, len(data), size, len(entry.name), 0
        )
        offset = len(body) if entry.header_offset is None else entry.header_offset
        # "Made by": Unix, whose file modes stand in the upper half of the attributes.
        directory += b"PK\x01\x02" + struct.pack("<H", 0x0314) + fields
        directory += struct.pack("<HHHII", 0, 0, 0, entry.mode << 16, offset) + entry.name
        body += b"PK\x03\x04" + fields + entry.name + data
    entry_count = len(entries) + 1 if count is None else count
    size_claim = len(directory) if directory_bytes is None else directory_bytes
    end = struct.pack("<HHHHIIH", 0, 0, entry_count, entry_count, size_claim, len(body), 0)
    return body + directory + before_end + b"PK\x05\x06" + end


def read(archive: bytes, *, platform: str = "android", limits: Limits = Limits()) -> ArchiveContents:
    """What processing reads in it. Raises BundleRefused."""
    with opened(archive, limits=limits) as found:
        return read_archive(found, platform)


@contextmanager
def opened(archive: bytes, *, limits: Limits = Limits()) -> Iterator[Archive]:
    """The archive in a real file: seeking in one fails in other ways than in memory."""
    with tempfile.TemporaryFile() as file:
        file.write(archive)
        with open_archive(as_binary(file), limits) as found:
            yield found


def as_binary(file: IO[bytes]) -> BinaryIO:
    return cast(BinaryIO, file)
