"""A device as the server sees it: an in-process client of the device API, speaking WSGI without a network."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

import httpx

from deployments import snapshots

V01 = "/api/v0.1/public/codepush"


@dataclass(frozen=True)
class Reply:
    """What came back. Header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def update(self) -> dict[str, Any]:
        """The answer to an update check, whichever spelling was asked for."""
        (update,) = self.json.values()
        assert isinstance(update, dict)
        return update


def send(method: str, path: str, *, query: str = "", body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
    """One request through the product's front door."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        # As PEP 3333 has it: bytes of the path, each as one Latin-1 character.
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "testserver",
        "wsgi.input": io.BytesIO(body),
    }
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return send_environ(environ)


def send_environ(environ: dict[str, Any]) -> Reply:
    """A request as a server hands it on; what it does not say has a usual value."""
    # Only now: the module sets Django up.
    from codepush_site.wsgi import application  # noqa: PLC0415

    setup_testing_defaults(environ)
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        started.append((status, headers))

    chunks = application(environ, start_response)
    received = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    ((status, sent),) = started
    return Reply(int(status.split()[0]), {name.lower(): value for name, value in sent}, received)


@dataclass
class Device:
    """One installed app. What it sends is in its fields; None is left out, as the SDK does."""

    key: str
    app_version: str | None = "3.0.0"
    label: str | None = None
    package_hash: str | None = None
    client_unique_id: str | None = "device-1"
    is_legacy: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def check(self, also: Mapping[str, str] | None = None, *, method: str = "GET", refresh: bool = True) -> Reply:
        """An update check. First the poll thread's round, unless told not to. `also`: more parameters."""
        if refresh:
            snapshots.store.refresh_changed()
        sent = {
            "deployment_key": self.key,
            "app_version": self.app_version,
            "package_hash": self.package_hash,
            "label": self.label,
            "client_unique_id": self.client_unique_id,
        }
        return self.ask(
            urlencode({name: value for name, value in {**sent, **(also or {})}.items() if value is not None}), method
        )

    def ask(self, query: str, method: str = "GET") -> Reply:
        """An update check with exactly this query string."""
        path = "/api/updateCheck" if self.is_legacy else f"{V01}/update_check"
        return send(method, path, query=query, headers=self.headers)

    def download(self, address: str) -> bytes:
        """From this server, or from wherever else the address leads."""
        own = "http://testserver"
        return self.get(address.removeprefix(own)).body if address.startswith(own) else httpx.get(address).content

    def report_deploy(self, status: str = "DeploymentSucceeded", **also: str) -> Reply:
        """What runs now: the update in `label`, or without one the store's own bundle."""
        body = {
            "deployment_key": self.key,
            "app_version": self.app_version,
            "client_unique_id": self.client_unique_id,
            **({"label": self.label, "status": status} if self.label else {}),
        }
        return self._report("deploy", {**body, **also})

    def report_download(self, label: str) -> Reply:
        body = {"deployment_key": self.key, "client_unique_id": self.client_unique_id, "label": label}
        return self._report("download", body)

    def get(self, path: str, **headers: str) -> Reply:
        """Any address of the server. Headers by name with underscores: `Range="bytes=0-0"`, `If_Range=…`."""
        return send("GET", path, headers=headers)

    def _report(self, kind: str, body: dict[str, str | None]) -> Reply:
        path = f"/api/reportStatus/{kind}" if self.is_legacy else f"{V01}/report_status/{kind}"
        sent = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
        headers = {"Content-Type": "application/json", "X-CodePush-SDK-Version": "4.2.3"}
        return send("POST", path, body=sent, headers=headers)
