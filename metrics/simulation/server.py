"""What the client SDK says to a server, and what it checks of the answers. HTTP only."""

import threading
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlencode

import httpx

_PREFIX = "/api/v0.1/public/codepush"
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


class Server:
    """One CodePush server as devices see it. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url.rstrip("/"), headers=_SDK_HEADERS, timeout=_TIMEOUT_SECONDS)

    def close(self) -> None:
        self._client.close()

    def wait_until_it_answers(self, stopped: threading.Event) -> None:
        """Returns once something answers at the address, whatever it says, or when stopped. Never gives up."""
        while not stopped.is_set():
            try:
                self._client.get("/healthz")
            except httpx.TransportError:
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
        with self._client.stream("GET", offer.download_url, headers={"Accept-Encoding": "identity"}) as answer:
            _require(answer.status_code == 200, f"{offer.download_url} answered {answer.status_code}.")
            promised = answer.headers.get("Content-Length", "")
            _require(promised.isdigit(), f"{offer.download_url} came without Content-Length.")
            received = 0
            for chunk in answer.iter_raw():
                received += len(chunk)
                target.write(chunk)
        _require(received == int(promised), f"{offer.download_url} broke off: {received} of {promised} bytes.")
        _require(received == offer.size_bytes, f"{offer.package.label} has {received} bytes, not {offer.size_bytes}.")

    def report_deploy(self, body: dict[str, str]) -> None:
        """Raises httpx.HTTPError or ProtocolViolation when the report may not have arrived."""
        self._report("deploy", body)

    def report_download(self, body: dict[str, str]) -> None:
        self._report("download", body)

    def _report(self, kind: str, body: dict[str, str]) -> None:
        answer = self._client.post(f"{_PREFIX}/report_status/{kind}", json=body)
        _require(answer.status_code == 200, f"A {kind} report was answered {answer.status_code}: {answer.text[:200]}")

    def _ask(self, query: dict[str, str]) -> dict[str, Any]:
        answer = self._client.get(f"{_PREFIX}/update_check?{urlencode(query)}")
        _require(answer.status_code == 200, f"An update check was answered {answer.status_code}: {answer.text[:200]}")
        try:
            info: dict[str, Any] = answer.json()["update_info"]
        except (ValueError, KeyError) as error:
            raise ProtocolViolation(f"An update check was answered {answer.text[:200]!r}.") from error
        return info


def _require(is_fine: bool, complaint: str) -> None:
    if not is_fine:
        raise ProtocolViolation(complaint)
