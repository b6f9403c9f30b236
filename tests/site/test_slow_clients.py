"""Which threads may be held, and when one is given back. With real connections: tests/flows/test_slow_clients.py."""

import io
from collections.abc import Iterator
from typing import Any

import pytest

from codepush_site import slow_clients
from codepush_site.slow_clients import HELD_AT_MOST, HELD_BY_ONE_ADDRESS, Threads
from tests.devices import send, send_environ

_PUBLIC = ("93.184.216.34", "93.184.216.35", "93.184.216.36")
_REPORT = "/api/reportStatus/deploy"


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    threads = Threads()
    monkeypatch.setattr(slow_clients, "threads", threads)
    monkeypatch.setattr(slow_clients, "WAIT_SECONDS", 0.01)
    return threads


def _hold(threads: Threads, address: str, count: int) -> list[bool]:
    return [threads.take(address) for _ in range(count)]


def test_one_address_holds_half_and_all_together_leave_the_rest(threads: Threads) -> None:
    assert _hold(threads, _PUBLIC[0], HELD_BY_ONE_ADDRESS + 1) == [True] * HELD_BY_ONE_ADDRESS + [False]
    assert _hold(threads, _PUBLIC[1], HELD_AT_MOST - HELD_BY_ONE_ADDRESS) == [True] * (
        HELD_AT_MOST - HELD_BY_ONE_ADDRESS
    )
    assert threads.take(_PUBLIC[2]) is False
    threads.give_back(_PUBLIC[0])
    assert threads.take(_PUBLIC[2]) is True


def test_a_private_network_is_many_clients(threads: Threads) -> None:
    assert _hold(threads, "", HELD_AT_MOST + 1) == [True] * HELD_AT_MOST + [False]


def test_a_body_is_refused_when_too_many_are_held_and_a_question_is_not(threads: Threads) -> None:
    _hold(threads, "", HELD_AT_MOST)
    refused = send("POST", _REPORT, body=b"{}")

    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert send("GET", "/api/updateCheck").status == 400


def test_what_is_over_holds_nothing(threads: Threads) -> None:
    for _ in range(HELD_AT_MOST * 2):
        assert send("POST", _REPORT, body=b"{}").status == 400
        # Too large, so not a byte of it is read; and no number at all.
        assert send("POST", _REPORT, body=b"x" * 20_000).status == 413
        assert send("POST", _REPORT, headers={"Content-Length": "²"}).status == 413
        assert send("GET", "/api/bundles/none.zip").status == 404

    assert threads._held.total() == 0


def test_a_body_that_is_there_holds_nothing_while_it_is_worked_on(threads: Threads) -> None:
    held = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"]
        held.append(threads._held.total())
        lines = [body.readline(), body.read(2), *body]
        held.append(threads._held.total())
        return lines

    environ = {"CONTENT_LENGTH": "9", "wsgi.input": io.BytesIO(b"a=1\nb=2\nc")}
    assert slow_clients.receive(application, environ, lambda *_: lambda _: None) == [b"a=1\n", b"b=", b"2\n", b"c"]
    assert held == [1, 0]


def test_a_body_in_chunks_holds_its_thread_until_the_answer(threads: Threads) -> None:
    """Nobody knows which is the last."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read(3)
        return [str(threads._held.total()).encode()]

    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"abc")}
    assert slow_clients.receive(application, environ, lambda *_: lambda _: None) == [b"1"]
    assert threads._held.total() == 0


def test_a_download_holds_its_thread_until_it_is_gone_or_the_client_is(threads: Threads) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        return iter([b"a", b"b"])

    sent = [slow_clients.send(application, {}, lambda *_: lambda _: None) for _ in range(3)]
    assert threads._held.total() == 3
    assert list(sent[0]) == [b"a", b"b"]
    assert threads._held.total() == 2
    sent[1].close()  # type: ignore[attr-defined]
    # A client that left before the first byte.
    del sent[2]
    assert threads._held.total() == 0


def test_an_application_that_fails_holds_nothing(threads: Threads) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise ZeroDivisionError

    for door in (slow_clients.send, slow_clients.receive):
        with pytest.raises(ZeroDivisionError):
            door(application, {"CONTENT_LENGTH": "1", "wsgi.input": io.BytesIO(b"x")}, lambda *_: lambda _: None)
    assert threads._held.total() == 0


def test_a_form_of_a_page_goes_through_the_same_door(threads: Threads) -> None:
    _hold(threads, "", HELD_AT_MOST)
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/sign-in/", "CONTENT_LENGTH": "3", "HTTP_HOST": "testserver"}

    assert send_environ(environ).status == 503
