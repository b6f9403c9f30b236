"""Archives in an S3 bucket. Loaded only where STORAGE_URL names one: boto3 takes 9 MB of every process."""

from collections.abc import Iterator
from datetime import datetime
from time import monotonic
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

MAX_ADDRESSES = 10_000
# What S3 lists at a time.
PAGE = 1000
# botocore's own patience, a minute for each of five attempts, would hold a thread of a web process for all of it.
_PATIENCE = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})


class ObjectStorage(S3Storage):  # type: ignore[misc]
    """Signing an address takes longer than the rest of an update check, so that each is used for half its validity."""

    failures = (BotoCoreError, ClientError, Boto3Error)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client_config = self.client_config.merge(_PATIENCE)  # type: ignore[has-type]
        self._signed: dict[str, tuple[str, float]] = {}

    def url(self, name: str, **how: Any) -> str:
        """A signed address that is valid for half of `querystring_expire` at least."""
        if how:
            return str(super().url(name, **how))
        address, signed_at = self._signed.get(name, ("", 0.0))
        if not address or monotonic() - signed_at > self.querystring_expire / 2:
            if len(self._signed) >= MAX_ADDRESSES:
                self._signed.clear()
            address = str(super().url(name))
            self._signed[name] = address, monotonic()
        return address

    def list_files(self, folder: str) -> Iterator[tuple[str, int, datetime]]:
        """(name, bytes, when it was stored) of what lies in the folder, "" or "…/", and not below. Page by page."""
        root = f"{self.location.strip('/')}/".lstrip("/")
        pages = self.connection.meta.client.get_paginator("list_objects_v2")
        paging = {"PageSize": PAGE}
        for page in pages.paginate(
            Bucket=self.bucket_name, Prefix=root + folder, Delimiter="/", PaginationConfig=paging
        ):
            for stored in page.get("Contents", ()):
                yield stored["Key"].removeprefix(root), stored["Size"], stored["LastModified"]
