"""The client sends a large bundle in parts, and goes on where it broke off. The storage is a real S3 server."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from builds.models import Build, Role
from codepush_cli import parts
from codepush_cli.outcome import Refused, Unreachable
from codepush_cli.server import Server, Upload
from deployments.models import CodePush
from release_api.models import BucketUpload
from release_api.tokens import create_token

pytestmark = pytest.mark.usefixtures("bucket", "_small_parts")


class _Line:
    """The way to the storage, which breaks at the sends that are named (counted from 1)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.breaks_at: set[int] = set()
        self.sends = 0
        self._put = parts._put
        monkeypatch.setattr(parts, "_put", self._send)
        monkeypatch.setattr("codepush_cli.parts.time.sleep", lambda seconds: None)

    def _send(self, *what: Any) -> None:
        self.sends += 1
        if self.sends in self.breaks_at or 0 in self.breaks_at:
            raise ConnectionResetError("The line broke")
        self._put(*what)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> _Line:
    return _Line(monkeypatch)


@pytest.fixture
def server(transactional_db: None, live_server: LiveServer, release_manager: User) -> Server:
    _, text = create_token(actor=release_manager, name="CI", role=Role.RELEASE_MANAGER)
    return Server(live_server.url, text)


def _client_sends(server: Server, build: Build, archive: bytes, key: str | None = None) -> str | None:
    return parts.upload_in_parts(server, build.pk, io.BytesIO(archive), key, lambda sent, size: None)


def _client_releases(server: Server, build: Build, upload_id: str | None, key: str | None = None) -> Any:
    return server.upload(f"/builds/{build.pk}/codepushes", Upload({"upload": upload_id or ""}), key)


def test_the_client_goes_on_where_the_line_broke(server: Server, build: Build, archive: bytes, line: _Line) -> None:
    line.breaks_at = {2, 3}
    upload_id = _client_sends(server, build, archive)
    assert line.sends == 3 + 2
    codepush = _client_releases(server, build, upload_id)
    assert (codepush["status"], codepush["size_bytes"]) == ("pending", len(archive))


def test_the_next_run_of_a_job_goes_on_too(server: Server, build: Build, archive: bytes, line: _Line) -> None:
    line.breaks_at = set(range(2, 20))
    with pytest.raises(Unreachable, match=r"The line broke\. Tried 5 times"):
        _client_sends(server, build, archive, "job-7")
    line.breaks_at, sends_before = set(), line.sends

    upload_id = _client_sends(server, build, archive, "job-7")
    first = _client_releases(server, build, upload_id, "job-7")
    assert line.sends - sends_before == 2

    # A third run sends nothing, and is answered as the second was.
    again = _client_sends(server, build, archive, "job-7")
    assert _client_releases(server, build, again, "job-7") == first
    assert line.sends - sends_before == 2
    assert CodePush.objects.count() == 1


def test_parts_of_two_files_never_meet(server: Server, build: Build, archive: bytes, line: _Line) -> None:
    line.breaks_at = set(range(2, 20))
    with pytest.raises(Unreachable):
        _client_sends(server, build, archive, "job-7")
    line.breaks_at = set()
    other = archive[:-1] + bytes([archive[-1] ^ 1])
    _client_sends(server, build, other, "job-7")
    assert BucketUpload.objects.count() == 2


def test_out_of_reach_of_the_storage_the_client_sends_the_bundle_whole(
    server: Server, build: Build, archive: bytes, line: _Line
) -> None:
    line.breaks_at = {0}
    assert _client_sends(server, build, archive) is None


def test_where_the_server_takes_no_parts_the_client_sends_the_bundle_whole(
    server: Server, build: Build, archive: bytes, settings: Settings
) -> None:
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    settings.STORAGES = {**settings.STORAGES, "bundles": folder}
    assert _client_sends(server, build, archive) is None


def test_a_refusal_is_told_by_the_client(server: Server, build: Build, archive: bytes, settings: Settings) -> None:
    settings.MAX_BUNDLE_BYTES = 10
    with pytest.raises(Refused, match="limit"):
        _client_sends(server, build, archive)
