"""A server for simulated devices that needs no network."""

import io
import zipfile
from hashlib import sha256
from typing import IO

from deployments.bundles.manifest import compute_package_hash
from metrics.simulation.server import Offer, Package, ProtocolViolation, Server


def make_zip(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def _hash(files: dict[str, str]) -> str:
    return compute_package_hash({name: sha256(text.encode()).hexdigest() for name, text in files.items()})


class ScriptedServer(Server):
    """Offers what it is told to, and writes down what it is sent. Stands in for the network."""

    def __init__(self) -> None:
        self.offer: Offer | None = None
        self.archive = b""
        self.is_away = False
        self.sent: list[tuple[str, str]] = []
        self.bodies: list[dict[str, str]] = []
        self.transfers = 0

    def release(self, label: str, text: str, *, is_mandatory: bool = False, archive: bytes | None = None) -> None:
        files = {"CodePush/index.android.bundle": text}
        self.archive = archive or make_zip(files)
        package = Package(label, _hash(files), "3.0.0")
        self.offer = Offer(package, is_mandatory, "/archive", len(self.archive))

    def check_update(
        self, deployment_key: str, app_version: str, client_unique_id: str, current: Package | None
    ) -> Offer | None:
        return self.offer

    def download(self, offer: Offer, target: IO[bytes]) -> None:
        self.transfers += 1
        target.write(self.archive)

    def report_deploy(self, body: dict[str, str]) -> None:
        if self.is_away:
            raise ProtocolViolation("503")
        self.bodies.append(body)
        self.sent.append((body.get("status", "binary"), body.get("label", "")))

    def report_download(self, body: dict[str, str]) -> None:
        self.bodies.append(body)
        self.sent.append(("Downloaded", body["label"]))
