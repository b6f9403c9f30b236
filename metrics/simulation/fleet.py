"""Many simulated devices at once, at a chosen pace, and the numbers that the server should show for them."""

import json
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from metrics.simulation.device import Device, Luck
from metrics.simulation.server import ProtocolViolation, Server, Unreachable
from metrics.simulation.shelf import Shelf

# Of the file in which a fleet is kept. One of another format cannot be continued.
_FORMAT = 2


class StateUnreadable(Exception):
    """The file is not the state of a fleet, or that of another version's."""


@dataclass
class KeySummary:
    """What the devices of one deployment key did. {kind: {label: number}}: distinct devices, and reports."""

    device_count: int = 0
    devices: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    reports: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    # "": devices that run the store's bundle.
    active: Counter[str] = field(default_factory=Counter)

    def describe(self) -> list[str]:
        labels = {label for by_label in (self.active, *self.devices.values()) for label in by_label}
        return [
            f"{label or 'store bundle'}: {self.active[label]} active"
            + "".join(
                f", {self.devices[kind][label]} {kind} ({self.reports[kind][label]} reports)"
                for kind in ("downloads", "installs", "rollbacks")
                if label
            )
            for label in sorted(labels, key=lambda label: (len(label), label))
        ]


class Fleet:
    """Devices of one or more builds. Everything a device does follows from the seed and the server's answers."""

    def __init__(self, server: Server, *, seed: str, luck: Luck, jobs: int = 8, shares_downloads: bool = False) -> None:
        self.seed = seed
        self.devices: list[Device] = []
        self.problems: Counter[str] = Counter()
        self._server = server
        self._luck = luck
        self._jobs = jobs
        self._shelf = Shelf({}, shares_downloads=shares_downloads)

    def grow(self, deployment_key: str, app_version: str, device_count: int) -> None:
        """At least this many devices began with the key; new ones have just installed the app from the store."""
        existing = sum(device.first_deployment_key == deployment_key for device in self.devices)
        for number in range(existing, device_count):
            chance = Random(f"{self.seed}:{deployment_key}:{number}")  # noqa: S311
            client_unique_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
            self.devices.append(Device(client_unique_id, deployment_key, app_version))

    def move(self, from_key: str, to_key: str, app_version: str, share: float) -> None:
        """This share of the devices that began with the one key has got the other build's binary from the store."""
        for device in self.devices:
            chance = Random(f"{self.seed}:{device.client_unique_id}:{to_key}")  # noqa: S311
            if device.deployment_key == device.first_deployment_key == from_key and chance.random() < share:
                device.replace_binary(to_key, app_version)

    def play_round(self, seconds: float, stopped: threading.Event) -> None:
        """Every device has started its app once, spread over the time. Ends early when stopped."""
        chance = Random(f"{self.seed}:{sum(device.start_count for device in self.devices)}")  # noqa: S311
        devices = chance.sample(self.devices, len(self.devices))
        starts = []
        with ThreadPoolExecutor(self._jobs) as pool:
            for device in devices:
                if stopped.wait(seconds / len(devices)):
                    break
                starts.append(pool.submit(self._start_app, device))
        self.problems.update(problem for start in starts if (problem := start.result()))

    def _start_app(self, device: Device) -> str:
        """What went wrong, as a sentence; "" when nothing did."""
        try:
            device.start_app(self._server, self._shelf, seed=self.seed, luck=self._luck)
        except Unreachable as error:
            return f"The server could not be reached ({error})."
        except ProtocolViolation as violation:
            return str(violation)
        return ""

    def summarize(self) -> dict[str, KeySummary]:
        """{deployment key: its numbers}, as the server should have them too."""
        summaries: dict[str, KeySummary] = defaultdict(KeySummary)
        for device in self.devices:
            for key, label in device.counted_as.items():
                summaries[key].active[label] += 1
            for key, by_kind in device.arrived.items():
                summary = summaries[key]
                summary.device_count += 1
                for kind, by_label in by_kind.items():
                    summary.devices[kind].update(by_label.keys())
                    summary.reports[kind].update(by_label)
        return dict(summaries)

    def save(self, path: Path) -> None:
        state = {
            "format": _FORMAT,
            "seed": self.seed,
            "devices": [device.to_state() for device in self.devices],
            "manifests": self._shelf.manifests,
        }
        # Beside, then over: a fleet that is killed while writing keeps its last state.
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(state))
        beside.replace(path)

    def load(self, path: Path) -> None:
        """Devices continue where they were, under the seed they began with. Raises StateUnreadable."""
        try:
            state = json.loads(path.read_text())
        except ValueError as error:
            raise StateUnreadable from error
        if not isinstance(state, dict) or state.get("format") != _FORMAT:
            raise StateUnreadable
        self.seed = state["seed"]
        self.devices = [Device.from_state(device) for device in state["devices"]]
        self._shelf.manifests.update(state["manifests"])


def play(fleet: Fleet, rounds: Iterable[float], stopped: threading.Event, state: Path | None) -> None:
    """One round after the other until none is left or somebody stops it; the state is kept after each."""
    for seconds in rounds:
        if stopped.is_set():
            return
        fleet.play_round(seconds, stopped)
        if state is not None:
            fleet.save(state)
