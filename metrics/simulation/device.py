"""One phone with react-native-code-push (docs/protocol.md): what it keeps, asks, installs and reports.

Its clock is on no wire: reports carry no time, the server takes its own. So a fleet needs no skewed clocks.
"""

from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any, Self

from metrics.simulation.server import Offer, Package, ProtocolViolation, Server, Unreachable
from metrics.simulation.shelf import Shelf

# Some answers to reports are lost on the way: the device saves the report, and the server gets it twice.
_LOST_ANSWER_RATE = 0.05
# Some apps are closed between download and installation: the device downloads the update once more.
_CLOSED_BEFORE_INSTALLING_RATE = 0.03

_STATUS = {"installs": "DeploymentSucceeded", "rollbacks": "DeploymentFailed"}


@dataclass(frozen=True)
class Luck:
    """How often things happen to devices. Shares: 0..1, both included."""

    # Updates that crash.
    failure_rate: float = 0.0
    # Reports that something on the way sends twice: half of them at once, half at the end of a later start.
    duplicate_rate: float = 0.0
    # Offers that are downloaded when they are made; the rest wait for a later start.
    download_rate: float = 1.0


@dataclass(frozen=True)
class Report:
    """What is sent, and as what it counts: "binary", "downloads", "installs" or "rollbacks" of a label."""

    kind: str
    label: str
    body: dict[str, str]


@dataclass
class Device:
    """Everything a device remembers between two starts of the app, and a count of what it has told the server."""

    client_unique_id: str
    deployment_key: str
    app_version: str
    # Of the binary that it was made with.
    first_deployment_key: str = ""
    start_count: int = 0
    running: Package | None = None
    # Installed, and run at the next start.
    pending: Package | None = None
    failed_hashes: list[str] = field(default_factory=list)
    # Label or app version of the last report that was answered, and of a label the key; the same is not reported again.
    last_reported: str = ""
    last_reported_key: str = ""
    # A report that got no answer, sent again at a start that has nothing newer to tell.
    unsent: Report | None = None
    # Reports that are still to arrive a second time.
    echoes: list[Report] = field(default_factory=list)
    # What has arrived at the server: {deployment key: {kind: {label: reports}}}.
    arrived: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    # What the server takes it to run: {deployment key: label, or "" for the store's bundle}.
    counted_as: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.first_deployment_key = self.first_deployment_key or self.deployment_key

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        device = cls(**state)
        device.running, device.pending = (
            Package(**package) if package else None for package in (state["running"], state["pending"])
        )
        device.unsent = Report(**state["unsent"]) if state["unsent"] else None
        device.echoes = [Report(**report) for report in state["echoes"]]
        return device

    def to_state(self) -> dict[str, Any]:
        return asdict(self)

    def replace_binary(self, deployment_key: str, app_version: str) -> None:
        """The store has brought a newer app: updates are gone, failed ones forgotten; what was reported is not."""
        self.deployment_key, self.app_version = deployment_key, app_version
        self.running = self.pending = None
        self.failed_hashes.clear()

    def start_app(self, server: Server, shelf: Shelf, *, seed: str, luck: Luck) -> None:
        """The app starts, tells what it runs, and asks for an update. Without a network it just starts.

        Raises ProtocolViolation when the server's answer would break a real client, and Unreachable.
        """
        chance = Random(f"{seed}:{self.client_unique_id}:{self.start_count}")  # noqa: S311
        # One at most, and last: two that fall into one millisecond would have no order.
        echo = self.echoes[0] if self.echoes else None
        self.start_count += 1
        self._become_ready(server, chance, luck)
        offer = server.check_update(self.deployment_key, self.app_version, self.client_unique_id, self.running)
        if offer is not None and not self._ignores(offer.package) and chance.random() < luck.download_rate:
            self._update(server, shelf, offer, chance, luck)
        if echo is not None:
            self._send(server, echo)
            self.echoes.remove(echo)

    def _ignores(self, package: Package) -> bool:
        is_running = self.running is not None and self.running.package_hash == package.package_hash
        return is_running or package.package_hash in self.failed_hashes

    def _update(self, server: Server, shelf: Shelf, offer: Offer, chance: Random, luck: Luck) -> None:
        self._download(server, shelf, offer, chance, luck)
        if chance.random() < _CLOSED_BEFORE_INSTALLING_RATE:
            return
        self.pending = offer.package
        if offer.is_mandatory:
            # A mandatory update restarts the app at once; others wait for the next start.
            self._become_ready(server, chance, luck)

    def _become_ready(self, server: Server, chance: Random, luck: Luck) -> None:
        """What was pending runs, or has crashed and is gone. At most one report follows."""
        package, self.pending = self.pending, None
        if package is None:
            report = self._find_what_is_left()
        elif chance.random() < luck.failure_rate:
            self.failed_hashes.append(package.package_hash)
            # Its previous label is not sent: the client does not know it at this point.
            report = Report("rollbacks", package.label, self._describe(package, "rollbacks"))
        else:
            self.running = package
            self.unsent = None
            body = self._describe(package, "installs") | self._describe_previous()
            report = Report("installs", package.label, body)
        if report is not None:
            self._report_deploy(server, chance, luck, report)

    def _find_what_is_left(self) -> Report | None:
        is_reported = self.last_reported == self.app_version and not self.last_reported_key
        if self.running is not None or is_reported:
            return self.unsent
        self.unsent = None
        body = {"deployment_key": self.deployment_key, "app_version": self.app_version}
        body |= {"client_unique_id": self.client_unique_id} | self._describe_previous()
        return Report("binary", "", body)

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
            # After a store bundle the client does not know the key of then, and sends that of now.
            "previous_deployment_key": self.last_reported_key or self.deployment_key,
        }

    def _report_deploy(self, server: Server, chance: Random, luck: Luck, report: Report) -> None:
        try:
            self._tell(server, chance, luck, report)
        except (Unreachable, ProtocolViolation):
            self.unsent = report
            raise
        if chance.random() < _LOST_ANSWER_RATE:
            self.unsent = report
            return
        self.unsent = None
        if report.kind != "rollbacks":
            self.last_reported = report.label or report.body["app_version"]
            self.last_reported_key = report.body["deployment_key"] if report.label else ""

    def _download(self, server: Server, shelf: Shelf, offer: Offer, chance: Random, luck: Luck) -> None:
        """The archive was downloaded and is what it claims to be. One that is not is never offered a chance again."""
        try:
            shelf.fetch(server, offer, self.running)
        except ProtocolViolation:
            self.failed_hashes.append(offer.package.package_hash)
            raise
        label = offer.package.label
        body = {"client_unique_id": self.client_unique_id, "deployment_key": self.deployment_key, "label": label}
        self._tell(server, chance, luck, Report("downloads", label, body))

    def _tell(self, server: Server, chance: Random, luck: Luck, report: Report) -> None:
        self._send(server, report)
        if chance.random() >= luck.duplicate_rate:
            return
        if chance.random() < 0.5:
            self._send(server, report)
        else:
            self.echoes.append(report)

    def _send(self, server: Server, report: Report) -> None:
        """The report has arrived, and is counted as the server counts it: what came in last is what runs."""
        if report.kind == "downloads":
            server.report_download(report.body)
        else:
            server.report_deploy(report.body)
        key = report.body["deployment_key"]
        by_label = self.arrived.setdefault(key, {}).setdefault(report.kind, {})
        by_label[report.label] = by_label.get(report.label, 0) + 1
        if report.kind in ("binary", "installs"):
            self.counted_as[key] = report.label
            previous_key = report.body.get("previous_deployment_key", key)
            if previous_key != key:
                self.counted_as.pop(previous_key, None)
