"""One phone with react-native-code-push (docs/protocol.md): what it keeps, asks, installs and reports."""

import tempfile
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any, Self

import httpx

from metrics.simulation.server import Offer, Package, ProtocolViolation, Server
from metrics.simulation.shelf import Shelf

# Some answers to reports are lost on the way: the device saves the report, and the server gets it twice.
_LOST_ANSWER_RATE = 0.05
# Some apps are closed between download and installation: the device downloads the update once more.
_CLOSED_BEFORE_INSTALLING_RATE = 0.03
_IN_MEMORY_BYTES = 8_000_000

_STATUS = {"installs": "DeploymentSucceeded", "rollbacks": "DeploymentFailed"}


@dataclass
class Device:
    """Everything a device remembers between two starts of the app, and a count of what it has told the server."""

    client_unique_id: str
    deployment_key: str
    app_version: str
    start_count: int = 0
    running: Package | None = None
    # Installed, and run at the next start.
    pending: Package | None = None
    failed_hashes: list[str] = field(default_factory=list)
    # Label or app version of the last report that was answered; a report of the same is not made again.
    last_reported: str = ""
    # A report that got no answer: (kind, label, body), sent again at a start that has nothing newer to tell.
    unsent: tuple[str, str, dict[str, str]] | None = None
    # What has arrived at the server. {"downloads" | "installs" | "rollbacks": {label: reports}}.
    arrived: dict[str, dict[str, int]] = field(default_factory=dict)
    # What the server takes it to run: a label, "" for the store's bundle, None before the first report.
    counted_as: str | None = None

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        device = cls(**state)
        device.running, device.pending = (
            Package(**package) if package else None for package in (state["running"], state["pending"])
        )
        return device

    def to_state(self) -> dict[str, Any]:
        return asdict(self)

    def start_app(self, server: Server, shelf: Shelf, *, seed: str, failure_rate: float) -> None:
        """The app starts, tells what it runs, and asks for an update. Without a network it just starts.

        Raises ProtocolViolation when the server's answer would break a real client.
        """
        chance = Random(f"{seed}:{self.client_unique_id}:{self.start_count}")  # noqa: S311
        self.start_count += 1
        self._become_ready(server, chance, failure_rate)
        offer = server.check_update(self.deployment_key, self.app_version, self.client_unique_id, self.running)
        if offer is None or self._ignores(offer.package):
            return
        self._download(server, shelf, offer)
        if chance.random() < _CLOSED_BEFORE_INSTALLING_RATE:
            return
        self.pending = offer.package
        if offer.is_mandatory:
            # A mandatory update restarts the app at once; others wait for the next start.
            self._become_ready(server, chance, failure_rate)

    def _ignores(self, package: Package) -> bool:
        is_running = self.running is not None and self.running.package_hash == package.package_hash
        return is_running or package.package_hash in self.failed_hashes

    def _become_ready(self, server: Server, chance: Random, failure_rate: float) -> None:
        """What was pending runs, or has crashed and is gone. At most one report follows."""
        package, self.pending = self.pending, None
        if package is None:
            self._report_what_is_left(server, chance)
        elif chance.random() < failure_rate:
            self.failed_hashes.append(package.package_hash)
            # Its previous label is not sent: the client does not know it at this point.
            self._report_deploy(server, chance, "rollbacks", package.label, self._describe(package, "rollbacks"))
        else:
            self.running = package
            self.unsent = None
            body = self._describe(package, "installs") | self._describe_previous()
            self._report_deploy(server, chance, "installs", package.label, body)

    def _report_what_is_left(self, server: Server, chance: Random) -> None:
        if self.unsent is not None:
            self._report_deploy(server, chance, *self.unsent)
        elif not self.last_reported:
            body = {"deployment_key": self.deployment_key, "app_version": self.app_version}
            self._report_deploy(server, chance, "binary", "", body | {"client_unique_id": self.client_unique_id})

    def _describe(self, package: Package, kind: str) -> dict[str, str]:
        return {
            "deployment_key": self.deployment_key,
            "app_version": package.app_version,
            "client_unique_id": self.client_unique_id,
            "label": package.label,
            "status": _STATUS[kind],
        }

    def _describe_previous(self) -> dict[str, str]:
        if not self.last_reported:
            return {}
        return {
            "previous_label_or_app_version": self.last_reported,
            "previous_deployment_key": self.deployment_key,
        }

    def _report_deploy(self, server: Server, chance: Random, kind: str, label: str, body: dict[str, str]) -> None:
        try:
            server.report_deploy(body)
        except (httpx.HTTPError, ProtocolViolation):
            self.unsent = (kind, label, body)
            raise
        self._count(kind, label)
        if chance.random() < _LOST_ANSWER_RATE:
            self.unsent = (kind, label, body)
            return
        self.unsent = None
        if kind != "rollbacks":
            self.last_reported = label or self.app_version

    def _download(self, server: Server, shelf: Shelf, offer: Offer) -> None:
        """The archive was downloaded and is what it claims to be. One that is not is never offered a chance again."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
            server.download(offer, file)
            try:
                shelf.verify(file, offer.package, self.running)
            except ProtocolViolation:
                self.failed_hashes.append(offer.package.package_hash)
                raise
        label = offer.package.label
        server.report_download(
            {"client_unique_id": self.client_unique_id, "deployment_key": self.deployment_key, "label": label}
        )
        self._count("downloads", label)

    def _count(self, kind: str, label: str) -> None:
        by_label = self.arrived.setdefault(kind, {})
        by_label[label] = by_label.get(label, 0) + 1
        if kind in ("binary", "installs"):
            self.counted_as = label
