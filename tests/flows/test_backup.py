"""A backup taken while the product runs, and restored elsewhere, answers devices as before (docs/operations.md)."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import httpx
import pytest

from tests.flows.conftest import scratch_database, scratch_redis
from tests.flows.product import Product

# What differs between two installations: where they are.
_PLACE = "download_url"


def test_a_restored_backup_answers_devices_as_before(tmp_path: Path) -> None:
    with scratch_redis() as broker, _installation(tmp_path / "original", broker) as original:
        original.prepare()
        build = original.person("make_build")
        for sample in ("android-v1.zip", "android-v2.zip"):
            original.person("publish", build_id=build["id"], sample=sample)
        v1, v2 = original.person("list_hashes", build_id=build["id"])["hashes"]
        questions = [{}, {"label": "v1", "package_hash": v1}, {"label": "v2", "package_hash": v2}]
        with original.running("web"), _installation(tmp_path / "restored", broker) as restored:
            original.wait_until_it_answers()
            answers = [original.ask(build["key"], **question) for question in questions]
            assert [answer["is_available"] for answer in answers] == [True, True, False]
            _copy_database(original, restored)
            _copy_bundles(original, restored)
            # As an upgrade does: a backup may be of an older version.
            restored.prepare()
            with restored.running("web"):
                restored.wait_until_it_answers()
                after = [restored.ask(build["key"], **question) for question in questions]
                archives = [[_download(answer) for answer in told] for told in (answers, after)]

    assert [_without_place(answer) for answer in after] == [_without_place(answer) for answer in answers]
    assert archives[0] == archives[1]
    whole, diff, nothing = archives[0]
    assert nothing == "" != diff != whole


@contextmanager
def _installation(folder: Path, broker: dict[str, str]) -> Iterator[Product]:
    folder.mkdir()
    with scratch_database() as database:
        yield Product(folder, {**database, **broker, **_make_bucket()})


def _make_bucket() -> dict[str, str]:
    """A bucket of its own on the S3 server that the suite runs on; without one, files below the folder."""
    parts = urlsplit(os.environ.get("STORAGE_URL", ""))
    if parts.scheme != "s3":
        return {}
    bucket = f"backup-{uuid4().hex[:12]}"
    _connect(parts.geturl()).create_bucket(Bucket=bucket)
    return {"STORAGE_URL": parts._replace(netloc=bucket).geturl()}


def _connect(storage_url: str) -> Any:
    options = parse_qs(urlsplit(storage_url).query)
    return boto3.client("s3", endpoint_url=options["endpoint_url"][0], region_name="us-east-1")


def _copy_database(original: Product, restored: Product) -> None:
    source, target = (product.environment.get("DATABASE_URL") for product in (original, restored))
    if source is None or target is None:
        # What `sqlite3 codepush.sqlite3 ".backup FILE"` does. Copying the file would tear it.
        name = "codepush.sqlite3"
        with (
            closing(sqlite3.connect(original.folder / name)) as running,
            closing(sqlite3.connect(restored.folder / name)) as copy,
        ):
            running.backup(copy)
        return
    dump = restored.folder / "codepush.dump"
    _run("pg_dump", "--format=custom", f"--file={dump}", source)
    _run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={target}", str(dump))


def _copy_bundles(original: Product, restored: Product) -> None:
    """After the database: what that refers to is there for days, whatever housekeeping does meanwhile."""
    source, target = (product.environment.get("STORAGE_URL") for product in (original, restored))
    if source is None or target is None:
        shutil.copytree(original.folder / "bundles", restored.folder / "bundles")
        return
    client = _connect(source)
    for stored in client.list_objects_v2(Bucket=urlsplit(source).netloc)["Contents"]:
        place = {"Bucket": urlsplit(source).netloc, "Key": stored["Key"]}
        client.copy_object(Bucket=urlsplit(target).netloc, Key=stored["Key"], CopySource=place)


def _run(program: str, *arguments: str) -> None:
    if shutil.which(program) is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {program}")
    # It knows postgresql:// and postgres://, as the product does.
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _download(answer: dict[str, Any]) -> str:
    if not answer[_PLACE]:
        return ""
    archive = httpx.get(answer[_PLACE]).raise_for_status().content
    assert len(archive) == answer["package_size"]
    return sha256(archive).hexdigest()


def _without_place(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != _PLACE}
