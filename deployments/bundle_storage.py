"""Where archives lie. Names of published ones are the SHA-256 of their bytes: immutable, so caches may keep them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, Protocol, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages

_CHUNK_BYTES = 1024 * 1024
_UPLOADS = "uploads"
_PART = f"{_UPLOADS}/part-"


class StorageUnavailable(Exception):
    """The storage did not do as asked, as when it is full, or cannot be reached. Trying later may help."""


class PartsStorage(Protocol):
    """What only object storage can do: take an archive in parts, from whoever has their addresses."""

    def begin_parts(self, name: str) -> str: ...
    def sign_part(self, name: str, parts_id: str, number: int, size_bytes: int) -> str: ...
    def list_parts(self, name: str, parts_id: str) -> dict[int, tuple[int, str]]: ...
    def join_parts(self, name: str, parts_id: str, etags: dict[int, str]) -> None: ...
    def list_begun(self, prefix: str) -> list[tuple[str, str, datetime]]: ...
    def abort_parts(self, name: str, parts_id: str) -> None: ...


def bundle_storage() -> Storage:
    return storages["bundles"]


def local_directory() -> Path | None:
    """The folder that holds the archives, when they are on this host; None for object storage."""
    storage = bundle_storage()
    return Path(storage.location) if isinstance(storage, FileSystemStorage) else None


def save_upload(deployment_id: str, upload: "File[bytes]") -> str:
    """Keep an uploaded archive until it is processed. Returns its name, which no device address leads to."""
    with _failures_named():
        return bundle_storage().save(name_upload(deployment_id), upload)


def takes_parts() -> bool:
    return local_directory() is None


@contextmanager
def parts_storage() -> Iterator[PartsStorage]:
    """Where `takes_parts`. Inside, failures are StorageUnavailable or FileNotFoundError."""
    with _failures_named():
        yield cast(PartsStorage, bundle_storage())


def name_upload(upload_id: str) -> str:
    return f"{_UPLOADS}/{upload_id}.zip"


def list_begun_uploads() -> list[tuple[str, str, datetime]]:
    """(name, ID of its parts, when it began) of archives whose parts were not joined. One request where they can be."""
    if not takes_parts():
        return []
    with parts_storage() as storage:
        return storage.list_begun(f"{_UPLOADS}/")


def save_part(name: str, file: "File[bytes]") -> None:
    """Keep a part of an archive that is still on its way, in place of what lay under the name."""
    stored_as = f"{_PART}{name}"
    with _failures_named():
        # A process killed while writing leaves a shorter one, beside which the storage would put a second.
        bundle_storage().delete(stored_as)
        bundle_storage().save(stored_as, file)


def read_part(name: str, target: IO[bytes]) -> int:
    """How many bytes of the part were appended to `target`. Raises FileNotFoundError."""
    before = target.tell()
    with local_copy(f"{_PART}{name}") as part:
        shutil.copyfileobj(part, target, _CHUNK_BYTES)
    return target.tell() - before


def delete_part(name: str) -> None:
    delete(f"{_PART}{name}")


def is_part(name: str) -> bool:
    """Whether an upload of `list_uploads` is a part of one."""
    return name.startswith(_PART)


class StoredFile(NamedTuple):
    """What a listing says of a file. `name` as rows refer to it."""

    name: str
    size_bytes: int
    modified_at: datetime


def list_uploads() -> Iterator[StoredFile]:
    """Uploaded archives that are still stored, in constant memory."""
    return _list(f"{_UPLOADS}/")


def list_published() -> Iterator[StoredFile]:
    """Everything else that is stored, in constant memory, whether or not it has a name that we give."""
    return _list("")


def _list(folder: str) -> Iterator[StoredFile]:
    directory = local_directory()
    with _failures_named():
        if directory is None:
            for name, size_bytes, modified_at in cast(Any, bundle_storage()).list_files(folder):
                yield StoredFile(name, size_bytes, modified_at)
        else:
            yield from _list_local(directory, folder)


def _list_local(directory: Path, folder: str) -> Iterator[StoredFile]:
    # Not Path.iterdir(), which reads the whole folder first.
    with suppress(FileNotFoundError), os.scandir(directory / folder) as entries:
        for entry in entries:
            # One that was deleted since the folder was read is not there.
            with suppress(FileNotFoundError):
                if entry.is_file(follow_symlinks=False):
                    stat = entry.stat(follow_symlinks=False)
                    modified_at = datetime.fromtimestamp(stat.st_mtime, UTC)
                    yield StoredFile(folder + entry.name, stat.st_size, modified_at)


def delete(name: str) -> None:
    """No such file afterwards; none before is fine."""
    if name:
        with _failures_named():
            bundle_storage().delete(name)


def exists(name: str) -> bool:
    with _failures_named():
        return bool(name) and bundle_storage().exists(name)


@contextmanager
def local_copy(name: str) -> Iterator[BinaryIO]:
    """The stored file, seekable and on this host. Raises FileNotFoundError, StorageUnavailable."""
    directory = local_directory()
    if directory is not None:
        with (directory / name).open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as copy:
        with _failures_named(), bundle_storage().open(name) as stored:
            shutil.copyfileobj(stored, copy, _CHUNK_BYTES)
        copy.seek(0)
        yield cast(BinaryIO, copy)


class Published(NamedTuple):
    """What an archive is stored as: under the hash of its bytes."""

    storage_name: str
    archive_sha256: str
    size_bytes: int


def save_published(file: IO[bytes]) -> Published:
    """The archive is stored, once. Who refers to it must use `services.stored_files`: unused ones are deleted."""
    file.seek(0)
    digest = sha256()
    size_bytes = 0
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        size_bytes += len(chunk)
    published = Published(f"{digest.hexdigest()}.zip", digest.hexdigest(), size_bytes)
    # A worker killed while writing leaves a shorter file: the size tells, and the same bytes are written again.
    if not is_stored(published):
        file.seek(0)
        with _failures_named():
            bundle_storage().save(published.storage_name, File(file))
    return published


def is_stored(published: Published) -> bool:
    """Whole, by its size. At most two small requests."""
    storage, name = bundle_storage(), published.storage_name
    with _failures_named():
        return storage.exists(name) and storage.size(name) == published.size_bytes


def download_address(name: str, base_url: str) -> str:
    """The absolute address a device fetches the archive from. `base_url`: this server's own, as the device sees it."""
    if settings.BUNDLE_PUBLIC_URL:
        return f"{settings.BUNDLE_PUBLIC_URL}/{name}"
    if local_directory() is not None:
        return f"{base_url}/api/bundles/{name}"
    return bundle_storage().url(name)


@contextmanager
def _failures_named() -> Iterator[None]:
    """Whatever kind of storage it is, its failures have one name. A missing file stays FileNotFoundError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, *getattr(bundle_storage(), "failures", ())) as failure:
        raise StorageUnavailable(f"The bundle storage failed: {failure}") from failure
