"""Slow clients (slowloris), at real web processes: they are cut off, or leave threads for others."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from deployments.bundle_download import PREFIX
from tests.flows.conftest import scratch_database
from tests.flows.product import Product

_ARCHIVE = f"{'a' * 64}.zip"
# More than the two web processes have threads.
_CLIENTS = 120
_HEAD_SECONDS = 2


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Its web processes wait for heads a shorter time than granian's 30 s: so does the test."""
    folder = tmp_path_factory.mktemp("slow")
    # Bundles that a web process sends itself, where the suite runs on a bucket, too.
    environment = {
        "GRANIAN_HTTP1_HEADER_READ_TIMEOUT": str(_HEAD_SECONDS * 1000),
        "STORAGE_URL": f"file:{folder / 'bundles'}",
    }
    with scratch_database() as database:
        product = Product(folder, environment | database)
        product.prepare()
        _store_large_bundle(product.folder / "bundles")
        with product.running("web"):
            product.wait_until_it_answers()
            yield product


def _store_large_bundle(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / _ARCHIVE).open("wb") as file:
        file.truncate(50_000_000)


@contextmanager
def _connections(port: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """So many clients, each of which has sent this, and takes in next to nothing."""
    with ExitStack() as stack:
        opened = []
        for _ in range(_CLIENTS):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", port))
            connection.sendall(sent)
            opened.append(connection)
        time.sleep(0.5)
        yield opened


def _ask(port: int, path: str) -> tuple[int, float]:
    """Status of the answer, and how long it took; a new connection each, so that every web process is asked."""
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status, time.monotonic() - started


def _assert_both_planes_answer(port: int) -> None:
    for path, expected in (("/api/updateCheck", 400), ("/healthz", 200), ("/sign-in/", 200)):
        answers = [_ask(port, path) for _ in range(20)]
        assert {status for status, _ in answers} == {expected}
        assert max(seconds for _, seconds in answers) < 2


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/api/reportStatus/deploy", "application/json"), ("/sign-in/", "application/x-www-form-urlencoded")],
    ids=["devices", "pages"],
)
def test_bodies_that_never_end_leave_threads_for_others(site: Product, path: str, content_type: str) -> None:
    # With a cookie and no field yet, Django reads on for the token of the form.
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {content_type}", "Content-Length: 5000"]
    sent = "\r\n".join([*lines, f"Cookie: csrftoken={'a' * 32}", "", "x"]).encode()
    with _connections(site.port, sent) as opened:
        _assert_both_planes_answer(site.port)
        # Most were told to come back: their threads were needed.
        assert sum(_is_answered(each) for each in opened) >= _CLIENTS / 2
    # Those that went away hold nothing any more.
    time.sleep(0.5)
    status = _post(site.port, path)
    assert status == (400 if "api" in path else 403)


@pytest.mark.parametrize("path", ["/api/reportStatus/deploy", "/sign-in/"], ids=["devices", "pages"])
def test_bodies_in_chunks_are_not_waited_for(site: Product, path: str) -> None:
    """Granian says of none of them how long it is, so that nothing reads them."""
    sent = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx".encode()
    with _connections(site.port, sent) as opened:
        _assert_both_planes_answer(site.port)
        assert all(_is_answered(each) for each in opened)


def test_downloads_that_nobody_takes_in_leave_threads_for_others(site: Product) -> None:
    request = f"GET {PREFIX}{_ARCHIVE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    with _connections(site.port, request):
        _assert_both_planes_answer(site.port)
    time.sleep(0.5)

    assert {_ask(site.port, f"{PREFIX}{_ARCHIVE}")[0] for _ in range(10)} == {200}


@pytest.mark.parametrize(
    "sent", [b"", b"GET /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"], ids=["nothing", "half a head"]
)
def test_who_sends_no_whole_head_is_cut_off(site: Product, sent: bytes) -> None:
    with _connections(site.port, sent) as opened:
        _assert_both_planes_answer(site.port)
        opened[0].settimeout(_HEAD_SECONDS * 3)
        assert opened[0].recv(1) == b""


def _is_answered(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return bool(connection.recv(1))
    except BlockingIOError:
        return False


def _post(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", path, "{}")
    status = connection.getresponse().status
    connection.close()
    return status
