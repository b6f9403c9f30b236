"""Requests to addresses that people typed: never to this server's own network, and never for long.

The name is resolved once, and the connection goes to the address that was checked: a name that changes its mind between
check and connection (DNS rebinding) changes nothing. Host and SNI stay the name's. Redirects are not followed.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpcore

# From the first byte of the handshake to the last one read, however the receiver spreads it.
TIMEOUT_SECONDS = 10.0
# Of an answer only so much is read and kept.
MAX_BODY_BYTES = 4096
MAX_HEADERS = 40
MAX_HEADER_LENGTH = 300

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """The name leads to nowhere that this server may send to."""


@dataclass(frozen=True)
class Answer:
    """What came back; `error` says why nothing did."""

    status_code: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    error: str = ""


def post(url: str, headers: Mapping[str, str], body: bytes, *, allows_private: bool) -> Answer:
    """One request. Every failure is an answer with an error; none is raised."""
    backend = _GuardedBackend(time.monotonic() + TIMEOUT_SECONDS, allows_private=allows_private)
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    try:
        with (
            httpcore.ConnectionPool(network_backend=backend) as pool,
            pool.stream("POST", url, headers=fields, content=body) as response,
        ):
            return Answer(response.status, _read_headers(response), _read_body(response))
    except AddressRefused as refusal:
        return Answer(error=str(refusal))
    except httpcore.TimeoutException:
        return Answer(error=f"No answer within {TIMEOUT_SECONDS:.0f} s.")
    except httpcore.ConnectError as failure:
        return Answer(error=f"No connection: {failure}."[:300])
    except (httpcore.NetworkError, httpcore.ProtocolError) as failure:
        return Answer(
            error=f"The connection broke, or the answer was no HTTP: {failure or type(failure).__name__}."[:300]
        )


def is_public(address: str) -> bool:
    """Whether the address is one of the internet, seen through the ways in which IPv6 wraps an IPv4 address."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ipaddress.ip_address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if inner is not None or ip.teredo is not None:
            return inner is not None and is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, or the address itself. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _read_headers(response: httpcore.Response) -> dict[str, str]:
    fields = response.headers[:MAX_HEADERS]
    return {name.decode("latin-1").lower(): _readable(value)[:MAX_HEADER_LENGTH] for name, value in fields}


def _read_body(response: httpcore.Response) -> str:
    """Its beginning. An answer that breaks off or never ends is still one: its status is what counts."""
    read = bytearray()
    with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        for chunk in response.iter_stream():
            read += chunk
            if len(read) >= MAX_BODY_BYTES:
                break
    return _readable(bytes(read[:MAX_BODY_BYTES]))


def _readable(text: bytes) -> str:
    # PostgreSQL stores no NUL in text.
    return text.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


class _GuardedBackend(httpcore.NetworkBackend):
    """Connects to public addresses only, and to nothing after the deadline."""

    def __init__(self, deadline: float, *, allows_private: bool) -> None:
        self._inner = httpcore.SyncBackend()
        self._deadline = deadline
        self._allows_private = allows_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = resolve(host, port)
        except (OSError, UnicodeError) as unknown:
            raise httpcore.ConnectError(f"{host} has no address") from unknown
        allowed = found if self._allows_private else [address for address in found if is_public(address)]
        if not allowed:
            raise AddressRefused(
                f"{host} leads to {', '.join(found)}, which is not a public address. "
                "This server sends to public addresses only (WEBHOOKS_TO_PRIVATE_ADDRESSES)."
            )
        failures: list[httpcore.ConnectError] = []
        for address in allowed:
            try:
                stream = self._inner.connect_tcp(
                    address, port, _remaining(self._deadline), local_address, socket_options
                )
                return _DeadlineStream(stream, self._deadline)
            except httpcore.ConnectError as failure:
                failures.append(failure)
        raise failures[-1]


class _DeadlineStream(httpcore.NetworkStream):
    """A stream of which all reads and writes together end at the deadline: a byte every second does not renew it."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _remaining(self._deadline))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._inner.start_tls(ssl_context, server_hostname, _remaining(self._deadline))
        return _DeadlineStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _remaining(deadline: float) -> float:
    """Seconds that are left. Raises ReadTimeout when none are."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left
