"""What the client does when the server does not answer as it should: over real HTTP, with the waiting left out."""

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from codepush_cli.outcome import Refused, Unreachable
from codepush_cli.server import Server
from tests.webhooks.receiver import Receiver, listening


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as receiver:
        yield receiver


@pytest.fixture
def waits() -> Iterator[list[float]]:
    """Seconds that the client waited, one entry for each time."""
    waited: list[float] = []
    with mock.patch("codepush_cli.server.time.sleep", waited.append):
        yield waited


def _write(receiver: Receiver) -> Any:
    return Server(f"http://127.0.0.1:{receiver.port}", "cpc_secret").write("POST", "/projects", {"name": "X"})


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_is_away_is_tried_five_times_with_one_key(
    receiver: Receiver, waits: list[float], status: int
) -> None:
    receiver.status = status
    with pytest.raises(Unreachable, match=rf"answered {status} .*Tried 5 times"):
        _write(receiver)
    assert len(receiver.got) == 5
    assert len({got.headers["idempotency-key"] for got in receiver.got}) == 1
    assert waits == [0.5, 1, 2, 4]


@pytest.mark.parametrize(
    ("retry_after", "first_wait"), [("7", 7), ("0", 0.5), ("86400", 60), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.5)]
)
def test_the_client_waits_as_long_as_it_is_asked_to(
    receiver: Receiver, waits: list[float], retry_after: str, first_wait: float
) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": retry_after}
    with pytest.raises(Unreachable):
        _write(receiver)
    assert waits[0] == first_wait


def test_a_refusal_is_told_at_once(receiver: Receiver, waits: list[float]) -> None:
    receiver.status, receiver.body = 409, b'{"error": {"code": "stale", "message": "v3 became Live."}}'
    with pytest.raises(Refused, match=r"^v3 became Live\.$"):
        _write(receiver)
    assert (len(receiver.got), waits) == (1, [])


def test_the_token_goes_nowhere_else(receiver: Receiver, waits: list[float]) -> None:
    with listening() as elsewhere:
        receiver.status, receiver.headers = 307, {"Location": elsewhere.url}
        with pytest.raises(Refused, match="redirects to"):
            _write(receiver)
        assert elsewhere.got == []


def test_a_fault_of_the_server_is_not_hammered(receiver: Receiver, waits: list[float]) -> None:
    receiver.status, receiver.body = 500, b"<h1>Server Error</h1>"
    with pytest.raises(Unreachable, match="answered 500"):
        _write(receiver)
    assert len(receiver.got) == 1
