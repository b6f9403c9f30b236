"""Archives in an S3 bucket: a real HTTP server that speaks its protocol, on this host."""

from collections.abc import Iterator
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from moto.server import ThreadedMotoServer
from pytest_django.fixtures import Settings
from storages.backends.s3 import S3Storage

from builds.models import Build
from deployments import bundle_storage, object_storage
from deployments.bundle_storage import StorageUnavailable
from deployments.services import upload_parts
from tests.conftest import SAMPLES
from tests.deployments.answers import bundle_of
from tests.deployments.stories import release, sample
from tests.devices import Device

BUCKET = "bundles"


@pytest.fixture(scope="module")
def s3_address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """The product keeps its archives there."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "for-tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "for-tests")
    boto3.client("s3", endpoint_url=s3_address, region_name="us-east-1").create_bucket(Bucket=BUCKET)
    settings.STORAGES = {
        **settings.STORAGES,
        "bundles": {
            "BACKEND": "deployments.object_storage.ObjectStorage",
            "OPTIONS": {
                "bucket_name": BUCKET,
                "endpoint_url": s3_address,
                "region_name": "us-east-1",
                "file_overwrite": True,
                "signature_version": "s3v4",
                "querystring_expire": 24 * 3600,
            },
        },
    }
    return s3_address


def test_a_device_downloads_from_the_bucket(device: Device, build: Build, owner: User, bucket: str) -> None:
    release(build, owner, sample("android-v1"))
    address = device.check().update["download_url"]
    assert address.startswith(f"{bucket}/{BUCKET}/")
    assert parse_qs(urlsplit(address).query)["X-Amz-Expires"] == ["86400"]
    answer = httpx.get(address)
    assert answer.content == (SAMPLES / "android-v1.zip").read_bytes()
    assert answer.headers["content-length"] == "889082"


def test_diffs_and_patches_are_made_from_what_the_bucket_holds(
    device: Device, build: Build, owner: User, bucket: str
) -> None:
    v1, _ = (release(build, owner, sample(f"android-v{number}")) for number in (1, 2))
    device.label, device.package_hash = v1.label, bundle_of(v1).package_hash
    for also in ({}, {"patch_format": "bsdiff4"}):
        update = device.check(also).update
        assert len(httpx.get(update["download_url"]).content) == update["package_size"]


@pytest.mark.usefixtures("bucket")
def test_parts_of_an_upload_wait_in_the_bucket_and_are_joined_there(build: Build, owner: User) -> None:
    archive = (SAMPLES / "android-v1.zip").read_bytes()
    upload = upload_parts.PartedUpload(build, owner, "0" * 32)
    # The first one twice, as when its answer was lost.
    for start in (0, 0, 500_000):
        upload_parts.keep_part(upload, start=start, file=ContentFile(archive[start : start + 500_000]))
    with pytest.raises(upload_parts.PartMissing):
        upload_parts.stage_parts(upload, size_bytes=len(archive) + 1, file_name="app.zip")
    staged = upload_parts.stage_parts(upload, size_bytes=len(archive), file_name="app.zip")
    with bundle_storage.local_copy(staged.storage_name) as stored:
        assert stored.read() == archive
    assert bundle_storage.list_uploads() == [staged.storage_name]


def test_an_address_is_signed_anew_after_half_of_its_validity(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = storages["bundles"]
    now = 1000.0
    monkeypatch.setattr(object_storage, "monotonic", lambda: now)
    signed: list[str] = []

    def sign(self: S3Storage, name: str) -> str:
        signed.append(name)
        return str(plain_url(self, name))

    plain_url = S3Storage.url
    monkeypatch.setattr(S3Storage, "url", sign)
    for later in (0, 3600, 11 * 3600, 2 * 3600, 0):
        now += later
        assert storage.url("a.zip").startswith(bucket)
    assert signed == ["a.zip", "a.zip"]


def test_addresses_fill_no_memory(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_storage, "MAX_ADDRESSES", 3)
    storage = storages["bundles"]
    for number in range(10):
        storage.url(f"{number}.zip")
    assert len(storage._signed) <= 3  # type: ignore[attr-defined]


def test_a_bucket_that_is_gone_is_called_unavailable(bucket: str, settings: Settings) -> None:
    options = {**settings.STORAGES["bundles"]["OPTIONS"], "bucket_name": "nobody-made-this"}
    settings.STORAGES = {**settings.STORAGES, "bundles": {**settings.STORAGES["bundles"], "OPTIONS": options}}
    with pytest.raises(StorageUnavailable):
        bundle_storage.save_published(BytesIO(b"content"))
