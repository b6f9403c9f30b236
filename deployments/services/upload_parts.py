"""An archive that goes up in parts: what has arrived is kept, so that a broken connection costs the last part only.

Each part lies in the storage under the place of its first byte, on whichever host it came in. They leave no row: who
wants the archive joins them, and what nobody joins is swept a day later.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

from django.contrib.auth.models import User
from django.core.files import File

from builds.errors import InvalidInput
from builds.models import Build
from deployments import bundle_storage
from deployments.models import Upload
from deployments.services import bundle_checks, checks, uploads

logger = logging.getLogger(__name__)

# So much is sent again when a connection breaks. Each part costs a round trip and a request to the storage.
PART_BYTES = 8_000_000
_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class PartedUpload:
    """Whose it is, and for what; `key` is made by the page, once for each file that is chosen."""

    build: Build
    actor: User
    key: str

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise InvalidInput("The key of an upload has 32 hexadecimal digits.", field="bundle")

    def name_part(self, start: int) -> str:
        """Of nobody else: not of another person, nor of another build."""
        return f"{self.build.pk}-{self.actor.pk}-{self.key}-{start}"


class PartMissing(Exception):
    """Only `held_bytes` from the beginning on are here: the rest is to be sent."""

    def __init__(self, held_bytes: int) -> None:
        super().__init__(f"{held_bytes} bytes are here")
        self.held_bytes = held_bytes


def require_part(start: int, size_bytes: int) -> None:
    """Raises InvalidInput (BundleTooLarge) for a part that no archive within the limits has."""
    if not 0 < size_bytes <= PART_BYTES or start < 0:
        raise InvalidInput(f"A part has 1 to {PART_BYTES} bytes, and begins at 0 or later.", field="bundle")
    bundle_checks.check_size(start + size_bytes)


def keep_part(upload: PartedUpload, *, start: int, file: "File[bytes]") -> None:
    """The part is stored. The same part may come again, as when its answer was lost.

    Raises InvalidInput and NotAllowedNow; then nothing is stored.
    """
    checks.require_accepts_codepushes(upload.build)
    require_part(start, file.size or 0)
    file.seek(0)
    with _storage_failures_told():
        bundle_storage.save_part(upload.name_part(start), file)


def stage_parts(upload: PartedUpload, *, size_bytes: int, file_name: str) -> Upload:
    """The parts are one archive, staged and checked as one that came whole; they themselves are gone.

    When the storage fails they stay: trying again sends nothing. Raises PartMissing, and what `stage_upload` raises.
    """
    bundle_checks.check_size(size_bytes)
    with TemporaryFile() as joined:
        parts = _join(upload, joined, size_bytes)
        try:
            staged = uploads.stage_upload(upload.build, actor=upload.actor, file=File(joined), file_name=file_name)
        except InvalidInput:
            _forget(parts)
            raise
    _forget(parts)
    return staged


def _join(upload: PartedUpload, target: IO[bytes], size_bytes: int) -> list[str]:
    """The names of the parts, all of whose bytes are in `target` now."""
    names: list[str] = []
    held_bytes = 0
    while held_bytes < size_bytes:
        name = upload.name_part(held_bytes)
        try:
            with _storage_failures_told():
                held_bytes += bundle_storage.read_part(name, target)
        except FileNotFoundError:
            raise PartMissing(held_bytes) from None
        names.append(name)
    if held_bytes != size_bytes:
        _forget(names)
        raise InvalidInput(f"The parts have {held_bytes} bytes, not {size_bytes}. Choose the bundle again.")
    target.flush()
    return names


def _forget(names: list[str]) -> None:
    """What cannot be deleted now is swept in a day."""
    for name in names:
        try:
            bundle_storage.delete_part(name)
        except bundle_storage.StorageUnavailable:
            logger.warning("part=%s not deleted", name, exc_info=True)


@contextmanager
def _storage_failures_told() -> Iterator[None]:
    try:
        yield
    except bundle_storage.StorageUnavailable as failure:
        logger.exception("part of an upload not stored or read")
        raise uploads.CannotStore from failure
