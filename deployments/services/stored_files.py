"""Who refers to a stored archive. References come and go under a lock: a file is deleted only when there is none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import IO, TypeVar

from django.db import connection, transaction

from deployments import bundle_storage
from deployments.bundle_storage import Published, StorageUnavailable

# The second one writes a file of this moment, which housekeeping leaves alone.
_ATTEMPTS = 3
T = TypeVar("T")


@contextmanager
def reference_change(storage_name: str) -> Iterator[None]:
    """One transaction in which nobody else refers to this file anew, or deletes it because nobody does."""
    with transaction.atomic():
        # On SQLite every transaction that writes is alone anyway.
        if connection.vendor == "postgresql":
            number = int.from_bytes(sha256(storage_name.encode()).digest()[:8], signed=True)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        yield


def store_published(file: IO[bytes], refer: Callable[[Published], T]) -> T:
    """The archive is stored, and the row that `refer` makes for it is written. Returns what `refer` does.

    File first: a row may be served from the moment it is there. Raises StorageUnavailable.
    """
    for _ in range(_ATTEMPTS):
        published = bundle_storage.save_published(file)
        with reference_change(published.storage_name):
            # Found stored, and nobody's, it may have been deleted since. From here on it cannot be.
            if bundle_storage.is_stored(published):
                return refer(published)
    raise StorageUnavailable(f"{published.storage_name} was stored {_ATTEMPTS} times, and is not there.")
