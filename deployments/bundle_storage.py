"""Where archives lie. Names of published ones are the SHA-256 of their bytes: immutable, so caches may keep them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, BinaryIO, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages

_CHUNK_BYTES = 1024 * 1024
_UPLOADS = "uploads"
_PART = f"{_UPLOADS}/part-"


class StorageUnavailable(Exception):
    """The storage did not do as asked, as when it is full, or cannot be reached. Trying later may help."""


def bundle_storage() -> Storage:
    return storages["bundles"]


def local_directory() -> Path | None:
    """The folder that holds the archives, when they are on this host; None for object storage."""
    storage = bundle_storage()
    return Path(storage.location) if isinstance(storage, FileSystemStorage) else None


def save_upload(deployment_id: str, upload: "File[bytes]") -> str:
    """Keep an uploaded archive until it is processed. Returns its name, which no device address leads to."""
    with _failures_named():
        return bundle_storage().save(f"{_UPLOADS}/{deployment_id}.zip", upload)


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


def list_uploads() -> list[str]:
    """Names of the uploaded archives that are still stored. One request to the storage."""
    with _failures_named():
        try:
            _, files = bundle_storage().listdir(_UPLOADS)
        except FileNotFoundError:
            return []
    return [f"{_UPLOADS}/{file}" for file in files]


def modified_at(name: str) -> datetime:
    """When the file was stored. Raises FileNotFoundError."""
    with _failures_named():
        return bundle_storage().get_modified_time(name)


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


def save_published(file: IO[bytes]) -> tuple[str, str, int]:
    """Store an archive under the hash of its bytes, once. Returns (name, SHA-256, size in bytes)."""
    file.seek(0)
    digest = sha256()
    size_bytes = 0
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        size_bytes += len(chunk)
    name = f"{digest.hexdigest()}.zip"
    storage = bundle_storage()
    with _failures_named():
        # A worker killed while writing leaves a shorter file: the size tells, and the same bytes are written again.
        if not storage.exists(name) or storage.size(name) != size_bytes:
            file.seek(0)
            storage.save(name, File(file))
    return name, digest.hexdigest(), size_bytes


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
