"""What the client SDK says to a server, and what it checks of the answers. HTTP only.

Not httpx: thousands of devices in one process need a client that costs less than the server that they ask.
"""

import json
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import IO, Any
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

_PREFIX = "api/v0.1/public/codepush"
# What react-native-code-push 9.0.1 sends with every request.
_SDK_HEADERS = {
    "Accept": "application/json",
    "Content-Type": "application/json",
    "X-CodePush-Plugin-Name": "react-native-code-push",
    "X-CodePush-Plugin-Version": "9.0.1",
    "X-CodePush-SDK-Version": "4.2.3",
}
_TIMEOUT_SECONDS = 30.0
_POLL_SECONDS = 0.5
# A server may have closed a connection that was idle for longer. Finding out by a report that fails would leave open
# whether it arrived.
_IDLE_SECONDS = 1.0
_CHUNK_BYTES = 256 * 1024


class Unreachable(Exception):
    """No answer: whether the request arrived is not known."""


class ProtocolViolation(Exception):
    """The server answered something that a real client cannot work with."""


@dataclass(frozen=True)
class Package:
    """An update as a device knows it."""

    label: str
    package_hash: str
    app_version: str


@dataclass(frozen=True)
class Offer:
    """What an update check brought."""

    package: Package
    is_mandatory: bool
    download_url: str
    size_bytes: int


class _Line:
    """One thread's connections, kept open: {scheme and host: (connection, when it was last used)}."""

    def __init__(self) -> None:
        self._connections: dict[tuple[str, str], tuple[HTTPConnection, float]] = {}

    def open(self, address: SplitResult) -> HTTPConnection:
        origin = (address.scheme, address.netloc)
        connection, used_at = self._connections.get(origin, (None, 0.0))
        now = time.monotonic()
        if connection is None:
            kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
            connection = kind(address.netloc, timeout=_TIMEOUT_SECONDS)
        elif now - used_at > _IDLE_SECONDS:
            # It connects anew with the next request.
            connection.close()
        self._connections[origin] = connection, now
        return connection

    def close(self) -> None:
        for connection, _ in self._connections.values():
            connection.close()


class Server:
    """One CodePush server as devices see it. Safe to share between threads; each has connections of its own."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + "/"
        self._own = threading.local()
        self._lines: list[_Line] = []

    def close(self) -> None:
        """No connection is open. No other thread may use the server any more."""
        for line in self._lines:
            line.close()

    def wait_until_it_answers(self, stopped: threading.Event) -> None:
        """Returns once something answers at the address, whatever it says, or when stopped. Never gives up."""
        while not stopped.is_set():
            try:
                self._fetch("GET", "healthz")
            except Unreachable:
                stopped.wait(_POLL_SECONDS)
            else:
                return

    def find_store_version(self, deployment_key: str) -> str | None:
        """The store version of the build that the key names; None while it has no update to tell it by."""
        info = self._ask({"deployment_key": deployment_key, "app_version": "0.0.1-store-version"})
        return info["app_version"] or None

    def check_update(
        self, deployment_key: str, app_version: str, client_unique_id: str, current: Package | None
    ) -> Offer | None:
        """What the SDK would give the app: an offer, or None when there is none or the store has a newer binary."""
        query = {"deployment_key": deployment_key, "app_version": app_version}
        if current is not None:
            query |= {"package_hash": current.package_hash, "label": current.label}
        info = self._ask(query | {"client_unique_id": client_unique_id})
        if info["update_app_version"] or not info["is_available"]:
            return None
        if info["target_binary_range"] != app_version:
            raise ProtocolViolation(
                f"Asked as {app_version!r}, offered for {info['target_binary_range']!r}: "
                "a client would delete this update at its next start."
            )
        package = Package(info["label"], info["package_hash"], info["target_binary_range"])
        return Offer(package, info["is_mandatory"], info["download_url"], info["package_size"])

    def download(self, offer: Offer, target: IO[bytes]) -> None:
        """Write the archive to `target`. Checks what Android checks: Content-Length, and as many bytes."""
        url, label = offer.download_url, offer.package.label
        try:
            answer = self._send("GET", url, headers={"Accept-Encoding": "identity"})
            promised = answer.headers.get("Content-Length", "")
            received = 0
            while chunk := answer.read(_CHUNK_BYTES):
                received += len(chunk)
                target.write(chunk)
        except (OSError, HTTPException) as error:
            raise Unreachable(type(error).__name__) from error
        _require(answer.status == 200, f"{url} answered {answer.status}.")
        _require(promised.isdigit(), f"{url} came without Content-Length.")
        _require(received == int(promised), f"{url} broke off: {received} of {promised} bytes.")
        _require(received == offer.size_bytes, f"{label} has {received} bytes, not {offer.size_bytes}.")

    def report_deploy(self, body: dict[str, str]) -> None:
        """Raises Unreachable or ProtocolViolation when the report may not have arrived."""
        self._report("deploy", body)

    def report_download(self, body: dict[str, str]) -> None:
        self._report("download", body)

    def _report(self, kind: str, body: dict[str, str]) -> None:
        status, text = self._fetch("POST", f"{_PREFIX}/report_status/{kind}", json.dumps(body).encode())
        _require(status == 200, f"A {kind} report was answered {status}: {text[:200]}")

    def _ask(self, query: dict[str, str]) -> dict[str, Any]:
        status, text = self._fetch("GET", f"{_PREFIX}/update_check?{urlencode(query)}")
        _require(status == 200, f"An update check was answered {status}: {text[:200]}")
        try:
            info: dict[str, Any] = json.loads(text)["update_info"]
        except (ValueError, KeyError) as error:
            raise ProtocolViolation(f"An update check was answered {text[:200]!r}.") from error
        return info

    def _fetch(self, method: str, url: str, body: bytes | None = None) -> tuple[int, str]:
        """(status, text) of the answer. Raises Unreachable."""
        try:
            answer = self._send(method, url, body)
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            raise Unreachable(type(error).__name__) from error

    def _send(
        self, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> HTTPResponse:
        address = urlsplit(urljoin(self._url, url))
        connection = self._line.open(address)
        path = f"{address.path}?{address.query}" if address.query else address.path
        try:
            connection.request(method, path, body, _SDK_HEADERS | (headers or {}))
            return connection.getresponse()
        except (OSError, HTTPException):
            # What it holds of this request must not be taken for the answer to the next.
            connection.close()
            raise

    @property
    def _line(self) -> _Line:
        line: _Line | None = getattr(self._own, "line", None)
        if line is None:
            line = self._own.line = _Line()
            self._lines.append(line)
        return line


def _require(is_fine: bool, complaint: str) -> None:
    if not is_fine:
        raise ProtocolViolation(complaint)
