import io
import os
import zipfile
from collections.abc import Iterator

import boto3
import httpx
import pytest
from pytest_django.fixtures import Settings

from builds.models import Build
from deployments.models import CodePush
from deployments.services import bucket_uploads
from tests.factories import CodePushFactory

BUCKET = "bundles"
# The smallest part that S3 joins with others.
PART = 5 * 2**20


@pytest.fixture
def codepush(build: Build) -> CodePush:
    """v1, the only CodePush of the build, and Live."""
    created: CodePush = CodePushFactory(build=build, description="Fixes “Basket”")
    return created


@pytest.fixture(scope="module")
def s3_address() -> Iterator[str]:
    # Only here: it takes a second, and most tests need no bucket.
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """The product keeps its archives there; it is empty at first."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "for-tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "for-tests")
    httpx.post(f"{s3_address}/moto-api/reset")
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


@pytest.fixture(scope="module")
def archive() -> bytes:
    """Three parts, the last of them short."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("CodePush/index.android.bundle", "run()")
        file.writestr("CodePush/film.mp4", os.urandom(2 * PART + 1000))
    return buffer.getvalue()


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_uploads, "PART_SIZE_BYTES", PART)
