"""Clients that are slow, or pretend to be, never hold all threads of a web process.

A request whose body is still coming in holds a thread until it is there, and a bundle until it is gone; granian limits
neither. So of the 32 threads (Procfile) 20 may be held, 10 of them by one public address; four more may wait a moment
for one of these, and the rest are always there for update checks and short pages. Further ones are told to come back.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from threading import Condition
from typing import TYPE_CHECKING, Any

from deployments.device_http import Environ, WsgiApp, text
from telemetry import measures
from telemetry.addresses import find_public_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

HELD_AT_MOST, HELD_BY_ONE_ADDRESS = 20, 10
WAITING_AT_MOST, WAIT_SECONDS = 4, 0.5


class Threads:
    """Which of a process's threads are held. One of a private network is a proxy, or one's own: "" has no limit."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._held: Counter[str] = Counter()
        self._waiting = 0

    def take(self, address: str) -> bool:
        """Whether the caller may hold its thread; if so, it must `give_back`. May wait, but only few do at once."""
        with self._changed:
            if not self._is_free(address) and (self._waiting >= WAITING_AT_MOST or not self._wait(address)):
                return False
            self._held[address] += 1
            return True

    def _wait(self, address: str) -> bool:
        self._waiting += 1
        try:
            return self._changed.wait_for(lambda: self._is_free(address), WAIT_SECONDS)
        finally:
            self._waiting -= 1

    def _is_free(self, address: str) -> bool:
        is_one_too_many = bool(address) and self._held[address] >= HELD_BY_ONE_ADDRESS
        return not is_one_too_many and self._held.total() < HELD_AT_MOST

    def give_back(self, address: str) -> None:
        with self._changed:
            self._held[address] -= 1
            if not self._held[address]:
                del self._held[address]
            self._changed.notify_all()


threads = Threads()


class _Once:
    """Gives the thread back, however often it is told to."""

    def __init__(self, address: str) -> None:
        self._address: str | None = address

    def __call__(self) -> None:
        address, self._address = self._address, None
        if address is not None:
            threads.give_back(address)


class _Body:
    """`wsgi.input`: when the last byte is there, the thread is no longer held, whatever is done with them."""

    def __init__(self, body: Any, length: float, give_back: Callable[[], None]) -> None:
        self._body, self._left, self._give_back = body, length, give_back

    def read(self, size: int = -1) -> bytes:
        return self._count(self._body.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self._count(self._body.readline(size))

    def readlines(self, hint: int = -1) -> list[bytes]:
        return [self._count(line) for line in self._body.readlines(hint)]

    def __iter__(self) -> Iterator[bytes]:
        return (self._count(line) for line in self._body)

    def _count(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left <= 0:
            self._give_back()
        return piece


class _Sent:
    """An answer on its way: until it is gone, or the client is, it holds a thread."""

    def __init__(self, chunks: Iterable[bytes], give_back: Callable[[], None]) -> None:
        self._chunks, self._give_back = chunks, give_back

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks
        self._give_back()

    def close(self) -> None:
        self._give_back()
        if hasattr(self._chunks, "close"):
            self._chunks.close()

    # A server that forgets to close what a client has left.
    __del__ = close


def receive(application: WsgiApp, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
    """The application's answer to a request that has a body; or 503, before any of it is read."""
    announced = environ.get("CONTENT_LENGTH") or "0"
    is_of_unknown_length = "HTTP_TRANSFER_ENCODING" in environ
    if announced == "0" and not is_of_unknown_length:
        return application(environ, start_response)
    address = find_public_address(environ)
    if not threads.take(address):
        return _refuse(environ, start_response)
    give_back = _Once(address)
    # Of what is no number or too large the application says so, and reads nothing.
    length = int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 19 else 0
    # Nothing here reads one in chunks; who does one day, holds the thread until the answer.
    environ["wsgi.input"] = _Body(environ["wsgi.input"], math.inf if is_of_unknown_length else length, give_back)
    try:
        return application(environ, start_response)
    finally:
        give_back()


def send(application: WsgiApp, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
    """The application's answer, which may be a large one; or 503."""
    address = find_public_address(environ)
    if not threads.take(address):
        return _refuse(environ, start_response)
    give_back = _Once(address)
    try:
        chunks = application(environ, start_response)
    except BaseException:
        give_back()
        raise
    if isinstance(chunks, list):
        # The server has it whole, and needs no thread for it.
        give_back()
        return chunks
    return _Sent(chunks, give_back)


def _refuse(environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
    measures.RATE_LIMITED.labels("slow").inc()
    said = text(HTTPStatus.SERVICE_UNAVAILABLE, "Too many slow requests. Try again later.", ("Retry-After", "5"))
    start_response(said.status_line, said.headers[:])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [said.body]
