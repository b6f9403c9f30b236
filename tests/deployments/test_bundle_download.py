"""GET /api/bundles/…: archives to devices, whole or in parts, cached for ever."""

from hashlib import sha256
from pathlib import Path
from typing import BinaryIO
from wsgiref.util import FileWrapper

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from pytest_django.fixtures import Settings

from builds.models import Build
from deployments import bundle_storage
from tests.conftest import SAMPLES
from tests.deployments.stories import release, sample, small_archive
from tests.devices import Device, Reply, send, send_environ

CONTENT = bytes(range(256)) * 3000
NAME = f"{sha256(CONTENT).hexdigest()}.zip"
PATH = f"/api/bundles/{NAME}"
ETAG = f'"{sha256(CONTENT).hexdigest()}"'
SIZE = len(CONTENT)


@pytest.fixture(autouse=True)
def _stored(bundle_folder: Path) -> None:
    bundle_folder.mkdir(exist_ok=True)
    (bundle_folder / NAME).write_bytes(CONTENT)


def get(path: str = PATH, method: str = "GET", **headers: str) -> Reply:
    return send(method, path, headers=headers)


def assert_whole(reply: Reply) -> None:
    assert reply.status == 200
    assert reply.body == CONTENT
    assert reply.headers == {
        "content-type": "application/zip",
        "content-length": str(SIZE),
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
        "etag": ETAG,
        "cache-control": "public, max-age=31536000, immutable",
        "accept-ranges": "bytes",
    }


def test_the_whole_archive_has_its_length_and_is_kept_for_ever() -> None:
    assert_whole(get())


def test_what_was_uploaded_is_what_a_device_downloads(device: Device, build: Build, owner: User) -> None:
    release(build, owner, sample("android-v1"))
    address = device.check().update["download_url"].removeprefix("http://testserver")
    reply = device.get(address)
    assert reply.body == (SAMPLES / "android-v1.zip").read_bytes()
    assert reply.headers["content-length"] == "889082"


def test_a_server_that_can_send_files_by_itself_is_handed_the_file() -> None:
    handed: list[BinaryIO] = []

    def wrap(file: BinaryIO, size: int) -> FileWrapper:
        handed.append(file)
        return FileWrapper(file, size)

    request = {"REQUEST_METHOD": "GET", "PATH_INFO": PATH, "HTTP_HOST": "testserver", "wsgi.file_wrapper": wrap}
    assert_whole(send_environ(request))
    assert_whole(send_environ({**request, "HTTP_IF_RANGE": '"another"', "HTTP_RANGE": "bytes=1-2"}))
    assert send_environ({**request, "HTTP_RANGE": "bytes=1-2"}).body == CONTENT[1:3]
    assert send_environ({**request, "REQUEST_METHOD": "HEAD"}).body == b""
    assert [file.name for file in handed] == [str(bundle_storage.local_directory()) + f"/{NAME}"] * 2
    assert all(file.closed for file in handed)


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-199", 100, 200),
        ("bytes=300000-", 300_000, SIZE),
        ("bytes=0-", 0, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-300000", SIZE - 300_000, SIZE),
        ("bytes=-9999999", 0, SIZE),
        (f"bytes={SIZE - 1}-{SIZE - 1}", SIZE - 1, SIZE),
        (f"bytes={SIZE - 1}-9999999", SIZE - 1, SIZE),
        ("bytes=0-999999999999999999", 0, SIZE),
        ("bytes = 5 - 9", 5, 10),
    ],
)
def test_a_range_is_exactly_these_bytes(asked: str, start: int, end: int) -> None:
    reply = get(Range=asked)
    assert reply.status == 206
    assert reply.body == CONTENT[start:end]
    assert reply.headers["content-length"] == str(end - start)
    assert reply.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert reply.headers["etag"] == ETAG


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 10}", "bytes=999999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_416_with_the_length(asked: str) -> None:
    reply = get(Range=asked)
    assert (reply.status, reply.body) == (416, b"")
    assert reply.headers["content-range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-9,20-29", "bytes=9-0", "bytes=-", "bytes=a-b", "bytes=", "lines=0-9", "0-9", "bytes=--5", "bytes=٣-", ""],
)
def test_any_other_range_is_answered_with_the_whole(asked: str) -> None:
    assert_whole(get(Range=asked.encode().decode("latin-1")))


def test_a_download_is_resumed_while_the_content_is_the_same() -> None:
    assert get(Range="bytes=10-", If_Range=ETAG).body == CONTENT[10:]


@pytest.mark.parametrize("known", ['"another"', f"W/{ETAG}", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_download_of_other_content_starts_anew(known: str) -> None:
    assert_whole(get(Range="bytes=10-", If_Range=known))


@pytest.mark.parametrize("known", [ETAG, f"W/{ETAG}", f'"other", {ETAG}'])
def test_who_has_the_archive_gets_304(known: str) -> None:
    reply = get(If_None_Match=known)
    assert (reply.status, reply.body) == (304, b"")
    assert reply.headers["etag"] == ETAG
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    # A cache would take it for the length of the archive that it keeps (RFC 9110, 8.6).
    assert "content-length" not in reply.headers


def test_who_has_another_archive_gets_this_one() -> None:
    assert_whole(get(If_None_Match='"another"'))


def test_a_condition_on_an_archive_that_is_not_there_is_404() -> None:
    name = "0" * 64
    assert get(f"/api/bundles/{name}.zip", If_None_Match=f'"{name}"').status == 404


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=5-9"}, {"Range": "bytes=999999999-"}])
def test_head_has_the_headers_of_get_and_no_body(headers: dict[str, str]) -> None:
    reply = get(method="HEAD", **headers)
    assert (reply.headers, reply.body) == (get(**headers).headers, b"")


def test_another_method_is_refused() -> None:
    assert get(method="POST").status == 405


@pytest.mark.parametrize(
    "name",
    [
        "",
        "index.html",
        NAME.removesuffix(".zip"),
        NAME.upper(),
        f"{NAME}/",
        f"{NAME}\n",
        f"./{NAME}",
        f"uploads/../{NAME}",
        f"../bundles/{NAME}",
        f"/{NAME}",
        f"{'0' * 64}.zip",
        f"{'g' * 64}.zip",
        "../../secret_key",
        "..%2f..%2fsecret_key",
        "/etc/passwd",
        f"{NAME}\0",
    ],
)
def test_what_is_no_name_of_an_archive_is_404(name: str) -> None:
    assert get(f"/api/bundles/{name}").status == 404


def test_an_upload_that_is_still_to_be_processed_cannot_be_downloaded(build: Build) -> None:
    name = bundle_storage.save_upload("dpl_7HQ2M4ZK9C3X", small_archive())
    assert bundle_storage.exists(name)
    assert get(f"/api/bundles/{name}").status == 404
    assert get(f"/api/bundles/{name.removeprefix('uploads/')}").status == 404


def test_an_archive_in_a_folder_of_the_storage_cannot_be_downloaded() -> None:
    bundle_storage.bundle_storage().save(f"uploads/{NAME}", ContentFile(b"secret"))
    assert get(f"/api/bundles/uploads/{NAME}").status == 404


def test_with_object_storage_this_host_serves_no_archives(settings: Settings) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "bundles": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    assert get().status == 404
