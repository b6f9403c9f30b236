"""The files of an archive as they stand in it, one after the other, each behind a header of its own.

Android unpacks by these local headers, from the start; iOS and we by the directory at the end. So both must tell the
same, or phones install something else than what was checked and hashed.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, BadZipFile, ZipInfo

_CHUNK_BYTES = 256 * 1024
_SIGNATURE = b"PK\x03\x04"
# What follows it: version, flags, method, time, checksum, two sizes, lengths of the name and of the extra field.
_HEADER = struct.Struct("<HHHIIIIHH")
_HEADER_BYTES = len(_SIGNATURE) + _HEADER.size
_ENCRYPTED, _SIZES_FOLLOW, _PATCHED, _UTF8 = 0x1, 0x8, 0x20, 0x800
# In place of a size that stands in a zip64 field instead. Tools that stream write it for small files too.
_ELSEWHERE = 0xFFFFFFFF
# What may follow a file when its header says so: checksum and sizes, of 4 or 8 bytes, with a signature or without.
_DESCRIPTORS = {12: "<III", 16: "<4xIII", 20: "<IQQ", 24: "<4xIQQ"}


def locate_files(file: BinaryIO, infos: Sequence[ZipInfo], directory_offset: int) -> dict[int, int]:
    """{offset of a header: offset of the bytes behind it}, for every entry of the directory.

    Raises BadZipFile unless these entries fill the archive up to its directory, without gap or overlap, and their
    headers agree with the directory.
    """
    offsets: dict[int, int] = {}
    end = 0
    ordered = sorted(infos, key=lambda info: info.header_offset)
    for info, following in zip(ordered, [*(info.header_offset for info in ordered[1:]), directory_offset], strict=True):
        if info.header_offset != end:
            raise BadZipFile(f"bytes that the directory does not name before {info.orig_filename!r}")
        offsets[info.header_offset] = _find_data(file, info)
        data_end = offsets[info.header_offset] + info.compress_size
        if not _may_follow(file, info, data_end, following - data_end):
            raise BadZipFile(f"bytes that the directory does not name behind {info.orig_filename!r}")
        end = following
    return offsets


def iter_unpacked(file: BinaryIO, info: ZipInfo, offset: int) -> Iterator[bytes]:
    """The bytes of one file, whose packed ones begin at `offset`, in pieces of at most 256 kB.

    Raises BadZipFile or zlib.error at the latest after the last piece: size, checksum or packed size are not as
    the directory says.
    """
    chunks = _iter_packed(file, info, offset)
    if info.compress_type == ZIP_DEFLATED:
        chunks = _iter_inflated(chunks)
    crc = size_bytes = 0
    for chunk in chunks:
        size_bytes += len(chunk)
        if size_bytes > info.file_size:
            break
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if size_bytes != info.file_size or crc != info.CRC:
        raise BadZipFile("its size or checksum is wrong")


def find_unreadable_on_android(infos: Sequence[ZipInfo]) -> str | None:
    """Name of an entry that Android cannot unpack, None when there is none.

    It reads from the start: of an entry that is not compressed, and whose size stands behind it, it cannot know where
    it ends ("only DEFLATED entries can have EXT descriptor"). Tools that write to a pipe make such entries.
    """
    return next(
        (info.orig_filename for info in infos if info.flag_bits & _SIZES_FOLLOW and info.compress_type != ZIP_DEFLATED),
        None,
    )


def _find_data(file: BinaryIO, info: ZipInfo) -> int:
    file.seek(info.header_offset)
    header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_SIGNATURE):
        raise BadZipFile(f"no file begins where {info.orig_filename!r} should")
    fields: tuple[int, ...] = _HEADER.unpack(header[len(_SIGNATURE) :])
    _, flags, method, _, crc, packed_bytes, size_bytes, name_bytes, extra_bytes = fields
    name = file.read(name_bytes).decode("utf-8" if info.flag_bits & _UTF8 else "cp437")
    if info.flag_bits & _PATCHED:
        raise BadZipFile(f"{info.orig_filename!r} is a patch of another file")
    same_kind = method == info.compress_type and (flags ^ info.flag_bits) & (_ENCRYPTED | _SIZES_FOLLOW) == 0
    same_sizes = packed_bytes in (info.compress_size, _ELSEWHERE) and size_bytes in (info.file_size, _ELSEWHERE)
    if name != info.orig_filename or not same_kind or not (flags & _SIZES_FOLLOW or (same_sizes and crc == info.CRC)):
        raise BadZipFile(f"the header of {info.orig_filename!r} differs from the directory")
    return info.header_offset + _HEADER_BYTES + name_bytes + extra_bytes


def _may_follow(file: BinaryIO, info: ZipInfo, offset: int, count: int) -> bool:
    """Whether these bytes behind a file are the ones that its header announces."""
    if not info.flag_bits & _SIZES_FOLLOW:
        return count == 0
    if count not in _DESCRIPTORS:
        return False
    file.seek(offset)
    facts = (info.CRC, info.compress_size, info.file_size)
    descriptor = file.read(count)
    return len(descriptor) == count and struct.unpack(_DESCRIPTORS[count], descriptor) == facts


def _iter_packed(file: BinaryIO, info: ZipInfo, offset: int) -> Iterator[bytes]:
    remaining = info.compress_size
    while remaining:
        # Each time: others may read the file between two pieces.
        file.seek(offset + info.compress_size - remaining)
        chunk = file.read(min(_CHUNK_BYTES, remaining))
        if not chunk:
            raise EOFError("it ends too early")
        remaining -= len(chunk)
        yield chunk


def _iter_inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for chunk in packed:
        rest = chunk
        while rest and not inflater.eof:
            if piece := inflater.decompress(rest, _CHUNK_BYTES):
                yield piece
            rest = inflater.unconsumed_tail
        if rest or inflater.unused_data:
            raise BadZipFile("bytes follow where its own end")
    while not inflater.eof and (piece := inflater.decompress(inflater.unconsumed_tail, _CHUNK_BYTES)):
        yield piece
    if not inflater.eof:
        raise BadZipFile("its packed bytes end too early")
