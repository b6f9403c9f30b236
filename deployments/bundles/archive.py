"""Safe opening of uploaded archives: nothing in the zip is believed, nothing is unpacked to disk, memory stays flat.

Two passes: `open_archive` looks at the directory only (milliseconds, also for 200 MB), `read_archive` at every byte.
"""

import stat
import struct
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from deployments.bundles.javascript import JavaScriptProbe, JsBundle, find_js_bundle
from deployments.bundles.local_entries import find_unreadable_on_android, iter_unpacked, locate_files
from deployments.bundles.manifest import is_ignored
from deployments.bundles.refusal import BundleRefused

# A zip with this file at its top is a diff to every client (docs/protocol.md, "Diff").
DIFF_MARKER = "hotcodepush.json"

_FIRST_ENTRY = b"PK\x03\x04"
_END_OF_DIRECTORY = b"PK\x05\x06"
_END_BYTES = 22
_MAX_COMMENT_BYTES = 65_535
_ZIP64_MARK = 0xFFFF
_ZIP64_LOCATOR = b"PK\x06\x07"
_ZIP64_LOCATOR_BYTES = 20
_NOTHING = "An archive needs a folder with the JavaScript bundle and its assets."
# What zipfile, zlib and struct raise for damaged input.
_DAMAGE = (BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, NotImplementedError, OverflowError)


@dataclass(frozen=True)
class Limits:
    """How much an archive may claim from us and from a phone."""

    max_files: int = 10_000
    max_path_bytes: int = 512
    max_name_bytes: int = 255
    max_unpacked_bytes: int = 1_000_000_000
    # A real bundle shrinks three- to tenfold; only counted from `ratio_floor_bytes` up.
    max_ratio: int = 100
    ratio_floor_bytes: int = 20_000_000


@dataclass(frozen=True)
class Archive:
    """An archive whose directory was found safe, and its files where it says.

    `entries`: normalised path → entry, files that clients count. `ignored`: those that they unpack, but do not count.
    `unreadable_on_android`: an entry that iOS can unpack and Android cannot, None when all phones can all.
    """

    file: BinaryIO
    entries: dict[str, ZipInfo]
    ignored: dict[str, ZipInfo]
    data_offsets: dict[int, int]
    unreadable_on_android: str | None
    size_bytes: int
    limits: Limits


@dataclass(frozen=True)
class ArchiveContents:
    """What reading every byte showed."""

    manifest: dict[str, str]
    bytes_by_path: dict[str, int]
    unpacked_bytes: int
    js_bundle: JsBundle


@contextmanager
def open_archive(file: BinaryIO, limits: Limits = Limits()) -> Iterator[Archive]:
    """The archive, after every name and promise in its directory was checked.

    Raises BundleRefused; so do the functions below for damage that shows only when files are read.
    """
    size_bytes = _check_frame(file, limits)
    with _damage_refused(), ZipFile(file) as zip_file:
        infos, directory_offset = zip_file.infolist(), zip_file.start_dir
    files = _check_directory(infos, size_bytes, limits)
    with _damage_refused():
        data_offsets = locate_files(file, infos, directory_offset)
    ignored = {path: files.pop(path) for path in [*files] if is_ignored(path)}
    if not files:
        raise BundleRefused(f"The archive holds no files. {_NOTHING}")
    yield Archive(file, files, ignored, data_offsets, find_unreadable_on_android(infos), size_bytes, limits)


def find_js_bundle_in(archive: Archive, platform: str) -> str:
    """Path of the JavaScript bundle that phones of the platform load, once it is clear that they can unpack it.

    Raises BundleRefused. Looks at the directory only.
    """
    if platform != "ios" and archive.unreadable_on_android is not None:
        raise BundleRefused(
            f"Android cannot unpack {archive.unreadable_on_android!r}: the tool wrote the archive to a pipe, where it "
            "could not go back to note sizes. Make it as a file."
        )
    return find_js_bundle(list(archive.entries), platform)


def read_archive(
    archive: Archive, platform: str, on_bytes: Callable[[int], None] = lambda done: None
) -> ArchiveContents:
    """Hash every file, checking sizes and checksums on the way. `on_bytes` hears of bytes read so far.

    Raises BundleRefused: damaged, too large once unpacked, or without a JavaScript bundle for the platform.
    """
    probe = JavaScriptProbe(find_js_bundle_in(archive, platform))
    manifest: dict[str, str] = {}
    bytes_by_path: dict[str, int] = {}
    unpacked_bytes = 0
    # The ignored ones too: phones unpack them before they ignore them.
    for path in (*archive.entries, *archive.ignored):
        digest, before_bytes = sha256(), unpacked_bytes
        for chunk in iter_file(archive, path):
            unpacked_bytes += len(chunk)
            _check_unpacked(unpacked_bytes, archive.size_bytes, archive.limits)
            digest.update(chunk)
            if path == probe.path:
                probe.feed(chunk)
            on_bytes(unpacked_bytes)
        if path in archive.entries:
            manifest[path] = digest.hexdigest()
            bytes_by_path[path] = unpacked_bytes - before_bytes
    return ArchiveContents(manifest, bytes_by_path, unpacked_bytes, probe.finish())


def iter_file(archive: Archive, path: str) -> Iterator[bytes]:
    """The bytes of one file, in pieces of at most 256 kB."""
    info = archive.entries.get(path) or archive.ignored[path]
    with _damage_refused(f" at {path!r}"):
        yield from iter_unpacked(archive.file, info, archive.data_offsets[info.header_offset])


@contextmanager
def _damage_refused(place: str = "") -> Iterator[None]:
    try:
        yield
    except _DAMAGE as damage:
        raise BundleRefused(f"The archive is damaged{place} ({damage}). Make it again and upload it.") from damage


def _check_frame(file: BinaryIO, limits: Limits) -> int:
    """Size of the file in bytes, once its first and last bytes are those of a zip with a directory of bearable size.

    Looked at before zipfile reads the directory, which it does whole: that directory can be as large as the file.
    """
    size_bytes = file.seek(0, 2)
    if size_bytes == 0:
        raise BundleRefused("The file is empty. Upload the zip that holds the bundle.")
    file.seek(0)
    start = file.read(4)
    if start == _END_OF_DIRECTORY:
        raise BundleRefused(f"The archive is empty. {_NOTHING}")
    if start != _FIRST_ENTRY:
        # Clients decide by these four bytes whether they got an archive: a zip behind other bytes is none to them.
        raise BundleRefused("The file is not a zip archive. Upload the zip that holds the bundle and its assets.")
    tail_bytes = min(size_bytes, _END_BYTES + _MAX_COMMENT_BYTES)
    file.seek(size_bytes - tail_bytes)
    tail = file.read(tail_bytes)
    at = tail.rfind(_END_OF_DIRECTORY)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise BundleRefused("The archive is truncated: its end is missing. Upload it again.")
    count, directory_bytes = struct.unpack_from("<HI", tail, at + 10)
    # The largest directory that the limits allow: 46 fixed bytes, a name, and as much again for extra fields.
    if count == _ZIP64_MARK or directory_bytes > limits.max_files * (46 + 2 * limits.max_path_bytes):
        raise BundleRefused(
            f"The archive has more than {limits.max_files:,} files. Leave out what the app does not load."
        )
    locator_at = max(0, at - _ZIP64_LOCATOR_BYTES)
    if tail[locator_at:at].startswith(_ZIP64_LOCATOR):
        # zipfile would believe this second end, whose directory can be as large as the file, and not the one above.
        raise BundleRefused("The archive is in the zip64 format, which a bundle never needs. Make it as a usual zip.")
    file.seek(0)
    return size_bytes


def _check_directory(infos: list[ZipInfo], size_bytes: int, limits: Limits) -> dict[str, ZipInfo]:
    """{normalised path: entry} of all files."""
    if len(infos) > limits.max_files:
        raise BundleRefused(
            f"The archive has {len(infos):,} entries; at most {limits.max_files:,} are allowed. "
            "Leave out what the app does not load."
        )
    entries: dict[str, ZipInfo] = {}
    folders: set[str] = set()
    # On iOS "é" in one character and in two are the same name; "A" and "a" are two names on every phone.
    spellings: set[str] = set()
    for info in infos:
        path = _check_name(info.orig_filename, limits)
        _check_kind(info, path)
        if not 0 <= info.header_offset < size_bytes:
            # The system would refuse to seek there, which looks like a broken disk and not like a broken archive.
            raise BundleRefused(f"The archive is damaged: {path!r} lies outside it. Make it again and upload it.")
        if info.is_dir():
            if info.file_size:
                raise BundleRefused(f"The archive is damaged: the folder {path!r} has content. Make it again.")
            folders.add(path)
            continue
        if path in entries or (same := unicodedata.normalize("NFC", path)) in spellings:
            raise BundleRefused(f"The archive holds {path!r} twice. Devices would keep either one; remove one of them.")
        entries[path] = info
        spellings.add(same)
    if DIFF_MARKER in entries:
        raise BundleRefused(
            f"The archive holds {DIFF_MARKER!r} at its top, so clients take it for a diff. Upload the whole bundle."
        )
    _check_no_file_is_a_folder(entries, folders)
    _check_unpacked(sum(info.file_size for info in infos), size_bytes, limits)
    return entries


def _check_name(name: str, limits: Limits) -> str:
    """The path as clients see it: without "." parts and doubled slashes. Refused when it could leave the folder."""
    if "\0" in name:
        raise BundleRefused(f"The name {name!r} holds a NUL character. Rename the file.")
    if "\\" in name:
        raise BundleRefused(f"The name {name!r} holds a backslash. Make the archive with forward slashes.")
    if name.startswith("/") or name[1:2] == ":":
        raise BundleRefused(
            f"The name {name!r} is absolute. Make the archive with paths relative to the bundle's folder."
        )
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise BundleRefused(f"The name {name!r} leaves the archive's folder. Make the archive without “..” in paths.")
    if any(ord(character) < 0x20 for character in name):
        raise BundleRefused(f"The name {name!r} holds a control character. Rename the file.")
    path = "/".join(parts)
    if not path and not name.endswith("/"):
        raise BundleRefused(f"The name {name!r} names no file. Make the archive again.")
    if len(path.encode()) > limits.max_path_bytes or any(len(part.encode()) > limits.max_name_bytes for part in parts):
        raise BundleRefused(
            f"The path {path[:60]!r}… is too long for phones: at most {limits.max_path_bytes} bytes in all "
            f"and {limits.max_name_bytes} per name."
        )
    return path


def _check_kind(info: ZipInfo, path: str) -> None:
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "a special file"
        raise BundleRefused(f"{path!r} is {kind}. An archive may hold files and folders only.")
    if info.flag_bits & (0x1 | 0x40):
        raise BundleRefused(f"{path!r} is encrypted. Devices have no password; make the archive without one.")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BundleRefused(f"{path!r} is compressed in a way that devices cannot read. Use the usual zip (deflate).")


def _check_no_file_is_a_folder(entries: dict[str, ZipInfo], folders: set[str]) -> None:
    """`folders`: those that have an entry of their own; the others follow from the paths of files."""
    looked_at: set[str] = set()
    for path in (*entries, *(f"{folder}/" for folder in folders)):
        folder = path
        while "/" in folder:
            folder = folder.rsplit("/", 1)[0]
            if folder in looked_at:
                break
            looked_at.add(folder)
            if folder in entries:
                raise BundleRefused(f"{folder!r} is both a file and a folder in the archive. Rename one of them.")


def _check_unpacked(unpacked_bytes: int, size_bytes: int, limits: Limits) -> None:
    if unpacked_bytes > limits.max_unpacked_bytes:
        raise BundleRefused(
            f"The archive unpacks to more than {limits.max_unpacked_bytes / 1e6:,.0f} MB. Leave out large assets."
        )
    if unpacked_bytes > limits.ratio_floor_bytes and unpacked_bytes > size_bytes * limits.max_ratio:
        raise BundleRefused(
            f"The archive unpacks to more than {limits.max_ratio} times its size, as only a zip bomb does. "
            "Upload the bundle that the build tools made."
        )
