"""Archives in an S3 bucket. Loaded only where STORAGE_URL names one: boto3 takes 9 MB of every process."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
PART_ADDRESS_SECONDS = 3600


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
        pages = self._client.get_paginator("list_objects_v2")
        paging = {"PageSize": PAGE}
        for page in pages.paginate(
            Bucket=self.bucket_name, Prefix=root + folder, Delimiter="/", PaginationConfig=paging
        ):
            for stored in page.get("Contents", ()):
                yield stored["Key"].removeprefix(root), stored["Size"], stored["LastModified"]

    def begin_parts(self, name: str) -> str:
        """The bucket takes parts of this archive from now on; under the ID that is returned."""
        return str(self._client.create_multipart_upload(Bucket=self.bucket_name, Key=name)["UploadId"])

    def sign_part(self, name: str, parts_id: str, number: int, size_bytes: int) -> str:
        """Where a part of exactly this size may be PUT by whoever has the address, for an hour."""
        part = {"Bucket": self.bucket_name, "Key": name, "UploadId": parts_id, "PartNumber": number}
        return str(
            self._client.generate_presigned_url(
                "upload_part", Params=part | {"ContentLength": size_bytes}, ExpiresIn=PART_ADDRESS_SECONDS
            )
        )

    def list_parts(self, name: str, parts_id: str) -> dict[int, tuple[int, str]]:
        """{number: (size in bytes, ETag)} of those that arrived. Raises FileNotFoundError when it takes none (more)."""
        with _absence_named():
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=self.bucket_name, Key=name, UploadId=parts_id
            )
            parts = [part for page in pages for part in page.get("Parts", ())]
        return {part["PartNumber"]: (part["Size"], part["ETag"]) for part in parts}

    def join_parts(self, name: str, parts_id: str, etags: dict[int, str]) -> None:
        """The archive is made of these parts. Raises FileNotFoundError when it takes none (more)."""
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(etags.items())]
        with _absence_named():
            self._client.complete_multipart_upload(
                Bucket=self.bucket_name, Key=name, UploadId=parts_id, MultipartUpload={"Parts": parts}
            )

    def list_begun(self, prefix: str) -> list[tuple[str, str, datetime]]:
        """(name, ID, when it began) of all whose parts were not joined."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket_name, Prefix=prefix)
        return [
            (begun["Key"], begun["UploadId"], begun["Initiated"]) for page in pages for begun in page.get("Uploads", ())
        ]

    def abort_parts(self, name: str, parts_id: str) -> None:
        """What arrived is gone. None there is fine."""
        with suppress(FileNotFoundError), _absence_named():
            self._client.abort_multipart_upload(Bucket=self.bucket_name, Key=name, UploadId=parts_id)

    @property
    def _client(self) -> Any:
        return self.connection.meta.client


@contextmanager
def _absence_named() -> Iterator[None]:
    try:
        yield
    except ClientError as failure:
        if failure.response["Error"]["Code"] == "NoSuchUpload":
            raise FileNotFoundError(str(failure)) from failure
        raise
