"""Where requests never go, and how long they never take."""

import socket
import threading
import time
from typing import Any

import pytest

from tests.webhooks.receiver import Receiver, listening
from webhooks import guarded_http
from webhooks.guarded_http import is_public, post


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:53aa:64c::1", "240.0.0.1", "255.255.255.255"),
    ],
)
def test_these_are_not_of_the_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "::ffff:93.184.215.14"])
def test_these_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "2130706433"])
def test_nothing_goes_to_the_servers_own_network(host: str) -> None:
    with listening() as receiver:
        answer = post(f"http://{host}:{receiver.port}/", {}, b"", allows_private=False)
    assert answer.status_code is None
    assert receiver.got == []
    assert "not a public address" in answer.error


def test_a_name_that_changes_its_mind_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it is checked, loopback when it is asked again. It is not asked again."""
    connected: list[Any] = []
    answers = iter(["203.0.113.9", "127.0.0.1"])
    monkeypatch.setattr(guarded_http, "is_public", lambda address: address == "203.0.113.9")
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **_: [(socket.AF_INET, 1, 6, "", (next(answers), port))]
    )

    def refuse(address: Any, *args: Any, **kwargs: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    assert post("http://rebinding.example/", {}, b"", allows_private=False).error.startswith("No connection")
    assert connected == [("203.0.113.9", 80)]


def test_the_receiver_sees_the_name_though_the_address_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded_http, "resolve", lambda host, port: ["127.0.0.1"])
    post(f"http://hooks.example:{receiver.port}/", {"webhook-id": "1"}, b"{}", allows_private=True)
    assert receiver.got[0].headers["host"] == f"hooks.example:{receiver.port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    with listening() as inside:
        receiver.status, receiver.headers = status, {"location": inside.url, "content-length": "2"}
        assert post(receiver.url, {}, b"{}", allows_private=True).status_code == status
    assert (len(receiver.got), inside.got) == (1, [])


def test_a_receiver_that_does_not_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_http, "TIMEOUT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        answer = post(f"http://127.0.0.1:{silent.getsockname()[1]}/", {}, b"", allows_private=True)
    assert (answer.status_code, answer.error) == (None, "No answer within 0 s.")
    assert time.monotonic() - began < 2


def test_one_that_drips_is_left_at_the_same_time(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time; all together would take a minute. That it answered 200 is known."""
    monkeypatch.setattr(guarded_http, "TIMEOUT_SECONDS", 0.5)
    receiver.body, receiver.delay = b"x" * 300, 0.2
    began = time.monotonic()
    answer = post(receiver.url, {}, b"", allows_private=True)
    assert (answer.status_code, answer.error) == (200, "")
    assert 0 < len(answer.body) < 10
    assert time.monotonic() - began < 2


def test_of_a_large_answer_the_beginning_is_read(receiver: Receiver) -> None:
    receiver.body = b"y" * 50_000_000
    receiver.headers = {f"x-{n}": "z" * 1000 for n in range(50)}
    answer = post(receiver.url, {}, b"", allows_private=True)
    assert (answer.status_code, answer.body) == (200, "y" * guarded_http.MAX_BODY_BYTES)
    assert len(answer.headers) <= guarded_http.MAX_HEADERS
    assert max(map(len, answer.headers.values())) <= guarded_http.MAX_HEADER_LENGTH


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_a_failure_in_words(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=speak)
        thread.start()
        found = post(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, b"", allows_private=True)
        thread.join()
    assert found.status_code is None
    assert found.error.startswith("The connection broke, or the answer was no HTTP")


def test_a_name_that_nobody_has_is_a_failure_in_words() -> None:
    assert post("http://nowhere.invalid/", {}, b"", allows_private=False).error == (
        "No connection: nowhere.invalid has no address."
    )
